"""Which messages come in, which starts next, and how do they leave?

    SQS ──► Inbox.serve ──► handle(Lease) ──► Lease.delete / set_aside / give_back ──► SQS

A slot comes first, then the message: it is asked for only while a slot is free. One whose tenant has its share of the
slots already waits without a slot, so that the others' messages are met; its lease is kept like any other.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.memory import Gate
from logfanout.pipeline._deletions import Deletions
from logfanout.pipeline._desk import Desk
from logfanout.pipeline._leases import (
    BATCH,
    LONGEST_GIVE_BACK_SECONDS,
    Lease,
    Leases,
    growing_delay,
    hide_each,
    in_tens,
)
from logfanout.pipeline._shares import NO_WAIT_SECONDS, Full, Shares, Start, Wait
from logfanout.ports import DeadLetter, DeadLetters, Queue, Received, Refusal
from logfanout.retrying import patiently

__all__ = ["BATCH", "LONGEST_GIVE_BACK_SECONDS", "Desk", "Inbox", "Lease", "Terms", "growing_delay", "in_tens"]

LONG_POLL_SECONDS = 20  # the longest there is
FIRST_POLL_SECONDS = 1  # a worker that has just started says soon whether it can receive
# At a drain, what SQS may already have put on the wire is waited for: a poll cut off then hides its messages for long.
POLL_GRACE_SECONDS = 1.0
RESERVE_SECONDS = 2.0  # of the drain, for giving back what could not be finished
ROOM = 2  # messages that may wait for each slot: enough to see past a crowd; more would be kept from idle workers
_LONGEST_POLL_WAIT_SECONDS = 30.0

Handle = Callable[[Lease], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the inbox deals with SQS; durations in seconds."""

    slots: int  # messages worked on at once, at most
    receivers: int  # long polls side by side
    lease_seconds: int
    give_back_seconds: float  # the first delay; it doubles with each receive


def _own_lane(message: Received) -> Hashable:
    return message.receipt


class Inbox:
    """The worker's side of one queue."""

    def __init__(
        self,
        queue: Queue,
        *,
        dead_letters: DeadLetters | None,
        terms: Terms,
        lane: Callable[[Received], Hashable] = _own_lane,
        gate: Gate | None = None,
    ) -> None:
        """*lane* names who shares the slots fairly with the others, by default each message for itself."""
        self.terms = terms
        self.receiving = False  # whether the last poll was answered
        self._queue = queue
        self._dead_letters = dead_letters
        self._lane = lane
        self._gate = gate
        self._shares: Shares[Lease] = Shares(slots=terms.slots, room=terms.slots * ROOM)
        self._changed = asyncio.Event()  # set for a moment when another message may be asked for
        self._asking = asyncio.Lock()  # one receiver at a time looks for a place; the others need not be told meanwhile
        self._alarm_seconds = math.inf  # loop time when it looks again by itself
        self._leases = Leases(queue, seconds=terms.lease_seconds, on_lost=self._forget, gate=gate)
        self._started: set[Lease] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deletions = Deletions(queue)
        self._now = asyncio.get_running_loop().time

    def __repr__(self) -> str:
        return f"<Inbox {self._leases!r} {self._shares!r}>"

    @property
    def in_hand(self) -> int:
        """Messages held at this moment."""
        return len(self._leases)

    async def serve(self, handle: Handle, *, stop: asyncio.Event, drain_seconds: float) -> int:
        """Receive until *stop*, then finish within *drain_seconds*; return how many messages were given back.

        *handle* settles the lease it is given and never raises.
        """
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._leases.keep_hidden(), name="keep hidden")
            receivers = [
                group.create_task(self._receive(handle, group, stop), name=f"receiver {n}")
                for n in range(self.terms.receivers)
            ]
            await stop.wait()
            deadline = self._now() + drain_seconds
            reserve = min(RESERVE_SECONDS, drain_seconds / 4)
            self._shares.clear()
            # Beside the rest: SQS may be slow to answer, and what was started has its own time to finish in.
            showing = [group.create_task(self._show_unstarted(deadline), name="show unstarted")]
            await self._stop_receiving(receivers, within_seconds=min(POLL_GRACE_SECONDS, reserve))
            # What the last polls brought.
            showing.append(group.create_task(self._show_unstarted(deadline), name="show the last"))
            await self._finish_started(deadline, reserve)
            keeper.cancel()
            given_back = await self._show_again(self._leases.all(), deadline)
            await self._cut_off(deadline)
            return given_back + sum([await shown for shown in showing])

    async def _stop_receiving(self, receivers: Iterable[asyncio.Task[None]], *, within_seconds: float) -> None:
        await asyncio.wait(receivers, timeout=within_seconds)
        for receiver in receivers:
            receiver.cancel()
        await asyncio.wait(receivers)

    async def _finish_started(self, deadline: float, reserve: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(deadline - reserve - self._now(), 0))
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=reserve / 2)

    async def _cut_off(self, deadline: float) -> None:
        """End at *deadline* what still tidies up after it was told to end: remembering progress takes a call."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(deadline - self._now(), 0))
        for task in self._tasks:
            task.cancel()

    async def _show_unstarted(self, deadline: float) -> int:
        return await self._show_again([each for each in self._leases.all() if each not in self._started], deadline)

    async def _show_again(self, leases: Sequence[Lease], deadline: float) -> int:
        """Make what could not be finished visible at once: another worker starts on it while this one ends."""

        async def show(tens: Sequence[Lease]) -> None:
            try:
                async with asyncio.timeout_at(deadline):
                    await hide_each(self._queue, tens, seconds=0)
            except (LogfanoutError, TimeoutError) as error:
                why = str(error) or "no answer in time"
                telemetry.QueueFailed(call="show again", error=why, retry_seconds=0.0).emit()

        for lease in leases:  # first: a lease that is still held is extended, which would hide it again
            self._leases.let_go(lease, "given_back")
        await asyncio.gather(*map(show, in_tens([lease for lease in leases if not lease.ran_out])))
        return len(leases)

    async def _receive(self, handle: Handle, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        wait_seconds, failures = FIRST_POLL_SECONDS, 0
        while not stop.is_set():
            most, brought = await self._places(), 0
            try:
                messages = await self._queue.receive(
                    most=most, wait_seconds=wait_seconds, hide_seconds=self.terms.lease_seconds
                )
                brought = len(messages)
                if messages:
                    telemetry.MessagesReceived(count=brought).emit()
                for message in messages:
                    self._arrived(message, handle, group, stop)
                self.receiving, failures, wait_seconds = True, 0, LONG_POLL_SECONDS
            except LogfanoutError as error:
                self.receiving, failures = False, failures + 1
                await self._pause(error, failures, stop)
            finally:
                self._shares.answered(most, brought=brought, now_seconds=self._now())
                self._tell_receiver()

    async def _places(self) -> int:
        """Return how many messages to ask for, once it is one at least; they count as asked for from then on."""
        async with self._asking:
            while True:
                if self._gate is not None:
                    await self._gate.until_open()
                now_seconds = self._now()
                most = self._shares.wanted(now_seconds=now_seconds)
                if most:
                    self._shares.asked(most)
                    return most
                wait_seconds = self._shares.wanted_after_seconds(now_seconds=now_seconds)
                self._alarm_seconds = math.inf if wait_seconds is None else now_seconds + wait_seconds
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_seconds):
                        await self._changed.wait()

    def _tell_receiver(self) -> None:
        """Wake the receiver that looks for a place if it will find one sooner than it looks by itself."""
        now_seconds = self._now()
        wait_seconds = self._shares.wanted_after_seconds(now_seconds=now_seconds)
        if wait_seconds is not None and now_seconds + wait_seconds < self._alarm_seconds - NO_WAIT_SECONDS:
            self._changed.set()  # wakes who waits now; who comes later looks for himself first
            self._changed.clear()

    async def _pause(self, error: LogfanoutError, failures: int, stop: asyncio.Event) -> None:
        longest = min(0.5 * 2 ** min(failures, 16), _LONGEST_POLL_WAIT_SECONDS)
        seconds = random.uniform(longest / 2, longest)  # noqa: S311  spreading load, no secret
        telemetry.QueueFailed(call="receive", error=str(error), retry_seconds=round(seconds, 1)).emit()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()

    def _arrived(self, message: Received, handle: Handle, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        lease = self._leases.take(message, inbox=self)
        if stop.is_set():  # it came while we were told to stop: what is held and not started is shown again
            return
        receives = message.receive_count
        match self._shares.arrive(self._lane(message), lease, receives=receives, now_seconds=self._now()):
            case Start():
                self._start(lease, handle, group)
            case Wait():
                pass
            case Full(crowded_out, delay_seconds):
                back = self._hide(crowded_out, seconds=delay_seconds or self._delay(crowded_out))
                self._keep(group.create_task(back, name=f"crowded out {crowded_out.message.id}"))

    def _start(self, lease: Lease, handle: Handle, group: asyncio.TaskGroup) -> None:
        self._started.add(lease)
        self._keep(group.create_task(self._hold(lease, handle, group), name=lease.message.id))

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Have *task* end with the drain."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hold(self, lease: Lease, handle: Handle, group: asyncio.TaskGroup) -> None:
        try:
            await handle(lease)
            if not lease.settled:  # to settle it failed; kept hidden any longer, nobody would try again
                await lease.give_back()
        finally:
            self._started.discard(lease)
            for next_lease in self._shares.leave(lease, now_seconds=self._now()):
                self._start(next_lease, handle, group)
            self._tell_receiver()

    def _forget(self, lease: Lease) -> None:
        """Let go of a lost lease's place in the room; if it is being worked on, that notices by itself."""
        self._shares.withdraw(lease)

    async def delete(self, lease: Lease) -> None:
        """Delete *lease*'s message; one whose receipt has become invalid is another worker's now."""
        self._leases.let_go(lease, _left("deleted", await self._deletions.delete(lease.message.receipt)))

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        """Send *letter*, then delete; without a dead-letter queue SQS's own redrive has to do."""
        if self._dead_letters is None:
            await self.give_back(lease)
            return False
        await patiently()(self._dead_letters.put, letter)
        self._leases.let_go(lease, _left("dead_lettered", await self._deletions.delete(lease.message.receipt)))
        return True

    async def give_back(self, lease: Lease, *, at_least_seconds: float = 0.0) -> None:
        """Show *lease*'s message again after a delay that grows with its receives."""
        await self._hide(lease, seconds=max(self._delay(lease), at_least_seconds))

    def _delay(self, lease: Lease) -> float:
        return growing_delay(lease.message, first_seconds=self.terms.give_back_seconds)

    async def _hide(self, lease: Lease, *, seconds: float) -> None:
        if lease.ran_out:
            self._leases.let_go(lease, "lost")
            return
        try:
            seconds = min(seconds, LONGEST_GIVE_BACK_SECONDS)
            await self._queue.hide([lease.message.receipt], seconds=round(seconds))
        except LogfanoutError as error:
            telemetry.QueueFailed(call="give back", error=str(error), retry_seconds=0.0).emit()
        self._leases.let_go(lease, "kept")


def _left(outcome: str, refusal: Refusal | None) -> str:
    if refusal is None:
        return outcome
    return "lost" if refusal.lost else "kept"

"""Which messages are in hand, for how long are they ours, and how do they leave?

    SQS ──► Inbox.serve ──► handle(Lease) ──► Lease.delete / set_aside / give_back ──► SQS

A slot comes first, then the message: nothing waits here with its lease running. A message is hidden from the moment it
is received until SQS has answered what became of it, however slow a destination is.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from logfanout import telemetry
from logfanout.errors import LeaseLost, LogfanoutError
from logfanout.pipeline._deletions import BATCH, Deletions
from logfanout.ports import DeadLetter, DeadLetters, Queue, Received, Refusal
from logfanout.retrying import patiently

LONG_POLL_SECONDS = 20  # the longest there is
FIRST_POLL_SECONDS = 1  # a worker that has just started says soon whether it can receive
# "Visibility timeout": twelve hours from the receive, whatever the extensions. A minute is left for the last answer.
LONGEST_LEASE_SECONDS = 12 * 3600 - 60
LONGEST_GIVE_BACK_SECONDS = 900.0
EXTEND_AT = 1 / 3  # of the lease: two extensions may fail before it is lost
# At a drain, what SQS may already have put on the wire is waited for: a poll cut off then hides its messages for long.
POLL_GRACE_SECONDS = 1.0
RESERVE_SECONDS = 2.0  # of the drain, for giving back what could not be finished
_LONGEST_POLL_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the inbox deals with SQS; durations in seconds."""

    slots: int  # messages in hand at once, at most
    receivers: int  # long polls side by side
    lease_seconds: int
    give_back_seconds: float  # the first delay; it doubles with each receive


class Lease:
    """One message in hand: it is ours until it is settled, or until SQS says it is not."""

    def __init__(self, message: Received, *, inbox: "Inbox", now_seconds: float) -> None:
        self.message = message
        self.lost = False
        self.settled = False
        self.received_seconds = now_seconds  # loop time
        self.hidden_until_seconds = now_seconds + inbox.terms.lease_seconds
        self._inbox = inbox

    def __repr__(self) -> str:
        state = "lost" if self.lost else "settled" if self.settled else "held"
        return f"<Lease {self.message.id} {state}>"

    def require(self) -> None:
        """Raise ``LeaseLost`` if another worker may have the message by now."""
        if self.lost:
            raise LeaseLost(f"message {self.message.id}: its receipt is no longer valid, another worker has it")

    async def delete(self) -> None:
        """Settle: everything is accounted for."""
        self.require()
        await self._inbox.delete(self)

    async def set_aside(self, letter: DeadLetter) -> bool:
        """Settle: *letter* goes to the dead-letter queue, then the message is deleted; ``False``: there is no queue."""
        self.require()
        return await self._inbox.set_aside(self, letter)

    async def give_back(self) -> None:
        """Settle: SQS shows the message again, the later the more often it was received."""
        if not self.lost:
            await self._inbox.give_back(self)


class Inbox:
    """The worker's side of one queue."""

    def __init__(self, queue: Queue, *, dead_letters: DeadLetters | None, terms: Terms) -> None:
        self.terms = terms
        self._queue = queue
        self._dead_letters = dead_letters
        self._free = terms.slots
        self._freed = asyncio.Condition()
        self._leases: dict[str, Lease] = {}  # by receipt
        self._tasks: set[asyncio.Task[None]] = set()
        self._deletions = Deletions(queue)
        self.receiving = False  # whether the last poll was answered

    def __repr__(self) -> str:
        return f"<Inbox {len(self._leases)} in hand, {self._free} of {self.terms.slots} slots free>"

    @property
    def in_hand(self) -> int:
        """Messages held at this moment."""
        return len(self._leases)

    async def serve(
        self, handle: Callable[[Lease], Awaitable[None]], *, stop: asyncio.Event, drain_seconds: float
    ) -> int:
        """Receive until *stop*, then finish within *drain_seconds*; return how many messages were given back.

        *handle* settles the lease it is given and never raises.
        """
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep_hidden(), name="keep hidden")
            receivers = [
                group.create_task(self._receive(handle, group, stop), name=f"receiver {n}")
                for n in range(self.terms.receivers)
            ]
            await stop.wait()
            deadline = asyncio.get_running_loop().time() + drain_seconds
            await self._drain(receivers, deadline)
            keeper.cancel()
            return await self._show_again(list(self._leases.values()), deadline)

    async def _drain(self, receivers: Iterable[asyncio.Task[None]], deadline: float) -> None:
        now = asyncio.get_running_loop().time
        reserve = min(RESERVE_SECONDS, (deadline - now()) / 4)
        await asyncio.wait(receivers, timeout=min(POLL_GRACE_SECONDS, reserve))
        for receiver in receivers:
            receiver.cancel()
        await asyncio.wait(receivers)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(deadline - reserve - now(), 0))
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=reserve / 2)

    async def _show_again(self, leases: Sequence[Lease], deadline: float) -> int:
        """Make what could not be finished visible at once: another worker starts on it while this one ends."""

        async def show(tens: Sequence[Lease]) -> None:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._queue.hide([lease.message.receipt for lease in tens], seconds=0)
            except (LogfanoutError, TimeoutError) as error:
                telemetry.QueueFailed(
                    call="show again", error=str(error) or "no answer in time", retry_seconds=0.0
                ).emit()

        await asyncio.gather(*map(show, _tens(leases)))
        for lease in leases:
            self._let_go(lease, "given_back")
        return len(leases)

    async def _receive(
        self, handle: Callable[[Lease], Awaitable[None]], group: asyncio.TaskGroup, stop: asyncio.Event
    ) -> None:
        wait_seconds, failures = FIRST_POLL_SECONDS, 0
        while not stop.is_set():
            most = await self._take_slots()
            taken = 0
            try:
                messages = await self._queue.receive(
                    most=most, wait_seconds=wait_seconds, hide_seconds=self.terms.lease_seconds
                )
                for message in messages:
                    self._start(message, handle, group)
                taken = len(messages)
                self.receiving, failures, wait_seconds = True, 0, LONG_POLL_SECONDS
            except LogfanoutError as error:
                self.receiving, failures = False, failures + 1
                await self._pause(error, failures, stop)
            finally:
                await self._return_slots(most - taken)

    async def _pause(self, error: LogfanoutError, failures: int, stop: asyncio.Event) -> None:
        longest = min(0.5 * 2 ** min(failures, 16), _LONGEST_POLL_WAIT_SECONDS)
        seconds = random.uniform(longest / 2, longest)  # noqa: S311  spreading load, no secret
        telemetry.QueueFailed(call="receive", error=str(error), retry_seconds=round(seconds, 1)).emit()
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return

    def _start(self, message: Received, handle: Callable[[Lease], Awaitable[None]], group: asyncio.TaskGroup) -> None:
        telemetry.MessagesReceived(count=1).emit()
        lease = Lease(message, inbox=self, now_seconds=asyncio.get_running_loop().time())
        self._leases[message.receipt] = lease
        self._report()
        task = group.create_task(self._hold(lease, handle), name=message.id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hold(self, lease: Lease, handle: Callable[[Lease], Awaitable[None]]) -> None:
        try:
            await handle(lease)
            if not lease.settled:  # to settle it failed; kept hidden any longer, nobody would try again
                await lease.give_back()
        finally:
            await self._return_slots(1)

    async def _take_slots(self) -> int:
        async with self._freed:
            await self._freed.wait_for(lambda: self._free > 0)
            taken = min(BATCH, self._free)
            self._free -= taken
            return taken

    async def _return_slots(self, count: int) -> None:
        if count:
            self._free += count
            async with self._freed:
                self._freed.notify_all()

    async def delete(self, lease: Lease) -> None:
        """Delete *lease*'s message; one whose receipt has become invalid is another worker's now."""
        refusal = await self._deletions.delete(lease.message.receipt)
        self._let_go(lease, "deleted" if refusal is None else "lost" if refusal.lost else "kept")

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        """Send *letter*, then delete; without a dead-letter queue SQS's own redrive has to do."""
        if self._dead_letters is None:
            await self.give_back(lease)
            return False
        await patiently()(self._dead_letters.put, letter)
        refusal = await self._deletions.delete(lease.message.receipt)
        self._let_go(lease, "dead_lettered" if refusal is None else "lost" if refusal.lost else "kept")
        return True

    async def give_back(self, lease: Lease) -> None:
        """Show *lease*'s message again after a delay that grows with its receives."""
        longest = min(
            self.terms.give_back_seconds * 2 ** min(lease.message.receive_count - 1, 16),
            LONGEST_GIVE_BACK_SECONDS,
        )
        seconds = round(random.uniform(longest / 2, longest))  # noqa: S311  spreading load, no secret
        try:
            await self._queue.hide([lease.message.receipt], seconds=seconds)
        except LogfanoutError as error:
            telemetry.QueueFailed(call="give back", error=str(error), retry_seconds=0.0).emit()
        self._let_go(lease, "kept")

    def _let_go(self, lease: Lease, outcome: str) -> None:
        if lease.settled:  # an extension that was under way meanwhile found it gone
            return
        lease.settled = True
        self._leases.pop(lease.message.receipt, None)
        self._report()
        telemetry.MessageSettled(
            outcome=outcome, message=lease.message.id, receive_count=lease.message.receive_count
        ).emit()

    def _report(self) -> None:
        now = asyncio.get_running_loop().time()
        oldest = next(iter(self._leases.values()), None)  # dicts keep their order
        telemetry.InHand(
            messages=len(self._leases), oldest_seconds=now - oldest.received_seconds if oldest else 0.0
        ).emit()

    async def _keep_hidden(self) -> None:
        """Extend every lease in good time, for as long as it is held."""
        lease_seconds = self.terms.lease_seconds
        while True:
            await asyncio.sleep(lease_seconds * EXTEND_AT / 2)
            now = asyncio.get_running_loop().time()
            due = [
                lease
                for lease in self._leases.values()
                if not lease.lost and lease.hidden_until_seconds - now < lease_seconds * (1 - EXTEND_AT)
            ]
            for tens in _tens([lease for lease in due if self._may_extend(lease, now)]):
                await self._extend(tens)
            self._report()

    def _may_extend(self, lease: Lease, now: float) -> bool:
        """Whether SQS's cap of twelve hours leaves room; if not, the lease is lost when it runs out."""
        if now + self.terms.lease_seconds - lease.received_seconds <= LONGEST_LEASE_SECONDS:
            return True
        if now >= lease.hidden_until_seconds:
            lease.lost = True
            telemetry.LeaseExtended(outcome="capped").emit()
            self._let_go(lease, "lost")
        return False

    async def _extend(self, leases: Sequence[Lease]) -> None:
        now = asyncio.get_running_loop().time()
        try:
            refusals = await self._queue.hide(
                [lease.message.receipt for lease in leases], seconds=self.terms.lease_seconds
            )
        except LogfanoutError as error:
            telemetry.QueueFailed(call="extend", error=str(error), retry_seconds=0.0).emit()
            telemetry.LeaseExtended(outcome="refused", count=len(leases)).emit()
            return
        refused = {refusal.receipt: refusal for refusal in refusals}
        for lease in leases:
            refusal = refused.get(lease.message.receipt)
            if refusal is None:
                lease.hidden_until_seconds = now + self.terms.lease_seconds
            elif refusal.lost and not lease.settled:
                lease.lost = True
                self._let_go(lease, "lost")
            telemetry.LeaseExtended(outcome=_outcome(refusal)).emit()


def _outcome(refusal: Refusal | None) -> str:
    if refusal is None:
        return "extended"
    return "lost" if refusal.lost else "refused"


def _tens(leases: Sequence[Lease]) -> Iterable[Sequence[Lease]]:
    return (leases[at : at + BATCH] for at in range(0, len(leases), BATCH))

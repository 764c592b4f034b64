"""What becomes of the messages of one Lambda invocation?

    event ──► messages ──► Desk ──► Worker ──► deleted by Lambda, dead-lettered, or reported as failed

The fleet's worker with another way in: Lambda has received the messages, and deletes those the answer does not name.
The remaining time is the drain: some of it is kept for what could not be finished, whose progress is remembered, and
which is shown again in good time rather than when the queue's visibility timeout ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from logfanout import telemetry
from logfanout.courier import Courier
from logfanout.errors import AccessRefused, LogfanoutError
from logfanout.function import events
from logfanout.function.events import EventUnreadable, SqsEvent
from logfanout.memory import Gate
from logfanout.pipeline.inbox import LONGEST_GIVE_BACK_SECONDS, Desk, Lease, growing_delay, in_tens
from logfanout.ports import DeadLetter, DeadLetters, Queue, Received
from logfanout.retrying import patiently
from logfanout.worker import Worker

# Of the time an invocation has, for what could not be finished: to remember its progress may take
# ``ledgers.FLEET_SECONDS``, to show it again a call more. Of a short time a quarter.
RESERVE_SECONDS = 5.0
RESERVE_SHARE = 1 / 4
# Of the reserve, what is left when everything must have been tidied up, and when the answer must be on its way.
SHOW_AT, ANSWER_AT = 0.3, 0.1
LOOK_UP_SECONDS = 5.0  # for what the queue's policies say, of a short time a quarter; delivery goes on without

FAILURES, ID = "batchItemFailures", "itemIdentifier"  # "Implementing partial batch responses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The queue an event is from, as far as we may ask about it and use it."""

    queue: Queue | None = None  # None: what failed is shown again when the queue's visibility timeout ends
    dead_letters: DeadLetters | None = None
    max_receives: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an invocation deals with its messages; durations in seconds."""

    slots: int  # messages worked on at once, at most
    give_back_seconds: float  # the first delay; it doubles with each receive


class Function:
    """Delivers what events bring; lives from one invocation to the next.

    *find* says what is known of the queue of an ARN; its answer is kept.
    """

    def __init__(self, courier: Courier, *, gate: Gate, terms: Terms, find: Callable[[str], Awaitable[Source]]) -> None:
        self._courier = courier
        self._gate = gate
        self._terms = terms
        self._find = find
        self._sources: dict[str, Source] = {}

    def __repr__(self) -> str:
        return f"<Function {self._courier!r}>"

    async def invoke(self, event: object, *, seconds: float, request: str = "") -> dict[str, list[dict[str, str]]]:
        """Return Lambda's answer to *event*, within *seconds*: the messages that are to be shown again.

        Raises:
            EventUnreadable: it is no event of SQS, or something in it cannot be named: Lambda keeps all of it.
        """
        began = _now()
        given = events.read(event)
        for message_id in given.unreadable:
            telemetry.RecordUnreadable(message=message_id).emit()
        source = await self._source_of(given, within_seconds=min(LOOK_UP_SECONDS, seconds * RESERVE_SHARE))
        invocation = Invocation(source, terms=self._terms)
        await invocation.run(given.messages, courier=self._courier, gate=self._gate, deadline_seconds=began + seconds)
        failed = [*given.unreadable, *invocation.failed(given.messages)]
        telemetry.InvocationFinished(
            request=request,
            messages=len(given.messages) + len(given.unreadable) + given.nameless,
            deleted=invocation.deleted,
            dead_lettered=invocation.dead_lettered,
            failed=len(failed),
            unfinished=invocation.unfinished,
            seconds=round(_now() - began, 3),
        ).emit()
        if given.nameless:
            # Answered with anything else, Lambda would delete it. What was delivered is remembered as such.
            raise EventUnreadable(f"{given.nameless} records of the event have no messageId: all of it is kept")
        return {FAILURES: [{ID: message_id} for message_id in failed]}

    async def _source_of(self, event: SqsEvent, *, within_seconds: float) -> Source:
        arn = event.queue_arn
        if arn and arn not in self._sources:
            try:
                async with asyncio.timeout(within_seconds):
                    self._sources[arn] = await patiently()(self._find, arn)
            except (LogfanoutError, TimeoutError) as error:
                why = str(error) or f"no answer within {within_seconds:.1f} s"
                telemetry.QueueFailed(call="look up", error=why, retry_seconds=0.0).emit()
        return self._sources.get(arn, Source())


class Invocation:
    """One batch of messages, as the leases of its messages settle through it."""

    def __init__(self, source: Source, *, terms: Terms) -> None:
        self.deleted = 0  # by Lambda, when it has the answer
        self.dead_lettered = 0
        self.unfinished = 0  # not started in time, or not done
        self._source = source
        self._terms = terms
        self._done: set[str] = set()
        self._may_hide = source.queue is not None

    def __repr__(self) -> str:
        return f"<Invocation {self.deleted} deleted, {self.dead_lettered} dead-lettered, {self.unfinished} unfinished>"

    def failed(self, messages: Sequence[Received]) -> list[str]:
        """Return the ids of those of *messages* that Lambda must not delete, in their order."""
        return [message.id for message in messages if message.id not in self._done]

    async def run(self, messages: Sequence[Received], *, courier: Courier, gate: Gate, deadline_seconds: float) -> None:
        """Settle what can be by loop time *deadline_seconds*, some reserve before it."""
        seconds = max(deadline_seconds - _now(), 0.0)
        reserve = min(RESERVE_SECONDS, seconds * RESERVE_SHARE)
        worker = Worker(courier, max_receives=self._source.max_receives)
        telemetry.MessagesReceived(count=len(messages)).emit()
        async with Desk(worker.handle, slots=self._terms.slots, lane=courier.lane, gate=gate) as desk:
            for message in messages:
                desk.lay(Lease(message, inbox=self, now=_now, seconds=seconds))
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline_seconds - reserve):
                    await desk.until_clear()
            unstarted = desk.take_back()
            cut = await desk.cut(by_seconds=deadline_seconds - reserve * SHOW_AT)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline_seconds - reserve * ANSWER_AT):
                await self._show_unfinished(unstarted, cut)

    async def _show_unfinished(self, unstarted: Sequence[Lease], cut: Sequence[Lease]) -> None:
        """Let another invocation begin at once with what none has begun, and with the rest after a while."""
        self.unfinished = len(unstarted) + len(cut)
        for lease in (*unstarted, *cut):
            self._settle(lease, "unfinished")
        for tens in in_tens(unstarted):
            await self._hide(tens, seconds=0.0)
        for lease in cut:
            await self._hide([lease], seconds=self._delay(lease))

    async def delete(self, lease: Lease) -> None:
        """Let Lambda delete *lease*'s message."""
        self._done.add(lease.message.id)
        self.deleted += 1
        self._settle(lease, "deleted")

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        """Send *letter*, and let Lambda delete; without a dead-letter queue SQS's own redrive has to do."""
        if self._source.dead_letters is None:
            await self.give_back(lease)
            return False
        await patiently()(self._source.dead_letters.put, letter)
        self._done.add(lease.message.id)
        self.dead_lettered += 1
        self._settle(lease, "dead_lettered")
        return True

    async def give_back(self, lease: Lease, *, at_least_seconds: float = 0.0) -> None:
        """Report *lease*'s message as failed, and show it again after a delay that grows with its receives."""
        await self._hide([lease], seconds=max(self._delay(lease), at_least_seconds))
        self._settle(lease, "kept")

    def _delay(self, lease: Lease) -> float:
        return growing_delay(lease.message, first_seconds=self._terms.give_back_seconds)

    async def _hide(self, leases: Sequence[Lease], *, seconds: float) -> None:
        """Lambda leaves the visibility of what failed as it is: without this it waits for the queue's own timeout."""
        if self._source.queue is None or not self._may_hide:
            return
        try:
            seconds = min(seconds, LONGEST_GIVE_BACK_SECONDS)
            await self._source.queue.hide([lease.message.receipt for lease in leases], seconds=round(seconds))
        except LogfanoutError as error:
            self._may_hide = not isinstance(error, AccessRefused)  # the next would be refused as well
            telemetry.QueueFailed(call="give back", error=str(error), retry_seconds=0.0).emit()

    def _settle(self, lease: Lease, outcome: str) -> None:
        lease.settled = True
        telemetry.MessageSettled(
            outcome=outcome, message=lease.message.id, receive_count=lease.message.receive_count
        ).emit()


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Which messages are ours, and until when?

    Received ──► Lease ──► Leases.keep_hidden, extended in tens in good time ──► let go: settled, or lost

Part of the step ``inbox``. A message is hidden from the moment it is received until SQS has answered what became of
it, however slow a destination is.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from logfanout import telemetry
from logfanout.errors import LeaseLost, LogfanoutError
from logfanout.memory import Gate
from logfanout.ports import DeadLetter, Queue, Received, Refusal

BATCH = 10  # "Amazon SQS message quotas": a batch call takes ten
# "Visibility timeout": twelve hours from the receive, whatever the extensions. A minute is left for the last answer.
LONGEST_LEASE_SECONDS = 12 * 3600 - 60
EXTEND_AT = 1 / 3  # of the lease: two extensions may fail before it is lost
LONGEST_GIVE_BACK_SECONDS = 900.0
REPORT_SECONDS = 1.0  # between two reports of many messages: gauges are looked at a few times a minute


class Settling(Protocol):
    """What a lease asks of whoever handed the message in: the inbox, a Lambda invocation, a sweep of a bucket."""

    async def delete(self, lease: "Lease") -> None: ...
    async def set_aside(self, lease: "Lease", letter: DeadLetter) -> bool: ...
    async def give_back(self, lease: "Lease", *, at_least_seconds: float = 0.0) -> None: ...


class Lease:
    """One message in hand: it is ours until it is settled, or until SQS says it is not."""

    def __init__(self, message: Received, *, inbox: Settling, now: Callable[[], float], seconds: float) -> None:
        """*now* tells loop time; the message is hidden for *seconds* from then on."""
        self.message = message
        self.lost = False
        self.settled = False
        self.received_seconds = now()
        self.hidden_until_seconds = self.received_seconds + seconds
        self._now = now
        self._inbox = inbox

    def __repr__(self) -> str:
        state = "lost" if self.lost else "settled" if self.settled else "held"
        return f"<Lease {self.message.id} {state}>"

    def require(self) -> None:
        """Raise ``LeaseLost`` if another worker may have the message by now."""
        if self.lost:
            raise LeaseLost(f"message {self.message.id}: its receipt is no longer valid, another worker has it")

    @property
    def ran_out(self) -> bool:
        """Whether none of its extensions was answered in time, so that another worker may have the message.

        To delete is worth a try even then, since SQS refuses it if another has it. To go on sending is not, since that
        one sends the same by now; nor is hiding the message or showing it, which would be at that one's cost.
        """
        return self._now() >= self.hidden_until_seconds

    def require_hidden(self) -> None:
        """Raise ``LeaseLost`` also if the lease has run out."""
        self.require()
        if self.ran_out:
            raise LeaseLost(f"message {self.message.id}: its lease ran out and could not be extended")

    async def delete(self) -> None:
        """Settle: everything is accounted for."""
        self.require()
        await self._inbox.delete(self)

    async def set_aside(self, letter: DeadLetter) -> bool:
        """Settle: *letter* goes to the dead-letter queue, then the message is deleted; ``False``: there is no queue."""
        self.require()
        return await self._inbox.set_aside(self, letter)

    async def give_back(self, *, at_least_seconds: float = 0.0) -> None:
        """Settle: SQS shows the message again, the later the more often it was received."""
        if not self.lost:
            await self._inbox.give_back(self, at_least_seconds=at_least_seconds)


class Leases:
    """The messages in hand; *on_lost* is told of each that is not ours any more."""

    def __init__(
        self, queue: Queue, *, seconds: int, on_lost: Callable[[Lease], None], gate: Gate | None = None
    ) -> None:
        """*gate* tells how many bytes are in hand with them."""
        self.seconds = seconds
        self._gate = gate
        self._report_due = -math.inf  # loop time
        self._queue = queue
        self._on_lost = on_lost
        self._held: dict[str, Lease] = {}  # by receipt, the oldest first
        self._now = asyncio.get_running_loop().time  # kept: a message asks for it ten times

    def __repr__(self) -> str:
        return f"<Leases, {len(self._held)} held>"

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Lease]:
        """Return those held, the oldest first."""
        return list(self._held.values())

    def take(self, message: Received, *, inbox: Settling) -> Lease:
        """Return the lease of *message*, just received."""
        lease = Lease(message, inbox=inbox, now=self._now, seconds=self.seconds)
        self._held[message.receipt] = lease
        self.report()
        return lease

    def let_go(self, lease: Lease, outcome: str) -> None:
        """Note that *lease* is settled, or lost, with *outcome*."""
        if lease.settled:  # an extension that was under way meanwhile found it gone
            return
        lease.settled = True
        self._held.pop(lease.message.receipt, None)
        self.report()
        telemetry.MessageSettled(
            outcome=outcome, message=lease.message.id, receive_count=lease.message.receive_count
        ).emit()

    def report(self) -> None:
        """Bring the gauges up to date: at once when the first message comes or the last one goes, else now and then."""
        now = self._now()
        if len(self._held) > 1 and now < self._report_due:
            return
        self._report_due = now + REPORT_SECONDS
        oldest = next(iter(self._held.values()), None)
        telemetry.InHand(
            messages=len(self._held),
            oldest_seconds=now - oldest.received_seconds if oldest else 0.0,
            bytes=self._gate.held_bytes if self._gate else 0,
        ).emit()

    async def keep_hidden(self) -> None:
        """Extend every lease in good time, for as long as it is held; ends only when cancelled."""
        while True:
            await asyncio.sleep(self.seconds * EXTEND_AT / 2)
            now = self._now()
            due = [
                lease
                for lease in self._held.values()
                if not lease.lost and lease.hidden_until_seconds - now < self.seconds * (1 - EXTEND_AT)
            ]
            ours = [lease for lease in due if self._may_extend(lease, now)]
            await asyncio.gather(*map(self._extend, in_tens(ours)))
            self.report()

    def _may_extend(self, lease: Lease, now: float) -> bool:
        """Whether it is still ours, and SQS's cap of twelve hours leaves room; if not, it is lost when it runs out."""
        is_capped = now + self.seconds - lease.received_seconds > LONGEST_LEASE_SECONDS
        if lease.ran_out and is_capped:
            telemetry.LeaseExtended(outcome="capped").emit()
            self._lose(lease)
        return not lease.ran_out and not is_capped

    async def _extend(self, leases: Sequence[Lease]) -> None:
        """Extend a batch; a call without an answer is given up in time for the next one."""
        now, longest = self._now(), self.seconds * EXTEND_AT / 2
        try:
            async with asyncio.timeout(longest):
                refusals = await hide_each(self._queue, leases, seconds=self.seconds)
        except (LogfanoutError, TimeoutError) as error:
            why = str(error) or f"no answer within {longest:.1f} s"
            telemetry.QueueFailed(call="extend", error=why, retry_seconds=0.0).emit()
            telemetry.LeaseExtended(outcome="refused", count=len(leases)).emit()
            return
        refused = {refusal.receipt: refusal for refusal in refusals}
        for lease in leases:
            refusal = refused.get(lease.message.receipt)
            if refusal is None:
                lease.hidden_until_seconds = now + self.seconds
            elif refusal.lost and not lease.settled:
                self._lose(lease)
            telemetry.LeaseExtended(outcome=_outcome(refusal)).emit()

    def _lose(self, lease: Lease) -> None:
        lease.lost = True
        self.let_go(lease, "lost")
        self._on_lost(lease)


def growing_delay(message: Received, *, first_seconds: float) -> float:
    """Return for how long to hide *message*, which is given back: twice as long with each receive, jittered."""
    doubled = first_seconds * 2 ** min(message.receive_count - 1, 16)
    longest = min(doubled, LONGEST_GIVE_BACK_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311  spreading load, no secret


async def hide_each(queue: Queue, leases: Sequence[Lease], *, seconds: int) -> Sequence[Refusal]:
    """Hide a batch of messages; what SQS refused of it for a passing reason is tried once more, one by one.

    Return those that are refused all the same.
    """
    refusals = await queue.hide([lease.message.receipt for lease in leases], seconds=seconds)
    if len(leases) == 1:
        return refusals
    final: list[Refusal] = []
    for refusal in refusals:
        final.extend([refusal] if refusal.lost else await queue.hide([refusal.receipt], seconds=seconds))
    return final


def in_tens(leases: Sequence[Lease]) -> Iterable[Sequence[Lease]]:
    """Return *leases* in batches that SQS takes."""
    return (leases[at : at + BATCH] for at in range(0, len(leases), BATCH))


def _outcome(refusal: Refusal | None) -> str:
    if refusal is None:
        return "extended"
    return "lost" if refusal.lost else "refused"

"""What happens to one message, from its body to its verdict?

    body ──► notices ──► each object to the courier ──► verdict ──► delete, set aside, or give back

The only place that settles by our errors: each is named for a fact and carries what it means for the message. The
worst of a message's objects decides its fate; a letter set aside names only the objects still owed.
"""

from contextlib import suppress

import msgspec

from logfanout import telemetry
from logfanout.courier import Courier
from logfanout.errors import DestinationParked, LeaseLost, LogfanoutError, Verdict
from logfanout.pipeline import notices
from logfanout.pipeline.inbox import Lease
from logfanout.ports import DeadLetter, ObjectRef, Received

# "Amazon SQS message quotas": a message and its attributes share one limit, so that a detail is kept short.
_DETAIL_LENGTH = 1024
# S3's notices come within seconds, now and then minutes. One that was sent later than this came by way of the
# dead-letter queue: moved back, it is a new message, and its receives are counted from one again.
REDRIVEN_AFTER_MS = 300_000


class Report(msgspec.Struct):
    """How a message went: what failed of it, and which objects are therefore still owed."""

    failures: list[tuple[ObjectRef | None, LogfanoutError]] = msgspec.field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """What becomes of the message."""
        return max((error.verdict for _, error in self.failures), default=Verdict.DELETE)

    @property
    def retry_after_seconds(self) -> float:
        """Before then another attempt is of no use."""
        return max((e.retry_after_seconds for _, e in self.failures if isinstance(e, DestinationParked)), default=0.0)

    @property
    def worst(self) -> tuple[ObjectRef | None, LogfanoutError]:
        """The failure that decided; there must be one."""
        return max(self.failures, key=lambda failure: failure[1].verdict)


class Worker:
    """Delivers what messages announce."""

    def __init__(self, courier: Courier, *, max_receives: int | None = None) -> None:
        self._courier = courier
        self._max_receives = max_receives  # SQS's redrive policy; None: it has none

    def __repr__(self) -> str:
        return f"<Worker {self._courier!r}>"

    async def handle(self, lease: Lease) -> None:
        """Deliver *lease*'s message and settle it; never raises, so that one message's trouble is its own."""
        try:
            await self._settle(lease, await self.deliver(lease.message, lease=lease))
        except LogfanoutError as error:  # settling itself failed: the inbox gives the message back
            _report_failure(lease.message, None, error, tenant="")
        except Exception:  # noqa: BLE001  the one boundary: a bug must neither delete a message nor stop the others
            telemetry.MessageCrashed(message=lease.message.id, object=_uris(lease.message.body)).emit()
            await self._give_back_after_crash(lease)

    async def deliver(self, message: Received, *, lease: Lease | None = None) -> Report:
        """Deliver every object *message* announces, one after the other, and report what failed."""
        report = Report()
        try:
            refs = notices.parse(message.body)
        except LogfanoutError as error:
            report.failures.append((None, error))
            _report_failure(message, None, error, tenant="")
            return report
        if not refs:
            telemetry.NoticeEmpty(message=message.id).emit()
        for ref in refs:
            try:
                await self._courier.deliver(ref, received_before=_was_in_hand(message, ref), lease=lease)
            except LogfanoutError as error:
                report.failures.append((ref, error))
                _report_failure(message, ref, error, tenant=self._courier.tenant_of(ref))
        return report

    async def _settle(self, lease: Lease, report: Report) -> None:
        if lease.lost:
            return
        match report.verdict:
            case Verdict.DELETE:
                await lease.delete()
            case _ if lease.ran_out:  # whoever has it by now says why, if it must be set aside: one letter will do
                await lease.give_back()
            case Verdict.KEEP if not self._is_last_receive(lease.message):
                await lease.give_back(at_least_seconds=report.retry_after_seconds)
            case _:
                await self._set_aside(lease, report)

    def _is_last_receive(self, message: Received) -> bool:
        """Whether SQS would move the message to the dead-letter queue by itself, and without saying why."""
        return self._max_receives is not None and message.receive_count >= self._max_receives

    async def _set_aside(self, lease: Lease, report: Report) -> None:
        ref, error = report.worst
        if await lease.set_aside(self._letter(lease.message, report)):
            telemetry.DeadLettered(reason=error.reason, message=lease.message.id, object=ref.uri if ref else "").emit()

    async def _give_back_after_crash(self, lease: Lease) -> None:
        try:
            await lease.give_back()
        except LogfanoutError as error:
            _report_failure(lease.message, None, error, tenant="")

    def _letter(self, message: Received, report: Report) -> DeadLetter:
        """Return the dead letter of *message*, reduced to the objects still owed."""
        ref, error = report.worst
        owed = [ref for ref, _ in report.failures if ref is not None]
        whole = not owed or len(owed) == len(notices.parse(message.body))
        attributes = {
            "logfanout.reason": error.reason,
            "logfanout.detail": str(error)[:_DETAIL_LENGTH],
            "logfanout.tenant": self._courier.tenant_of(ref) if ref else "",
            "logfanout.object": ref.uri[:_DETAIL_LENGTH] if ref else "",
            "logfanout.receive_count": str(message.receive_count),
        }
        return DeadLetter(
            body=message.body if whole else notices.render(owed),
            attributes={name: value or "-" for name, value in attributes.items()},
        )


def _was_in_hand(message: Received, ref: ObjectRef) -> bool:
    """Whether somebody may have been at *ref* already."""
    is_late = ref.event_ms > 0 and message.sent_ms - ref.event_ms > REDRIVEN_AFTER_MS
    return message.receive_count > 1 or is_late


def _report_failure(message: Received, ref: ObjectRef | None, error: LogfanoutError, *, tenant: str) -> None:
    verdict = "lost" if isinstance(error, LeaseLost) else error.verdict.name.lower()
    telemetry.MessageFailed(
        verdict=verdict,
        reason=error.reason,
        error=str(error),
        message=message.id,
        object=ref.uri if ref else "",
        tenant=tenant,
        receive_count=message.receive_count,
    ).emit()


def _uris(body: str) -> str:
    """Return what *body* announces, for the report of a crash: what crashed may have been this very parsing."""
    with suppress(Exception):
        return ", ".join(ref.uri for ref in notices.parse(body))
    return ""

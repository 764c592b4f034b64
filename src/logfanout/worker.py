"""What happens to one message, from its body to its verdict?

    body ──► notices ──► for each object: key ──► tenant ──► destinations ──► read once, deliver to each ──► verdict

The only place that settles by our errors: each is named for a fact and carries what it means for the message. The
worst of a message's objects decides its fate; a letter set aside names only the objects still owed.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from logfanout import telemetry
from logfanout.errors import AccountingBroken, LeaseLost, LogfanoutError, Permanent, TenantUnknown, Verdict
from logfanout.pipeline import notices, routes
from logfanout.pipeline.inbox import Lease
from logfanout.pipeline.objects import Inflation, inflate
from logfanout.pipeline.records import RecordReader, Records
from logfanout.pipeline.routes import KeyFields, KeyLayout, StreamNaming
from logfanout.pipeline.stream_batches import StreamBatches
from logfanout.pipeline.writer import Delivery, Writer
from logfanout.ports import Bucket, Clock, DeadLetter, ObjectBody, ObjectRef, Received
from logfanout.retrying import patiently
from logfanout.tenants.directory import Directory
from logfanout.tenants.rows import CloudWatchDestination

# "Amazon SQS message quotas": a message and its attributes share one limit, so that a detail is kept short.
_DETAIL_LENGTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator decided about every message."""

    layout: KeyLayout
    naming: StreamNaming
    drop_unknown_tenants: bool
    max_inflated_bytes: int


@dataclass(slots=True)
class Report:
    """How a message went: what failed of it, and which objects are therefore still owed."""

    failures: list[tuple[ObjectRef | None, LogfanoutError]] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """What becomes of the message."""
        return max((error.verdict for _, error in self.failures), default=Verdict.DELETE)

    @property
    def worst(self) -> tuple[ObjectRef | None, LogfanoutError]:
        """The failure that decided; there must be one."""
        return max(self.failures, key=lambda failure: failure[1].verdict)


class Worker:
    """Delivers what messages announce."""

    def __init__(self, *, bucket: Bucket, directory: Directory, writer: Writer, clock: Clock, rules: Rules) -> None:
        self._bucket = bucket
        self._directory = directory
        self._writer = writer
        self._clock = clock
        self._rules = rules

    def __repr__(self) -> str:
        return f"<Worker {self._directory!r} {self._writer!r}>"

    async def handle(self, lease: Lease) -> None:
        """Deliver *lease*'s message and settle it; never raises, so that one message's trouble is its own."""
        try:
            await self._settle(lease, await self.deliver(lease.message, lease=lease))
        except LogfanoutError as error:  # settling itself failed: the lease runs out, and SQS shows the message again
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
        for ref in refs:
            try:
                await self._deliver_object(ref, lease)
            except LogfanoutError as error:
                report.failures.append((ref, error))
                _report_failure(message, ref, error, tenant=self._tenant_of(ref))
        return report

    async def _settle(self, lease: Lease, report: Report) -> None:
        if lease.lost:
            return
        match report.verdict:
            case Verdict.DELETE:
                await lease.delete()
            case Verdict.SET_ASIDE:
                ref, error = report.worst
                await lease.set_aside(self._letter(lease.message, report))
                telemetry.DeadLettered(
                    reason=error.reason, message=lease.message.id, object=ref.uri if ref else ""
                ).emit()
            case Verdict.KEEP:
                await lease.give_back()

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
            "logfanout.tenant": self._tenant_of(ref) if ref else "",
            "logfanout.object": ref.uri[:_DETAIL_LENGTH] if ref else "",
            "logfanout.receive_count": str(message.receive_count),
        }
        return DeadLetter(
            body=message.body if whole else notices.render(owed),
            attributes={name: value or "-" for name, value in attributes.items()},
        )

    def _tenant_of(self, ref: ObjectRef) -> str:
        try:
            return self._rules.layout.read(ref.key).tenant
        except LogfanoutError:
            return ""

    async def _deliver_object(self, ref: ObjectRef, lease: Lease | None) -> None:
        key = self._rules.layout.read(ref.key)
        began = asyncio.get_running_loop().time()
        journey = _Journey(ref=ref, inflation=Inflation(name=ref.uri, max_bytes=self._rules.max_inflated_bytes))
        outcome = "failed"
        try:
            outcome = await self._routed(key, journey, lease)
        except Permanent:
            outcome = "set_aside"
            raise
        finally:
            telemetry.ObjectFinished(
                outcome=outcome,
                object=ref.uri,
                tenant=key.tenant,
                compressed_bytes=journey.inflation.compressed_bytes,
                inflated_bytes=journey.inflation.inflated_bytes,
                seconds=asyncio.get_running_loop().time() - began,
            ).emit()
        if outcome == "delivered" and ref.event_ms:
            telemetry.ObjectDelivered(lag_seconds=(self._clock.epoch_ms() - ref.event_ms) / 1000).emit()

    async def _routed(self, key: KeyFields, journey: "_Journey", lease: Lease | None) -> str:
        """Deliver to whoever wants the object; return the outcome ``ObjectFinished`` reports."""
        try:
            tenant = await self._directory.find(key.tenant)
        except TenantUnknown:
            if self._rules.drop_unknown_tenants:
                return "unsubscribed"
            raise
        wanting = routes.wanting(tenant, application=key.application)
        if wanting:
            await self._poured(key, journey, wanting, lease)
        if tenant.unusable:
            raise tenant.unusable[0]  # what this row is owed is set aside; the others have theirs
        if wanting:
            return "delivered"
        return "filtered" if tenant.destinations else "disabled"

    async def _poured(
        self,
        key: KeyFields,
        journey: "_Journey",
        wanting: Sequence[CloudWatchDestination],
        lease: Lease | None,
    ) -> None:
        """Read the object once, and deliver it to each destination."""
        async with AsyncExitStack() as answered:
            body = await self._opened(journey.ref, answered)
            deliveries = [
                await answered.enter_async_context(
                    Delivery(
                        destination,
                        writer=self._writer,
                        batches=StreamBatches(key=key, naming=self._rules.naming),
                        clock=self._clock,
                    )
                )
                for destination in wanting
            ]
            unreadable = await _pour(body, journey, deliveries, lease)
            complete = unreadable is None or isinstance(unreadable, Permanent)
            if complete:  # otherwise a later attempt starts anew: what has not been sent yet is not sent twice
                for delivery in deliveries:
                    await delivery.finish()
        _account(journey.ref, deliveries, complete=complete)
        failures = [delivery.failure for delivery in deliveries if delivery.failure]
        failures.extend([unreadable] if unreadable else [])
        if failures:
            raise max(failures, key=lambda error: error.verdict)

    async def _opened(self, ref: ObjectRef, answered: AsyncExitStack) -> ObjectBody:
        async def attempt() -> ObjectBody:
            return await answered.enter_async_context(self._bucket.open(ref))

        return await patiently()(attempt)


@dataclass(slots=True, kw_only=True)
class _Journey:
    """One object on its way."""

    ref: ObjectRef
    inflation: Inflation


async def _pour(
    body: ObjectBody, journey: _Journey, deliveries: Sequence[Delivery], lease: Lease | None
) -> LogfanoutError | None:
    """Hand every record of *body* to *deliveries*; return why the rest of the object cannot be read, if so.

    What was read before a corrupt place is delivered all the same: a later attempt would not read more of it.
    """
    try:
        async for records in _records(body, journey):
            if lease is not None:
                lease.require()
            if all(delivery.failure for delivery in deliveries):
                return None
            for delivery in deliveries:
                await delivery.take(records)
    except LogfanoutError as error:
        return error
    return None


async def _records(body: ObjectBody, journey: _Journey) -> AsyncIterator[Records]:
    reader = RecordReader(name=journey.ref.uri, untimed_ms=body.last_modified_ms)
    async for piece in inflate(body.chunks, journey.inflation):
        for records in reader.feed(piece):
            yield records
    for records in reader.finish():
        yield records


def _account(ref: ObjectRef, deliveries: Sequence[Delivery], *, complete: bool) -> None:
    """Report what became of every event, and refuse to go on if one is unaccounted for.

    Raises:
        AccountingBroken: a delivery without failure does not add up.
    """
    for delivery in deliveries:
        tenant, tally = delivery.destination.tenant, delivery.tally
        _count(tenant, "delivered", tally.delivered)
        _count(tenant, "skipped", tally.skipped)
        _count(tenant, "rejected", sum(tally.refused.values()))
        for reason, count in tally.refused.items():
            telemetry.EventsNotDelivered(tenant=tenant, reason=reason, count=count, object=ref.uri).emit()
        if complete and delivery.failure is None and not tally.balanced:
            telemetry.AccountingBroke(object=ref.uri, tenant=tenant, tally=repr(tally)).emit()
            raise AccountingBroken(f"{ref.uri}: {tally} does not add up")


def _count(tenant: str, outcome: str, count: int) -> None:
    if count:
        telemetry.EventsCounted(tenant=tenant, outcome=outcome, count=count).emit()


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
    try:
        return ", ".join(ref.uri for ref in notices.parse(body))
    except LogfanoutError:
        return ""

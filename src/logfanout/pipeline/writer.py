"""How does a batch get into a tenant's log stream?

    Batch ──► Writer.put ──► PutLogEvents, as often as it takes ──► Placed (delivered, refused and why)

Throttling, outages and dead tokens are waited out with full jitter; a missing stream or group is made by the put that
misses it (nothing is ever described); a batch CloudWatch cannot read is halved until the bad event stands alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from logfanout import telemetry
from logfanout.errors import BatchUnreadable, CredentialsExpired, LogfanoutError, StreamMissing
from logfanout.flights import Flights
from logfanout.memory import Gate
from logfanout.pipeline.stream_batches import Batch, Outcasts
from logfanout.ports import Credentials, Logs, LogStream, Rejections
from logfanout.retrying import patiently
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.limiter import Limiter
from logfanout.tenants.log_groups import CloudWatchDestination

# Of the 256 connections that all tenants share: no account can take more than a quarter, however slow it is.
PUTS_PER_ACCOUNT = 64
UNLIMITED_BYTES = 2**63

_NONE_REJECTED = Rejections()
_PATIENTLY = patiently(StreamMissing)
_REFUSED_ALONE = "refused_alone"  # what CloudWatch could not read although nothing else was in the request


@dataclass(slots=True)
class Placed:
    """What became of a batch's events: together they are all of them, once the put has returned."""

    delivered: int = 0
    taken: list[Sequence[int]] = field(default_factory=list, repr=False)  # the positions of the delivered, put by put
    outcasts: list[Outcasts] = field(default_factory=list)

    @property
    def refused(self) -> dict[str, int]:
        """How many CloudWatch will never take, by reason."""
        counts: dict[str, int] = {}
        for outcasts in self.outcasts:
            counts[outcasts.reason] = counts.get(outcasts.reason, 0) + len(outcasts.positions)
        return counts

    def sort_out(self, batch: Batch, rejections: Rejections) -> None:
        """Take note of what CloudWatch answered to *batch*.

        The events before the ends and from the start on were not stored; an index out of range is held to the range,
        since to believe it would lose count of events.
        """
        count = len(batch.positions)
        if rejections == _NONE_REJECTED:
            self.delivered += count
            self.taken.append(batch.positions)
            return
        too_old = min(max(rejections.too_old_end, 0), count)
        expired = min(max(rejections.expired_end, too_old), count)
        start = count if rejections.too_new_start is None else rejections.too_new_start
        too_new = min(max(start, expired), count)
        self._cast_out("too_old", batch, 0, too_old)
        self._cast_out("expired", batch, too_old, expired)
        self._cast_out("too_new", batch, too_new, count)
        self.delivered += too_new - expired
        self.taken.append(batch.positions[expired:too_new])

    def refuse_alone(self, batch: Batch) -> None:
        """Take note that CloudWatch could not read *batch*, which is a single event."""
        self._cast_out(_REFUSED_ALONE, batch, 0, 1)

    def _cast_out(self, reason: str, batch: Batch, start: int, end: int) -> None:
        if end > start:
            self.outcasts.append(
                Outcasts(reason=reason, events=batch.events[start:end], positions=batch.positions[start:end])
            )


class Writer:
    """Puts batches into any tenant's streams, over one connection pool."""

    def __init__(
        self,
        logs: Logs,
        *,
        credentials: CredentialCache,
        limiter: Limiter | None = None,
        gate: Gate | None = None,
    ) -> None:
        """*limiter* says how many puts an account takes at once; *gate* is told of the bytes on their way."""
        self._logs = logs
        self._credentials = credentials
        self._limiter = limiter or Limiter(most=PUTS_PER_ACCOUNT)
        self._gate = gate or Gate(UNLIMITED_BYTES)
        self._now = asyncio.get_running_loop().time
        self._makings: Flights[tuple[str, LogStream], None] = Flights("make stream")

    def __repr__(self) -> str:
        return f"<Writer with {self._credentials!r}>"

    async def put(self, batch: Batch, *, destination: CloudWatchDestination, placed: Placed | None = None) -> Placed:
        """Return once CloudWatch has taken *batch*, or has said which of its events it never will.

        When this raises, *placed* holds what became of the parts that were answered.

        Raises:
            AccessRefused: the tenant's role or group says no.
            Unavailable: AWS went on failing for as long as we try here.
            StreamMissing: what was made was missing again each time.
            BatchUnreadable: CloudWatch refused every single one of many events, so none of them is the cause.
        """
        placed = placed or Placed()
        to = LogStream(destination.region, destination.group, batch.stream)
        with self._gate.holding(batch.size_bytes):
            await self._put(batch, to, destination, placed)
        if placed.outcasts and placed.refused.get(_REFUSED_ALONE) == len(batch.positions) > 1:
            placed.outcasts.clear()
            raise BatchUnreadable(f"{destination}: CloudWatch refuses all of {len(batch.positions)} events, one by one")
        return placed

    async def close(self) -> None:
        """Stop what is under way."""
        await self._makings.close()

    async def _put(self, batch: Batch, to: LogStream, destination: CloudWatchDestination, placed: Placed) -> None:
        try:
            rejections: Rejections = await _PATIENTLY(self._attempt, batch, to, destination)
        except BatchUnreadable:
            count = len(batch.positions)
            if count == 1:
                placed.refuse_alone(batch)
                return
            await self._put(batch.part(0, count // 2), to, destination, placed)
            await self._put(batch.part(count // 2, count), to, destination, placed)
        else:
            placed.sort_out(batch, rejections)

    async def _attempt(self, batch: Batch, to: LogStream, destination: CloudWatchDestination) -> Rejections:
        credentials = await self._credentials.of(destination)
        async with self._limiter.turn(destination.quota):
            return await self._put_once(batch, to, destination, credentials)

    async def _put_once(
        self, batch: Batch, to: LogStream, destination: CloudWatchDestination, credentials: Credentials
    ) -> Rejections:
        began = self._now()
        outcome = "cancelled"  # unless it is answered
        try:
            rejections = await self._logs.put(to, batch.log_events, credentials=credentials)
            outcome = "accepted"
            return rejections
        except LogfanoutError as error:
            outcome = type(error).__name__
            if isinstance(error, CredentialsExpired):
                self._credentials.forget(destination, credentials)
            if isinstance(error, StreamMissing):
                await self._make(to, destination, credentials)
            raise
        finally:
            telemetry.BatchPut(
                outcome=outcome,
                tenant=destination.tenant,
                events=len(batch.positions),
                size_bytes=batch.size_bytes,
                seconds=self._now() - began,
            ).emit()

    async def _make(self, to: LogStream, destination: CloudWatchDestination, credentials: Credentials) -> None:
        """Make the stream, and the group if there is none; many puts that miss the same one make it once."""

        async def make() -> None:
            with_group = False
            try:
                await self._logs.create_stream(to, credentials=credentials)
            except StreamMissing:
                # Only now: a tenant who made the group itself may well forbid CreateLogGroup.
                with_group = True
                await self._logs.create_group(to, retention_days=destination.retention_days, credentials=credentials)
                await self._logs.create_stream(to, credentials=credentials)
            telemetry.StreamMade(
                tenant=destination.tenant,
                region=to.region,
                group=to.group,
                stream=to.stream,
                with_group=with_group,
            ).emit()

        await self._makings.join((destination.role_arn, to), make)

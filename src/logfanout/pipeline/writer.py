"""How does a batch get into a tenant's log stream?

    Batch ──► Writer.put ──► PutLogEvents, as often as it takes ──► Placed (delivered, refused and why)

Throttling, outages and dead tokens are waited out with full jitter; a missing stream or group is made by the put that
misses it (nothing is ever described); a batch CloudWatch cannot read is halved until the bad event stands alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from logfanout import telemetry
from logfanout.errors import BatchUnreadable, CredentialsExpired, LogfanoutError, StreamMissing
from logfanout.flights import Flights
from logfanout.pipeline.records import Records
from logfanout.pipeline.stream_batches import Batch, StreamBatches, Window
from logfanout.ports import Clock, Credentials, Event, Logs, LogStream, Rejections
from logfanout.retrying import patiently
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.rows import CloudWatchDestination

# Batches of one object under way at once: enough to hide CloudWatch's answer behind the next chunk's decoding.
PUTS_PER_OBJECT = 4


@dataclass(slots=True)
class Placed:
    """What became of a batch's events; the two add up to them all."""

    delivered: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by reason

    def add(self, other: "Placed") -> "Placed":
        """Return both together."""
        self.delivered += other.delivered
        for reason, count in other.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count
        return self


class Writer:
    """Puts batches into any tenant's streams, over one connection pool."""

    def __init__(self, logs: Logs, *, credentials: CredentialCache) -> None:
        self._logs = logs
        self._credentials = credentials
        self._makings: Flights[tuple[str, LogStream], None] = Flights("make stream")

    def __repr__(self) -> str:
        return f"<Writer with {self._credentials!r}>"

    async def put(self, batch: Batch, *, destination: CloudWatchDestination) -> Placed:
        """Return once CloudWatch has taken *batch*, or has said which of its events it never will.

        Raises:
            AccessRefused: the tenant's role or group says no.
            Unavailable: AWS went on failing for as long as we try here.
            StreamMissing: what was made was missing again each time.
        """
        to = LogStream(destination.region, destination.group, batch.stream)
        telemetry.BytesInHand(change=batch.size_bytes).emit()
        try:
            return await self._put(batch.events, to, destination, size_bytes=batch.size_bytes)
        finally:
            telemetry.BytesInHand(change=-batch.size_bytes).emit()

    async def close(self) -> None:
        """Stop what is under way."""
        await self._makings.close()

    async def _put(
        self, events: Sequence[Event], to: LogStream, destination: CloudWatchDestination, *, size_bytes: int
    ) -> Placed:
        try:
            rejections: Rejections = await patiently(StreamMissing)(
                self._attempt, events, to, destination, size_bytes=size_bytes
            )
        except BatchUnreadable:
            if len(events) == 1:
                return Placed(refused={"refused_alone": 1})
            half = len(events) // 2
            first = await self._put(events[:half], to, destination, size_bytes=size_bytes // 2)
            return first.add(await self._put(events[half:], to, destination, size_bytes=size_bytes // 2))
        return placed(len(events), rejections)

    async def _attempt(
        self, events: Sequence[Event], to: LogStream, destination: CloudWatchDestination, *, size_bytes: int
    ) -> Rejections:
        credentials = await self._credentials.of(destination)
        began = asyncio.get_running_loop().time()
        outcome = "accepted"
        try:
            return await self._logs.put(to, events, credentials=credentials)
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
                events=len(events),
                size_bytes=size_bytes,
                seconds=asyncio.get_running_loop().time() - began,
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


def placed(count: int, rejections: Rejections) -> Placed:
    """Return what *rejections* mean for a batch of *count* events.

    The events before the ends and from the start on were not stored; an index out of range is held to the range, since
    to believe it would lose count of events.
    """
    too_old = min(max(rejections.too_old_end, 0), count)
    expired = min(max(rejections.expired_end, too_old), count) - too_old
    start = count if rejections.too_new_start is None else rejections.too_new_start
    too_new = count - min(max(start, too_old + expired), count)
    refused = {"too_old": too_old, "expired": expired, "too_new": too_new}
    return Placed(
        delivered=count - too_old - expired - too_new,
        refused={reason: number for reason, number in refused.items() if number},
    )


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of an object's events on their way to one destination; see CONTRACT §6 for the equation."""

    read: int = 0  # records, and the extra parts of those that were split
    delivered: int = 0
    skipped: int = 0  # an empty message
    refused: dict[str, int] = field(default_factory=dict)  # can never be delivered, by reason
    untimed: int = 0  # of the delivered: given the object's LastModified

    @property
    def balanced(self) -> bool:
        """Whether every event that was read is accounted for."""
        return self.read == self.delivered + self.skipped + sum(self.refused.values())

    def refuse(self, reason: str, count: int) -> None:
        """Account for *count* events that can never be delivered."""
        self.refused[reason] = self.refused.get(reason, 0) + count


class Delivery:
    """One object's way to one destination: batches are put while the object is still being read.

    The end of the ``async with`` block is the acknowledgement: whatever was launched has been answered by then.
    ``failure`` is the first error of a put; nothing is launched behind it.
    """

    def __init__(
        self, destination: CloudWatchDestination, *, writer: Writer, batches: StreamBatches, clock: Clock
    ) -> None:
        self.destination = destination
        self.tally = Tally()
        self.failure: LogfanoutError | None = None
        self._writer = writer
        self._batches = batches
        self._clock = clock
        self._puts = asyncio.TaskGroup()
        self._free = asyncio.Semaphore(PUTS_PER_OBJECT)

    def __repr__(self) -> str:
        return f"<Delivery to {self.destination}: {self.tally}>"

    async def __aenter__(self) -> "Delivery":
        await self._puts.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._puts.__aexit__(*raised)
        self.tally.read += self._batches.split
        for reason, count in self._batches.outside.items():
            self.tally.refuse(reason, count)

    async def take(self, records: Records) -> None:
        """Put what *records* complete; waits while as many batches are under way as one object may have."""
        self.tally.read += records.read
        self.tally.skipped += records.skipped
        self.tally.untimed += records.untimed
        if records.unreadable:
            self.tally.refuse("unreadable", len(records.unreadable))
        window = Window.at(self._clock.epoch_ms(), retention_days=self.destination.retention_days)
        for batch in self._batches.add(records, window=window):
            await self._launch(batch)

    async def finish(self) -> None:
        """Put what is left; nothing follows."""
        for batch in self._batches.finish():
            await self._launch(batch)

    async def _launch(self, batch: Batch) -> None:
        await self._free.acquire()
        if self.failure is not None:
            self._free.release()
            return
        self._puts.create_task(self._put(batch), name=f"put {batch.stream}")

    async def _put(self, batch: Batch) -> None:
        try:
            outcome = await self._writer.put(batch, destination=self.destination)
        except LogfanoutError as error:
            self.failure = self.failure or error
        else:
            self.tally.delivered += outcome.delivered
            for reason, count in outcome.refused.items():
                self.tally.refuse(reason, count)
        finally:
            self._free.release()

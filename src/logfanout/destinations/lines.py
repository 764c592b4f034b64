"""What exactly would be sent?

    rows of any type ──► LinesDestination ──► the same batches, names and times ──► JSON lines, instead of AWS

For ``manual --to``: a kind that stands in for others. It reads their rows, cuts the same batches for a log group, and
writes what would go out; nothing is put, and no role of the tenant's is assumed.
"""

from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self

import msgspec

from logfanout.destinations.batch_delivery import BatchDelivery
from logfanout.destinations.kind import Delivery, Shipment
from logfanout.destinations.s3_copies import WHOLE, S3Destination, metadata
from logfanout.errors import AccessRefused, LogfanoutError
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import StreamNaming
from logfanout.pipeline.stream_batches import Batch
from logfanout.pipeline.writer import Placed
from logfanout.ports import Clock
from logfanout.tenants.log_groups import CloudWatchDestination
from logfanout.tenants.rows import Destination, Fields, ReadsRows, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesDestination:
    """Another destination, shown."""

    kind: ClassVar[str] = "lines"

    of: Destination

    @property
    def tenant(self) -> str:
        """Whose the other one is."""
        return self.of.tenant

    @property
    def wanted(self) -> Wanted:
        """What goes to the other one."""
        return self.of.wanted

    @property
    def id(self) -> str:
        """A name of its own: what was shown was not delivered."""
        return f"lines:{self.of.id}"

    def __str__(self) -> str:
        return f"lines of {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The kind ``lines``: reads rows as *kind* does, and writes to *out* what that would send."""

    kind: ReadsRows
    out: BinaryIO
    naming: StreamNaming
    clock: Clock

    def read(self, row: Fields) -> LinesDestination:
        """Return the destination *row* describes, to be shown.

        Raises:
            DestinationUnusable: it cannot be followed, or is of a kind that this one does not know yet.
        """
        of = self.kind.read(row)
        if not isinstance(of, CloudWatchDestination | S3Destination):
            raise row.unusable("what goes there has no form as lines yet")
        return LinesDestination(of=of)

    def delivery(self, to: LinesDestination, shipment: Shipment) -> Delivery:
        """Return the way of *shipment* to where it can be looked at."""
        match to.of:
            case CloudWatchDestination(retention_days=days):
                writer = _BatchLines(self.out, to.of)
                return BatchDelivery(
                    to, shipment, writer=writer, naming=self.naming, clock=self.clock, retention_days=days
                )
            case S3Destination():
                return _CopyLine(to, shipment, self)
            case other:
                raise NotImplementedError(f"{type(other).__name__} has no form as lines yet")


@dataclass(frozen=True, slots=True)
class _BatchLines:
    """Writes a line for every event of a batch, as PutLogEvents would have it."""

    out: BinaryIO
    group: CloudWatchDestination

    async def put(self, batch: Batch, *, placed: Placed) -> None:
        head = {
            "tenant": self.group.tenant,
            "to": "cloudwatch",
            "account": self.group.account,
            "region": self.group.region,
            "log_group": self.group.group,
            "log_stream": batch.stream,
        }
        lines = [
            msgspec.json.encode({**head, "timestamp": event.timestamp, "message": event.message})
            for event in batch.events
        ]
        _write(self.out, lines)
        placed.delivered += len(batch.positions)
        placed.taken.append(batch.positions)


class _CopyLine:
    """Writes the line that stands for a copy."""

    reads_records: ClassVar[bool] = False

    def __init__(self, destination: LinesDestination, shipment: Shipment, by: Lines) -> None:
        self.destination = destination
        self.failure: LogfanoutError | None = None
        self.refusal: AccessRefused | None = None
        self.accepted = False
        self.taken = shipment.taken
        self._shipment = shipment
        self._by = by

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: Any) -> None:
        return None

    async def take(self, records: Records) -> None:
        """Not called: the object is not read for a copy."""
        raise NotImplementedError

    async def finish(self) -> None:
        """Write the line."""
        to = self.destination.of
        assert isinstance(to, S3Destination)  # noqa: S101  ``Lines.delivery`` makes no other
        line = {
            "tenant": to.tenant,
            "to": "s3",
            "region": to.region,
            "source": self._shipment.ref.uri,
            "copy": f"s3://{to.bucket}/{to.key_of(self._shipment.key)}",
            "metadata": metadata(self._shipment.key, at_ms=self._by.clock.epoch_ms()),
        }
        _write(self._by.out, [msgspec.json.encode(line)])
        self.accepted, self.taken = True, WHOLE

    def account(self, *, complete: bool) -> None:
        """There are no events to count."""


def _write(out: BinaryIO, lines: list[bytes]) -> None:
    """Write and wait for it: for somebody who looks on, the order of lines counts for more than speed."""
    out.write(b"".join(line + b"\n" for line in lines))
    out.flush()

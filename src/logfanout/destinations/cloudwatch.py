"""How does an object get into a tenant's CloudWatch Logs?

row of type cloudwatch ──► CloudWatchDestination ──► BatchDelivery over the Writer
"""

from dataclasses import dataclass

from logfanout.destinations.batch_delivery import BatchDelivery
from logfanout.destinations.kind import Shipment
from logfanout.pipeline.routes import StreamNaming
from logfanout.pipeline.stream_batches import Batch
from logfanout.pipeline.writer import Placed, Writer
from logfanout.ports import Clock, Quarantine
from logfanout.quarantine import Keeper
from logfanout.tenants import log_groups
from logfanout.tenants.log_groups import CloudWatchDestination
from logfanout.tenants.rows import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatch:
    """The kind ``cloudwatch``."""

    writer: Writer
    naming: StreamNaming
    clock: Clock
    quarantine: Quarantine | None = None  # None: what CloudWatch never takes is only counted

    def read(self, row: Fields) -> CloudWatchDestination:
        """Return the log group *row* describes."""
        return log_groups.read(row)

    def delivery(self, to: CloudWatchDestination, shipment: Shipment) -> BatchDelivery:
        """Return the way of *shipment* into *to*'s streams."""
        return BatchDelivery(
            to,
            shipment,
            writer=_GroupWriter(self.writer, to),
            naming=self.naming,
            clock=self.clock,
            retention_days=to.retention_days,
            keeper=Keeper(self.quarantine, ref=shipment.ref, tenant=to.tenant) if self.quarantine else None,
        )


@dataclass(frozen=True, slots=True)
class _GroupWriter:
    """Puts batches into one group's streams."""

    writer: Writer
    group: CloudWatchDestination

    async def put(self, batch: Batch, *, placed: Placed) -> Placed:
        return await self.writer.put(batch, destination=self.group, placed=placed)

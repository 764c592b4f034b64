"""How does one object get to a destination that takes batches?

    Records ──► BatchDelivery ──► batches, several under way ──► Tally, and the positions that are done with

The end of the ``async with`` block is the acknowledgement: whatever was launched has been answered by then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Protocol, Self

import msgspec

from logfanout import telemetry
from logfanout.destinations.kind import Shipment
from logfanout.errors import AccessRefused, AccountingBroken, LeaseLost, LogfanoutError
from logfanout.ledger.ranges import Ranges
from logfanout.pipeline.records import Records, Unreadable
from logfanout.pipeline.routes import StreamNaming
from logfanout.pipeline.stream_batches import Batch, Outcasts, StreamBatches, Window
from logfanout.pipeline.writer import Placed
from logfanout.places import Places
from logfanout.ports import Clock
from logfanout.quarantine import Keeper
from logfanout.tenants.rows import Destination

# Batches of one object under way at once: enough to hide CloudWatch's answer behind the next chunk's decoding. It is
# also the bound on duplicates: what is repeated after a kill is what had been sent and not yet been answered.
PUTS_PER_OBJECT = 4


class Tally(msgspec.Struct, kw_only=True):
    """What became of an object's events on their way to one destination; see CONTRACT §6 for the equation."""

    read: int = 0  # records, and the extra parts of those that were split
    delivered: int = 0
    delivered_before: int = 0  # by an earlier attempt, or quarantined by it
    skipped: int = 0  # an empty message
    quarantined: int = 0
    refused: dict[str, int] = {}  # can never be delivered, by reason; the quarantined too
    untimed: int = 0  # of the delivered: given the object's LastModified

    @property
    def rejected(self) -> int:
        """How many were neither delivered nor kept anywhere: no quarantine is set."""
        return sum(self.refused.values()) - self.quarantined

    @property
    def balanced(self) -> bool:
        """Whether every event that was read is accounted for."""
        accounted = self.delivered + self.delivered_before + self.skipped + self.quarantined + self.rejected
        return self.read == accounted and self.rejected >= 0

    def refuse(self, reason: str, count: int, *, kept: bool) -> None:
        """Account for *count* events that can never be delivered; *kept*: they are in quarantine."""
        self.refused[reason] = self.refused.get(reason, 0) + count
        if kept:
            self.quarantined += count


class TakesBatches(Protocol):
    """What a destination writes batches with: ``Writer`` for CloudWatch."""

    async def put(self, batch: Batch, *, placed: Placed) -> object:
        """Return once it is said in *placed* what became of every event of *batch*.

        When this raises, *placed* holds what became of the parts that were answered.

        Raises:
            LogfanoutError: some of the batch is still owed.
        """
        ...


class BatchDelivery:
    """One object's way to a destination that takes batches: they are put while the object is still being read.

    ``taken`` holds the positions that need not be sent again: the destination has their events, or said that it never
    will take them and they are kept elsewhere.
    """

    reads_records: ClassVar[bool] = True

    def __init__(
        self,
        destination: Destination,
        shipment: Shipment,
        *,
        writer: TakesBatches,
        naming: StreamNaming,
        clock: Clock,
        retention_days: int | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        """*retention_days* is the destination's own; without a *keeper* what it never takes is only counted."""
        self.destination = destination
        self.tally = Tally()
        self.failure: LogfanoutError | None = None
        self.refusal: AccessRefused | None = None
        self._bug: Exception | None = None
        self._writer = writer
        self._ref = shipment.ref
        self._require_ours = shipment.require_ours
        self._batches = StreamBatches(key=shipment.key, naming=naming, taken=shipment.taken)
        self.taken = self._batches.taken
        self._clock = clock
        self._retention_days = retention_days
        self._keeper = keeper
        self._kept: list[int] = []  # positions the keeper has been given
        self._puts: asyncio.TaskGroup | None = None  # of what is put while the object is read: of most, nothing
        self._places = Places(PUTS_PER_OBJECT)

    def __repr__(self) -> str:
        return f"<BatchDelivery to {self.destination}: {self.tally}>"

    @property
    def accepted(self) -> bool:
        """Whether anything was delivered in this attempt."""
        return self.tally.delivered > 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: Any) -> None:
        if self._puts is not None:
            await self._puts.__aexit__(*raised)
        self.tally.read += self._batches.split
        self.tally.delivered_before += self._batches.taken_before
        await self._flush()

    async def _flush(self) -> None:
        if self._keeper is None:
            return
        if await self._guarded(self._keeper.flush()) is None:
            self._take(self._kept)

    async def take(self, records: Records) -> None:
        """Put what *records* complete; waits while as many batches are under way as one object may have."""
        self.tally.read += records.read
        self.tally.skipped += records.skipped
        self.tally.untimed += records.untimed
        await self._cast_out_unreadable(records.unreadable)
        window = Window.at(self._clock.epoch_ms(), retention_days=self._retention_days)
        for batch in self._batches.add(records, window=window):
            if self._puts is None:
                self._puts = await asyncio.TaskGroup().__aenter__()
            await self._launch(batch, self._puts)
        for outcasts in self._batches.outcasts():
            await self._cast_out(outcasts)

    async def finish(self) -> None:
        """Put what is left; nothing follows.

        The one batch of most objects is put here and not in a task of its own: other objects' work would come between
        its encoding and its sending, and push it out of the processor's cache. Those of several days go side by side.
        All are cut first, which sets the records free.
        """
        batches = list(self._batches.finish())
        if len(batches) > 1:
            async with asyncio.TaskGroup() as puts:  # of the task that finishes, which need not be the one that reads
                for batch in batches:
                    await self._launch(batch, puts)
        elif batches and await self._may_put():
            await self._put(batches[0])

    async def _launch(self, batch: Batch, puts: asyncio.TaskGroup) -> None:
        if await self._may_put():
            puts.create_task(self._put(batch), name=f"put {batch.stream}")

    async def _may_put(self) -> bool:
        """Return whether another batch is to be put, once it may be; its place is taken then."""
        await self._places.enter()
        if self._require_ours is not None and self.failure is None:
            try:
                self._require_ours()
            except LeaseLost as error:
                self.failure = error
        if self.failure is None and self._bug is None:
            return True
        self._places.leave()
        return False

    async def _put(self, batch: Batch) -> None:
        placed = Placed()
        try:
            refused = await self._guarded(self._writer.put(batch, placed=placed))
            if isinstance(refused, AccessRefused):  # what the keeper is refused is no word of the destination's
                self.refusal = self.refusal or refused
            self.tally.delivered += placed.delivered
            for positions in placed.taken:
                self._take(positions)
            for outcasts in placed.outcasts:
                await self._cast_out(outcasts)
        except Exception as bug:  # noqa: BLE001  raised by ``account``: what else is under way has its end first
            self._bug = self._bug or bug
        finally:
            self._places.leave()

    async def _guarded(self, step: Awaitable[object]) -> LogfanoutError | None:
        """Await *step*; its failure, which is returned, is the delivery's, and not an end to the other puts."""
        try:
            await step
        except LogfanoutError as error:
            self.failure = self.failure or error
            return error
        return None

    async def _cast_out_unreadable(self, records: Sequence[Unreadable]) -> None:
        if not records:
            return
        new = [record for record in records if record.position not in self._batches.taken]
        self.tally.delivered_before += len(records) - len(new)
        self.tally.refuse("unreadable", len(new), kept=self._keeper is not None)
        await self._keep([record.position for record in new], lambda keeper: keeper.keep_unreadable(new))

    async def _cast_out(self, outcasts: Outcasts) -> None:
        self.tally.refuse(outcasts.reason, len(outcasts.positions), kept=self._keeper is not None)
        await self._keep(outcasts.positions, lambda keeper: keeper.keep_outcasts(outcasts))

    async def _keep(self, positions: Sequence[int], step: Callable[[Keeper], Awaitable[None]]) -> None:
        """Hand records to the keeper; they are done with once it has flushed them, or at once if there is none."""
        if self._keeper is None:
            self._take(positions)
            return
        self._kept.extend(positions)
        async with self._keeper.turn:
            await self._guarded(step(self._keeper))

    def _take(self, positions: Sequence[int]) -> None:
        """Take note that *positions* need not be sent again; those of a split record once all its parts are there."""
        if self._batches.parts:
            positions = self._whole(positions)
        if not positions:
            return
        ends = (positions[0], positions[-1]) if isinstance(positions, range) else positions
        first, last = min(ends), max(ends)
        in_one = last - first + 1 == len(positions)  # each is there once, whatever their order
        ranges = Ranges(((first, last + 1),)) if in_one else Ranges.of(positions)
        self.taken = self.taken | ranges if self.taken else ranges

    def _whole(self, positions: Sequence[int]) -> list[int]:
        parts = self._batches.parts
        whole = []
        for position in positions:
            if position in parts:
                parts[position] -= 1
                if parts[position]:
                    continue
            whole.append(position)
        return whole

    def account(self, *, complete: bool) -> None:
        """Report what became of every event, and refuse to go on if one is unaccounted for.

        Raises:
            AccountingBroken: a complete delivery without failure does not add up.
            Exception: a put ended in a bug.
        """
        tenant, tally, uri = self.destination.tenant, self.tally, self._ref.uri
        for outcome in ("delivered", "skipped", "quarantined", "rejected"):
            if count := getattr(tally, outcome):
                telemetry.EventsCounted(tenant=tenant, outcome=outcome, count=count).emit()
        if tally.untimed:
            telemetry.EventsUntimed(tenant=tenant, count=tally.untimed, object=uri).emit()
        for reason, count in tally.refused.items():
            telemetry.EventsNotDelivered(tenant=tenant, reason=reason, count=count, object=uri).emit()
        if self._bug is not None:
            raise self._bug
        if complete and self.failure is None and not tally.balanced:
            telemetry.AccountingBroke(object=uri, tenant=tenant, tally=repr(tally)).emit()
            raise AccountingBroken(f"{uri}: {tally} does not add up")

"""How does one object get to everybody who wants it?

    key ──► tenant ──► destinations ──► what each has already ──► read once, deliver to each ──► account, remember

What an attempt leaves behind, whatever ended it, is what each destination has taken: the next attempt starts there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from logfanout import heartbeats, telemetry
from logfanout.destinations.kind import Delivery, Kind, Shipment
from logfanout.errors import DestinationParked, LogfanoutError, Permanent, TenantUnknown
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import FINISHED
from logfanout.ledger.memory import NOTHING as UNKNOWN
from logfanout.ledger.object_ids import object_id
from logfanout.ledger.ranges import ALL, NOTHING
from logfanout.memory import Gate
from logfanout.pipeline import notices, routes
from logfanout.pipeline.inbox import Lease
from logfanout.pipeline.objects import Inflation
from logfanout.pipeline.records import CHUNK_BYTES
from logfanout.pipeline.routes import KeyFields, KeyLayout
from logfanout.ports import Bucket, Clock, Memory, ObjectRef, Quarantine, Received
from logfanout.reading import read_into
from logfanout.tenants.breaker import Breakers, Parked
from logfanout.tenants.directory import Directory
from logfanout.tenants.rows import Destination

USUAL_RATIO = 16  # of logs with their metadata, gzipped
MOST_READING_BYTES = 4 * CHUNK_BYTES  # a network read, pieces for a chunk, the chunk, and its records


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator decided about every object."""

    layout: KeyLayout
    drop_unknown_tenants: bool
    max_inflated_bytes: int
    remember_finished: bool = False  # in the fleet's table too: a duplicate is then kept from every worker
    heartbeat_tenant: str = "_heartbeat"  # whose objects say that a collector is alive, and are nobody's logs


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the courier deals with."""

    bucket: Bucket
    directory: Directory
    kinds: Mapping[str, Kind[Any]]  # of destinations, by their rows' type
    ledgers: Ledgers
    clock: Clock
    breakers: Breakers
    gate: Gate
    quarantine: Quarantine | None = None


class _Journey(msgspec.Struct, kw_only=True):
    """One object on its way."""

    ref: ObjectRef
    id: str  # what is remembered of it is remembered under this; empty: nothing may be
    key: KeyFields
    inflation: Inflation
    lease: Lease | None
    memory: Memory
    deliveries: Sequence[Delivery] = ()
    served: Sequence[Destination] = ()  # those that have everything now


class Courier:
    """Delivers objects; what it raises says what becomes of the message that announced them."""

    def __init__(self, world: World, rules: Rules) -> None:
        self._world = world
        self._rules = rules
        # One attempt at an object at a time: a repeated notice's awaits the end of the first, and finds it delivered.
        # The event is made by the first who waits for it: hardly anybody does.
        self._in_hand: dict[str, asyncio.Event | None] = {}
        self._now = asyncio.get_running_loop().time

    def __repr__(self) -> str:
        return f"<Courier {self._world.directory!r} {self._world.ledgers!r} to {', '.join(self._world.kinds)}>"

    def tenant_of(self, ref: ObjectRef) -> str:
        """Return the tenant the key of *ref* names; empty if it is not of the layout."""
        try:
            return self._rules.layout.read(ref.key).tenant
        except LogfanoutError:
            return ""

    def lane(self, message: Received) -> str:
        """Return whose share of the slots *message* counts against: the tenant its first object is of."""
        try:
            refs = notices.parse(message.body)
        except LogfanoutError:
            return ""
        return self.tenant_of(refs[0]) if refs else ""

    async def deliver(self, ref: ObjectRef, *, received_before: bool = False, lease: Lease | None = None) -> None:
        """Return once every event of *ref* is accounted for at every destination that wants it.

        *received_before*: somebody else may have been at it. *lease* is asked between chunks whether to go on.
        """
        began = self._now()
        inflation = Inflation(name=ref.uri, max_bytes=self._rules.max_inflated_bytes)
        outcome = "failed"
        try:
            name = object_id(ref)
            while name in self._in_hand:
                self._in_hand[name] = other = self._in_hand[name] or asyncio.Event()
                await other.wait()
            self._in_hand[name] = None
            try:
                outcome = await self._delivered(ref, name, inflation, lease, received_before=received_before)
            finally:
                if (over := self._in_hand.pop(name)) is not None:
                    over.set()
        except Permanent:
            outcome = "set_aside"
            raise
        finally:
            telemetry.ObjectFinished(
                outcome=outcome,
                object=ref.uri,
                tenant=self.tenant_of(ref),
                compressed_bytes=inflation.compressed_bytes,
                inflated_bytes=inflation.inflated_bytes,
                seconds=self._now() - began,
            ).emit()
        if outcome == "delivered" and ref.event_ms:
            telemetry.ObjectDelivered(lag_seconds=(self._world.clock.epoch_ms() - ref.event_ms) / 1000).emit()

    async def _delivered(
        self, ref: ObjectRef, name: str, inflation: Inflation, lease: Lease | None, *, received_before: bool
    ) -> str:
        """Return the outcome ``ObjectFinished`` reports; *name* is the object's among those in hand."""
        if self._world.quarantine and self._world.quarantine.holds(ref):
            return "quarantine"  # what we wrote ourselves: to deliver it would be to quarantine it again, for ever
        key = self._rules.layout.read(ref.key)
        now_ms = self._world.clock.epoch_ms()
        if heartbeats.taken(ref, key, tenant=self._rules.heartbeat_tenant, now_ms=now_ms):
            return "heartbeat"
        remembered_as = name if _is_identified(ref) else ""
        memory = await self._recalled(remembered_as, received_before=received_before)
        if memory.finished:
            telemetry.DuplicateSuppressed(object=ref.uri, tenant=key.tenant).emit()
            return "duplicate"
        journey = _Journey(ref=ref, id=remembered_as, key=key, inflation=inflation, lease=lease, memory=memory)
        try:
            outcome = await self._routed(journey)
        except BaseException:  # a cancelled attempt leaves its progress too
            await self._leave_progress(journey)
            raise
        if outcome == "delivered":
            # Received before, somebody else may be at it still, or come upon it again.
            tell_fleet = received_before or self._rules.remember_finished
            await self._remember(journey, FINISHED, tell_fleet=tell_fleet)
        return outcome

    async def _recalled(self, remembered_as: str, *, received_before: bool) -> Memory:
        if not remembered_as:
            return UNKNOWN
        ask_fleet = received_before or self._rules.remember_finished
        return await self._world.ledgers.recall(remembered_as, ask_fleet=ask_fleet)

    async def _remember(self, journey: _Journey, memory: Memory, *, tell_fleet: bool) -> None:
        if journey.id:
            await self._world.ledgers.remember(journey.id, memory, tell_fleet=tell_fleet)

    async def _routed(self, journey: _Journey) -> str:
        """Deliver to whoever wants the object."""
        try:
            tenant = await self._world.directory.find(journey.key.tenant)
        except TenantUnknown:
            if self._rules.drop_unknown_tenants:
                return "unsubscribed"
            raise
        self._world.breakers.retain(tenant.id, tenant.destinations, now_seconds=self._now())
        wanting = routes.wanting(tenant, application=journey.key.application)
        owed = [each for each in wanting if journey.memory.taken.get(each.id) != ALL]
        if owed:
            await self._admitted(journey, owed)
        if tenant.unusable:
            raise tenant.unusable[0]  # what this row is owed is set aside; the others have theirs
        if wanting:
            return "delivered"
        return "filtered" if tenant.destinations else "disabled"

    async def _admitted(self, journey: _Journey, wanting: Sequence[Destination]) -> None:
        """Deliver to those whose breaker lets us; a parked one costs no slot, no connection and no session."""
        breakers = self._world.breakers
        admissions = [(each, breakers.admit(each, now_seconds=self._now())) for each in wanting]
        try:
            admitted = [each for each, admission in admissions if not isinstance(admission, Parked)]
            if admitted:
                await self._poured(journey, admitted)
        finally:
            for destination, admission in admissions:
                breakers.abandoned(destination, admission)
        for destination, admission in admissions:
            if isinstance(admission, Parked):
                raise DestinationParked(
                    f"{destination} is parked: {admission.why}", retry_after_seconds=admission.retry_after_seconds
                )

    def _tell_breakers(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.refusal is not None:
                self._world.breakers.refused(delivery.destination, delivery.refusal, now_seconds=self._now())
            elif delivery.accepted:
                self._world.breakers.succeeded(delivery.destination, now_seconds=self._now())

    async def _poured(self, journey: _Journey, wanting: Sequence[Destination]) -> None:
        """Read the object at most once, and deliver it to each destination."""
        journey.deliveries = deliveries = [self._delivery(journey, destination) for destination in wanting]
        unreadable = await self._handed_over(deliveries, journey)
        self._tell_breakers(deliveries)
        _account(deliveries, complete=_is_complete(unreadable))
        if unreadable is None:
            journey.served = [delivery.destination for delivery in deliveries if delivery.failure is None]
        failures = [delivery.failure for delivery in deliveries if delivery.failure]
        failures.extend([unreadable] if unreadable else [])
        if failures:
            raise max(failures, key=lambda error: error.verdict)

    def _delivery(self, journey: _Journey, destination: Destination) -> Delivery:
        shipment = Shipment(
            ref=journey.ref,
            key=journey.key,
            taken=journey.memory.taken.get(destination.id, NOTHING),
            require_ours=journey.lease.require_hidden if journey.lease else None,
        )
        return self._world.kinds[destination.kind].delivery(destination, shipment)

    async def _handed_over(self, deliveries: Sequence[Delivery], journey: _Journey) -> LogfanoutError | None:
        """Return once every delivery has been answered; why the object cannot be read (on), if some wanted to."""
        if len(deliveries) == 1:  # as most tenants have it: without a stack for it
            async with deliveries[0]:
                return await self._handed(deliveries, journey)
        async with AsyncExitStack() as answered:
            for delivery in deliveries:
                await answered.enter_async_context(delivery)
            return await self._handed(deliveries, journey)

    async def _handed(self, deliveries: Sequence[Delivery], journey: _Journey) -> LogfanoutError | None:
        unreadable = None
        if reading := [delivery for delivery in deliveries if delivery.reads_records]:
            unreadable = await self._read_into(reading, journey)
        if _is_complete(unreadable):
            await _finished(deliveries)
        return unreadable

    async def _read_into(self, deliveries: Sequence[Delivery], journey: _Journey) -> LogfanoutError | None:
        """Hand over what can be read; return why the rest of the object cannot, if so."""
        with self._world.gate.holding(_reading_bytes(journey.ref)):
            return await read_into(deliveries, journey.ref, bucket=self._world.bucket, inflation=journey.inflation)

    async def _leave_progress(self, journey: _Journey) -> None:
        taken = {delivery.destination.id: delivery.taken for delivery in journey.deliveries if delivery.taken}
        taken |= {destination.id: ALL for destination in journey.served}
        if taken:
            await self._remember(journey, Memory(taken=taken), tell_fleet=True)


async def _finished(deliveries: Sequence[Delivery]) -> None:
    """Let each send what is left; none waits for another's destination."""
    if len(deliveries) == 1:  # as most tenants have it: without a task for it
        await deliveries[0].finish()
        return
    async with asyncio.TaskGroup() as finishing:
        for delivery in deliveries:
            finishing.create_task(delivery.finish(), name=f"finish {delivery.destination}")


def _account(deliveries: Sequence[Delivery], *, complete: bool) -> None:
    """Have each report what became of the object; all are heard, though one does not add up."""
    bugs: list[Exception] = []
    for delivery in deliveries:
        try:
            delivery.account(complete=complete)
        except Exception as bug:  # noqa: BLE001  raised below
            bugs.append(bug)
    if bugs:
        raise bugs[0]


def _reading_bytes(ref: ObjectRef) -> int:
    """Return about how much of *ref* is in memory while it is read, besides the batches on their way."""
    inflated = ref.size_bytes * USUAL_RATIO or MOST_READING_BYTES
    return min(inflated, MOST_READING_BYTES)


def _is_identified(ref: ObjectRef) -> bool:
    """Whether the notice tells this writing of the key from the next; if not, nothing may be remembered of it."""
    return bool(ref.version_id or ref.sequencer or ref.event_ms)


def _is_complete(unreadable: LogfanoutError | None) -> bool:
    """Whether a later attempt would read no more than this one did; if it will, what has not been sent yet waits."""
    return unreadable is None or isinstance(unreadable, Permanent)

"""Can a tenant be reached?

    tenant's name ──► its rows ──► one probe on each destination's own way ──► Checked

The way is the fleet's: the same reading of rows, role chain, streams and requests. What a probe proves, an object's
events can rely on. A destination's filter is not asked: it says what of the tenant's goes there, not whether it can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from logfanout.destinations.kind import Delivery, Kind, Shipment
from logfanout.errors import LogfanoutError
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import KeyFields
from logfanout.ports import Clock, ObjectRef
from logfanout.tenants.directory import Directory
from logfanout.tenants.rows import Destination

APPLICATION = "logfanout-check"  # the stream's name begins so, with the default naming


class Outcome(StrEnum):
    """What a probe showed."""

    DELIVERED = "delivered"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One row of a tenant's, and what became of its probe."""

    tenant: str
    to: str  # the destination, in words; empty: the row names none that can be followed
    outcome: Outcome
    why: str = ""  # of a failure: what AWS said, or what is wrong with the row


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An object of a tenant's, for destinations that take whole objects."""

    ref: ObjectRef
    key: KeyFields


async def check(
    tenant: str, *, directory: Directory, kinds: Mapping[str, Kind[Any]], clock: Clock, sample: Sample | None = None
) -> Sequence[Checked]:
    """Send one probe to each destination of *tenant*; return what became of them, rows that cannot be followed last.

    A log group gets one event of now, in a stream of the application ``logfanout-check``. A bucket gets *sample*, which
    must be the tenant's own; without one it is not tried, since a copy needs something to be copied.

    Raises:
        LogfanoutError: the tenant is not known, or the table cannot be read.
        ValueError: *sample* is another tenant's.
    """
    if sample is not None and sample.key.tenant != tenant:
        raise ValueError(f"{sample.ref.uri} is not an object of {tenant!r}")
    found = await directory.find(tenant)
    refused = [Checked(tenant=tenant, to="", outcome=Outcome.FAILED, why=str(why)) for why in found.unusable]
    tried = [await _try(each, kinds[each.kind], clock=clock, sample=sample) for each in found.destinations]
    if not tried and not refused:
        return [Checked(tenant=tenant, to="", outcome=Outcome.FAILED, why="every row is disabled: nothing is sent")]
    return [*tried, *refused]


async def _try(to: Destination, kind: Kind[Any], *, clock: Clock, sample: Sample | None) -> Checked:
    probe = KeyFields(tenant=to.tenant, application=APPLICATION, cluster="check", pod="check", file="check")
    named = ObjectRef(bucket=APPLICATION, key=to.tenant, size_bytes=0)  # there is no such object: for errors only
    delivery = kind.delivery(to, Shipment(ref=named, key=probe))
    records = _record(to.tenant, clock.epoch_ms()) if delivery.reads_records else None
    if records is None:
        if sample is None:
            why = "a copy needs an object of the tenant's: name one with --object s3://bucket/key"
            return Checked(tenant=to.tenant, to=str(to), outcome=Outcome.NOT_TRIED, why=why)
        delivery = kind.delivery(to, Shipment(ref=sample.ref, key=sample.key))
    failure = await _delivered(delivery, records)
    outcome = Outcome.FAILED if failure else Outcome.DELIVERED
    return Checked(tenant=to.tenant, to=str(to), outcome=outcome, why=failure)


async def _delivered(delivery: Delivery, records: Records | None) -> str:
    """Return why *delivery* failed; empty: it did not."""
    async with delivery:
        if records is not None:
            await delivery.take(records)
        await delivery.finish()
    try:
        delivery.account(complete=True)
    except LogfanoutError as error:
        return str(error)
    if delivery.failure is not None:
        return f"{delivery.failure.reason}: {delivery.failure}"
    return "" if delivery.accepted else "the probe was neither accepted nor refused as such"


def _record(tenant: str, now_ms: int) -> Records:
    """Return the probe's one event; it says what it is to the tenant, who reads it."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    message = msgspec.json.encode(f"Your platform's logs for {tenant} can be delivered here: checked at {now}.")
    return Records(times=[now_ms], messages=[msgspec.Raw(message)], sizes=[len(message)], positions=(0,), read=1)

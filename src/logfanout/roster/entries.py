"""What does the fleet make of a row?

    row as stored ──► Reading.entry (the fleet's own reading, ``tenants.rows``) ──► Entry

Pure but for the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from logfanout.ports import Clock, Row
from logfanout.roster import names
from logfanout.tenants import rows
from logfanout.tenants.rows import ReadsRows, Tenant


class State(StrEnum):
    """What becomes of logs that the row's tenant has."""

    ENABLED = "enabled"
    DISABLED = "disabled"  # acknowledged, and nothing is sent
    EXPIRED = "expired"  # past its ``ttl``: as if the row were not there
    REFUSED = "refused"  # the row cannot be followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row, and what the fleet makes of it."""

    tenant: str
    type: str
    state: State
    to: str = ""  # where it delivers to, or would if it were enabled; empty: the row cannot be followed
    refused: str = ""  # why it cannot
    row: Row = field(repr=False)  # an external id may be in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the fleet reads rows; *region* is where one that names none delivers to."""

    kinds: Mapping[str, ReadsRows]
    region: str
    clock: Clock

    def entry(self, row: Row) -> Entry:
        """Return what the fleet makes of *row*, whatever stands in it."""
        tenant, type_ = str(row.get("tenant_id", "")), str(row.get("type", ""))
        if why := names.problem(tenant):
            return Entry(tenant=tenant, type=type_, state=State.REFUSED, refused=f"tenant {tenant!r}: {why}", row=row)
        found = self._read(row, tenant)
        state = _state(found)
        if state in (State.DISABLED, State.EXPIRED):  # neither says where to, nor whether it could be followed
            found = self._read({**row, "enabled": True, "ttl": None}, tenant)
        to, refused = ("; ".join(map(str, each)) for each in _told(found))
        return Entry(tenant=tenant, type=type_, state=state, to=to, refused=refused, row=row)

    def _read(self, row: Row, tenant: str) -> Tenant | None:
        now_seconds = self.clock.epoch_ms() / 1000
        return rows.read([row], kinds=self.kinds, tenant=tenant, region=self.region, now_seconds=now_seconds)


def _state(found: Tenant | None) -> State:
    if found is None:
        return State.EXPIRED
    if found.unusable:
        return State.REFUSED
    return State.ENABLED if found.destinations else State.DISABLED


def _told(found: Tenant | None) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return (found.destinations, found.unusable) if found else ((), ())

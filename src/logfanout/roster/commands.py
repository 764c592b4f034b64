"""What can be asked of the roster, and done to it?

listed, found ──► rows ──► Entry, ...          put, switch ──► Change ──► one write a row ──► Changed, ...
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from logfanout.errors import DestinationUnusable, TenantUnknown
from logfanout.ports import Row, TenantRows
from logfanout.roster.changes import Change, applied, switching
from logfanout.roster.entries import Entry, Reading, State

_TIMES = ("created_at", "updated_at")


class Roster(TenantRows, Protocol):
    """The table of tenants, all of it. Errors: ``Unavailable``, ``AccessRefused``."""

    async def all(self) -> Sequence[Row]:
        """Return every row, as stored and unchecked, in any order."""
        ...


class ChangeableRoster(Roster, Protocol):
    """The same, to be written to."""

    async def write(self, change: Change) -> Row | None:
        """Carry *change* out; return the row as it was before, ``None`` if there was none.

        Where the change makes no row, ``None`` says that nothing was written.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One row that was written."""

    entry: Entry  # as it is now
    created: bool
    fields: Sequence[str]  # names of those that differ from what they were, sorted


async def listed(roster: Roster, *, reading: Reading) -> list[Entry]:
    """Return every row, by tenant and type."""
    return _sorted([reading.entry(row) for row in await roster.all()])


async def found(roster: Roster, tenant: str, *, reading: Reading) -> list[Entry]:
    """Return the rows of *tenant*, by type.

    Raises:
        TenantUnknown: it has none, not even an expired one.
    """
    rows = await roster.of(tenant)
    if not rows:
        raise TenantUnknown(f"no row names {tenant[:128]!r}")
    return _sorted([reading.entry(row) for row in rows])


def foreseen(change: Change, *, reading: Reading) -> Entry:
    """Return what the fleet would make of the row if *change* made it anew.

    Raises:
        DestinationUnusable: the fleet would not follow it.
    """
    row = applied(change, None)
    if row is None:
        raise ValueError("a change that makes no row says nothing of the row it changes")
    entry = reading.entry(row)
    if entry.refused:
        raise DestinationUnusable(entry.refused)
    if entry.state is State.EXPIRED:
        raise DestinationUnusable("ttl must not be past: the row would count as absent")
    return entry


async def put(roster: ChangeableRoster, change: Change, *, reading: Reading) -> Changed:
    """Carry out *change*, which makes the row if there is none.

    Raises:
        DestinationUnusable: the fleet would not follow the row; nothing was written.
    """
    foreseen(change, reading=reading)
    return _changed(change, await roster.write(change), reading)


async def switch(
    roster: ChangeableRoster, tenant: str, type_: str | None, *, enabled: bool, reading: Reading
) -> list[Changed]:
    """Enable or disable the rows of *tenant*: that of *type_*, or all.

    Raises:
        TenantUnknown: there is no such row.
    """
    types = [type_] if type_ is not None else [entry.type for entry in await found(roster, tenant, reading=reading)]
    done = []
    for each in types:
        change = switching(tenant, each, enabled=enabled, now_ms=reading.clock.epoch_ms())
        before = await roster.write(change)
        if before is not None:
            done.append(_changed(change, before, reading))
    if not done:
        raise TenantUnknown(f"no row of type {' or '.join(types)} names {tenant[:128]!r}")
    return done


def _changed(change: Change, before: Row | None, reading: Reading) -> Changed:
    after, old = applied(change, before) or {}, before or {}
    names = [name for name in {**old, **after} if name not in _TIMES and old.get(name) != after.get(name)]
    return Changed(entry=reading.entry(after), created=before is None, fields=sorted(names))


def _sorted(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.tenant, entry.type))

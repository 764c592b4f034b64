"""Which tenant is meant by a name in a key?

    name ──► Directory.find ──► Tenant          cached; the last good copy while the table is down

Names come from keys, which are hostile: what is remembered of unknown ones is bounded.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logfanout import telemetry
from logfanout.errors import LogfanoutError, TenantUnknown
from logfanout.flights import Flights
from logfanout.ports import Clock, Row, TenantRows
from logfanout.retrying import patiently
from logfanout.tenants import rows
from logfanout.tenants.rows import ReadsRows, Tenant

JITTER = 0.2  # of the time an entry is kept: entries made together must not end together
STALE_SECONDS = 5.0  # how soon a table that did not answer is asked again
MOST_ENTRIES = 20_000  # of tenants, and of names that are none; some hundred bytes each
_ATTEMPTS = 4


@dataclass(slots=True)
class _Entry:
    tenant: Tenant | None  # None: the table has no such tenant
    read_seconds: float  # loop time
    due_seconds: float


class Directory:
    """The tenants, as the table had them within the last minute."""

    def __init__(
        self, table: TenantRows, *, kinds: Mapping[str, ReadsRows], region: str, keep_seconds: float, clock: Clock
    ) -> None:
        """*kinds* reads rows by their type; *region* is where a row that names none delivers to."""
        self._table = table
        self._kinds = kinds
        self._region = region
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._now = asyncio.get_running_loop().time
        self._entries: dict[str, _Entry] = {}
        # Apart, since anybody may invent names: they must not push out the last good copies of real tenants.
        self._unknown: dict[str, _Entry] = {}
        self._flights: Flights[str, _Entry] = Flights("read tenant")

    def __repr__(self) -> str:
        return f"<Directory of {len(self._entries)} tenants, {len(self._unknown)} names of none>"

    async def find(self, name: str) -> Tenant:
        """Return the tenant called *name*.

        Raises:
            TenantUnknown: the table has no row for it, or none that has not expired.
            LogfanoutError: the table cannot be read, and never could be for this tenant.
        """
        entry = self._entries.get(name) or self._unknown.get(name)
        if entry is None or self._now() >= entry.due_seconds:
            entry = await self._flights.join(name, lambda: self._refreshed(name))
        if entry.tenant is None:
            raise TenantUnknown(f"no row of the tenant table names {name[:128]!r}")
        return entry.tenant

    async def close(self) -> None:
        """Stop what reads are under way."""
        await self._flights.close()

    async def _refreshed(self, name: str) -> _Entry:
        now = self._now()
        try:
            entry = await self._read(name)
        except LogfanoutError as error:
            old = self._entries.get(name)
            if old is None or old.tenant is None:  # "unknown" settles messages for good: no guess will do
                raise
            old.due_seconds = now + STALE_SECONDS
            telemetry.TenantsStale(tenant=name, age_seconds=round(now - old.read_seconds), error=str(error)).emit()
            return old
        self._entries.pop(name, None)
        self._unknown.pop(name, None)
        entries = self._unknown if entry.tenant is None else self._entries
        entries[name] = entry
        while len(entries) > MOST_ENTRIES:
            del entries[next(iter(entries))]  # the one read longest ago
        return entry

    async def _read(self, name: str) -> _Entry:
        found: Sequence[Row] = await patiently(attempts=_ATTEMPTS)(self._table.of, name)
        now_seconds = self._clock.epoch_ms() / 1000
        tenant = rows.read(found, kinds=self._kinds, tenant=name, region=self._region, now_seconds=now_seconds)
        for why in tenant.unusable if tenant else ():
            telemetry.RowRefused(tenant=name, why=str(why)).emit()
        now = self._now()
        spread = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311  spreading load, no secret
        return _Entry(tenant=tenant, read_seconds=now, due_seconds=now + self._keep_seconds * spread)

"""How do the parts become a list of tenants, or a change to one?

    Settings ──► the table or the file, and the fleet's way to read rows ──► ``roster.commands``

Nothing but the table is asked, and no role assumed.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from logfanout.app.parts import READERS, WallClock, opened_aws
from logfanout.aws import AwsNotSetUp, region_here
from logfanout.roster import commands
from logfanout.roster.changes import Change
from logfanout.roster.commands import ChangeableRoster, Changed, Roster
from logfanout.roster.entries import Entry, Reading
from logfanout.settings import Settings, SettingsWrong
from logfanout.tenants.file import FileRows


async def listed(settings: Settings) -> list[Entry]:
    """Return every row, by tenant and type.

    Raises:
        LogfanoutError: the table cannot be read.
        SettingsWrong: there is no region, or for a table there are no credentials.
    """
    async with _to_read(settings) as (roster, reading):
        return await commands.listed(roster, reading=reading)


async def found(settings: Settings, tenant: str) -> list[Entry]:
    """Return the rows of *tenant*, by type; raises as ``listed`` does, and ``TenantUnknown``."""
    async with _to_read(settings) as (roster, reading):
        return await commands.found(roster, tenant, reading=reading)


async def foreseen(settings: Settings, change: Change) -> Entry:
    """Return what the fleet would make of the row *change* makes; AWS is not asked.

    Raises:
        DestinationUnusable: the fleet would not follow it.
        SettingsWrong: there is no region, or there is no table to write to.
    """
    _require_table(settings)
    return commands.foreseen(change, reading=_reading(_region()))


async def put(settings: Settings, change: Change) -> Changed:
    """Carry *change* out; raises as ``foreseen`` does, and as ``listed``."""
    async with _to_change(settings) as (roster, reading):
        return await commands.put(roster, change, reading=reading)


async def switched(settings: Settings, tenant: str, type_: str | None, *, enabled: bool) -> list[Changed]:
    """Enable or disable the row of *tenant* of *type_*, or all.

    Raises:
        TenantUnknown: there is no such row.
        LogfanoutError: the table cannot be read or written.
        SettingsWrong: there is no region, there are no credentials, or there is no table to write to.
    """
    async with _to_change(settings) as (roster, reading):
        return await commands.switch(roster, tenant, type_, enabled=enabled, reading=reading)


@asynccontextmanager
async def _to_read(settings: Settings) -> AsyncIterator[tuple[Roster, Reading]]:
    if settings.tenants_file:
        yield FileRows(settings.tenants_file), _reading(_region())
        return
    async with opened_aws() as aws:
        yield aws.roster(settings.tenant_config_table), _reading(aws.region)


@asynccontextmanager
async def _to_change(settings: Settings) -> AsyncIterator[tuple[ChangeableRoster, Reading]]:
    _require_table(settings)
    async with opened_aws() as aws:
        yield aws.roster(settings.tenant_config_table), _reading(aws.region)


def _require_table(settings: Settings) -> None:
    if settings.tenants_file:
        raise SettingsWrong([f"LOGFANOUT_TENANTS_FILE: tenants are read from {settings.tenants_file}: edit that file"])


def _reading(region: str) -> Reading:
    return Reading(kinds=READERS, region=region, clock=WallClock())


def _region() -> str:
    try:
        return region_here()
    except AwsNotSetUp as lack:
        raise SettingsWrong([str(lack)]) from None

"""How do the parts become a scan, or a replay?

Settings, a place ──► parts, opened (``app.parts``) ──► Sweep ──► Scan.serve │ Replay.run
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

from logfanout import __version__, telemetry
from logfanout.app.fleet import attended
from logfanout.app.parts import WallClock, opened, opened_aws
from logfanout.console.health import Health
from logfanout.moments import moment_ms
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import ObjectRef
from logfanout.settings import Settings
from logfanout.sweeping.listings import refs
from logfanout.sweeping.reach import Reach
from logfanout.sweeping.replay import ATTEMPTS, Asked, Replay, Totals
from logfanout.sweeping.scan import Scan
from logfanout.sweeping.sweep import Sweep, Terms

# An object is listed for as long as its bucket keeps it, often a season; one forgotten before is delivered again.
REMEMBER_SECONDS = 90 * 24 * 3600.0


async def scan(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """List and deliver until *stop*, then drain; returns when nothing is in hand any more."""
    if settings.source_bucket is None:
        raise ValueError("scan needs SOURCE_BUCKET")
    reach = Reach.parse(f"s3://{settings.source_bucket}/{settings.source_prefix or ''}")
    # No queue counts who may have been at an object: the table is asked about each, and told of each.
    settings = settings.model_copy(update={"ledger_completions": True})
    async with (
        opened(settings, remember_seconds=REMEMBER_SECONDS) as parts,
        parts.aws.listing() as listing,
    ):
        sweep = Sweep(
            parts.courier,
            listing=listing,
            reach=reach,
            gate=parts.gate,
            terms=_sweep_terms(settings),
            dead_letters=parts.aws.dead_letters(settings.dlq_url) if settings.dlq_url else None,
            wanted=partial(_is_recent, settings.scan_since, WallClock()),
        )
        scanning = Scan(sweep, reach=reach, interval_seconds=settings.scan_interval)
        telemetry.ScanStarted(
            version=__version__,
            place=str(reach),
            region=parts.aws.region,
            slots=settings.slots,
            interval_seconds=settings.scan_interval,
            since=settings.scan_since or "",
        ).emit()
        serving = scanning.serve(stop=stop, drain_seconds=settings.drain_seconds)
        await attended(settings, parts.aws, scanning, serving, stop=stop, health=health)


async def replay(settings: Settings, asked: Asked, *, stop: asyncio.Event, told: Callable[[Totals], None]) -> Totals:
    """Deliver once more what was *asked*, until done or until *stop*; *told* hears of every step.

    Raises:
        LogfanoutError: who we are could not be found out.
        SettingsWrong: there is no region, or there are no credentials.
    """
    table = settings.ledger_table if asked.skip_delivered else None
    settings = settings.model_copy(update={"ledger_table": table, "ledger_completions": True, "processes": 1})
    replaying = Replay(asked, layout=KeyLayout.parse(settings.key_layout), told=told)
    async with (
        opened(settings, remember_seconds=REMEMBER_SECONDS) as parts,
        parts.aws.listing() as listing,
    ):
        sweep = Sweep(
            parts.courier,
            listing=listing,
            reach=asked.reach,
            gate=parts.gate,
            terms=_sweep_terms(settings, attempts=ATTEMPTS),
            wanted=replaying.wants,
            told=replaying.note,
        )
        return await replaying.run(sweep, stop=stop, drain_seconds=settings.drain_seconds)


async def asked_for(settings: Settings, asked: Asked) -> AsyncIterator[ObjectRef]:
    """Yield what a replay would deliver, and deliver nothing.

    Raises:
        LogfanoutError: the place cannot be listed.
        SettingsWrong: there is no region, or there are no credentials.
    """
    layout = KeyLayout.parse(settings.key_layout)
    async with opened_aws() as aws, aws.listing() as listing:
        async for ref in refs(listing, asked.reach, after=asked.after, page_size=settings.list_page_size):
            if asked.wants(ref, layout=layout):
                yield ref


def _sweep_terms(settings: Settings, *, attempts: int | None = None) -> Terms:
    return Terms(
        slots=settings.slots,
        give_back_seconds=settings.give_back_seconds,
        page_size=settings.list_page_size,
        attempts=attempts,
        in_order=attempts is not None,
    )


def _is_recent(since: str | None, clock: WallClock, ref: ObjectRef) -> bool:
    return since is None or ref.event_ms >= moment_ms(since, now_ms=clock.epoch_ms())

"""What is a worker made of?

    Settings ──► parts, opened, the one above for the one below ──► Parts

The only place where the adapters of ``aws/`` meet the pipeline, which knows nothing of them.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from logfanout import telemetry
from logfanout.aws import KEEP_SECONDS, Aws, AwsNotSetUp, StsTokens, open_aws
from logfanout.courier import Courier, Rules, World
from logfanout.destinations import s3_copies
from logfanout.destinations.cloudwatch import CloudWatch
from logfanout.destinations.kind import Kind
from logfanout.destinations.lines import Lines, LinesDestination
from logfanout.destinations.s3_copies import COPIES_PER_BUCKET, S3Copies
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import WorkerLedger
from logfanout.memory import Gate, budget_bytes, limit_bytes
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.pipeline.writer import Writer
from logfanout.ports import Clock, Ledger, Quarantine, TenantRows
from logfanout.retrying import patiently
from logfanout.s3_places import S3Place
from logfanout.settings import Settings, SettingsWrong
from logfanout.tenants import log_groups
from logfanout.tenants.breaker import Breakers
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.directory import Directory
from logfanout.tenants.file import FileRows
from logfanout.tenants.limiter import Limiter
from logfanout.tenants.rows import ReadsRows

# What the kinds below read rows with, for who reads them and sends nothing.
READERS: Mapping[str, ReadsRows] = {"cloudwatch": log_groups, "s3": s3_copies}


class WallClock:
    """The time this machine believes in."""

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began, UTC."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What every way in works with, open for as long as the block of ``opened`` is."""

    aws: Aws
    world: World
    courier: Courier
    gate: Gate


@asynccontextmanager
async def opened(
    settings: Settings, *, remember_seconds: float = KEEP_SECONDS, to: BinaryIO | None = None
) -> AsyncIterator[Parts]:
    """Build the parts and close them, the last first.

    The fleet's ledger remembers for *remember_seconds*; *to* takes the place of all destinations.

    Raises:
        SettingsWrong: nothing says which region to work in, or whose credentials to use.
    """
    telemetry.tenant_labels.most = settings.metric_tenants
    telemetry.detail.wanted = settings.log_level == "DEBUG"
    clock = WallClock()
    async with AsyncExitStack() as parts:
        aws = await parts.enter_async_context(opened_aws())
        credentials = await _credentials(settings, aws.tokens(), clock=clock)
        parts.push_async_callback(credentials.close)
        gate = Gate(budget_bytes(settings.memory_limit_bytes or limit_bytes(), processes=settings.process_count))
        writer = Writer(aws.logs(), credentials=credentials, gate=gate)
        parts.push_async_callback(writer.close)
        quarantine = _quarantine(settings, aws)
        kinds = _kinds(settings, aws, writer=writer, credentials=credentials, quarantine=quarantine)
        rows = kinds  # who reads the rows of each type
        if to is not None:
            rows = _shown(kinds, to, settings)
            kinds = {LinesDestination.kind: next(iter(rows.values()))}
        directory = Directory(
            _tenant_rows(settings, aws),
            kinds=rows,
            region=aws.region,
            keep_seconds=settings.tenant_cache_seconds,
            clock=clock,
        )
        parts.push_async_callback(directory.close)
        world = World(
            bucket=aws.bucket(),
            directory=directory,
            kinds=kinds,
            ledgers=Ledgers(WorkerLedger(clock=clock), fleet=_ledger(settings, aws, keep_seconds=remember_seconds)),
            clock=clock,
            breakers=Breakers(),
            gate=gate,
            quarantine=quarantine,
        )
        yield Parts(aws, world, Courier(world, _rules(settings)), gate)


def leaving_no_trace(settings: Settings) -> Settings:
    """Return *settings* for what is only tried: nothing is kept in quarantine, nothing remembered for the fleet."""
    return settings.model_copy(update={"quarantine_uri": None, "ledger_table": None})


async def _credentials(settings: Settings, tokens: StsTokens, *, clock: Clock) -> CredentialCache:
    return CredentialCache(
        tokens=tokens,
        central_role=settings.central_role_arn,
        external_id=settings.external_id or await _central_account(settings, tokens),
        clock=clock,
    )


def _tenant_rows(settings: Settings, aws: Aws) -> TenantRows:
    if settings.tenants_file:
        return FileRows(settings.tenants_file)
    return aws.tenant_rows(settings.tenant_config_table)


def _ledger(settings: Settings, aws: Aws, *, keep_seconds: float) -> Ledger | None:
    return aws.ledger(settings.ledger_table, keep_seconds=keep_seconds) if settings.ledger_table else None


@asynccontextmanager
async def opened_aws() -> AsyncIterator[Aws]:
    """Open AWS alone; raises as ``opened`` does."""
    async with AsyncExitStack() as stack:
        try:
            aws = await stack.enter_async_context(open_aws())
        except AwsNotSetUp as lack:
            raise SettingsWrong([str(lack)]) from None
        yield aws


def _kinds(
    settings: Settings, aws: Aws, *, writer: Writer, credentials: CredentialCache, quarantine: Quarantine | None
) -> Mapping[str, Kind[Any]]:
    """Return what logs can be delivered to, by the type of a tenant's row: here a further kind is registered."""
    clock = WallClock()
    return {
        "cloudwatch": CloudWatch(writer=writer, naming=_naming(settings), clock=clock, quarantine=quarantine),
        "s3": S3Copies(
            copies=aws.copies(),
            source=aws.bucket(),
            credentials=credentials,
            limiter=Limiter(most=COPIES_PER_BUCKET),
            clock=clock,
        ),
    }


def _shown(kinds: Mapping[str, Kind[Any]], out: BinaryIO, settings: Settings) -> Mapping[str, Kind[Any]]:
    """Return stand-ins for *kinds* that write to *out* what those would send; any of them shows what each has read."""
    return {
        name: Lines(kind=kind, out=out, naming=_naming(settings), clock=WallClock()) for name, kind in kinds.items()
    }


def _naming(settings: Settings) -> StreamNaming:
    return StreamNaming.parse(settings.stream_name)


def _quarantine(settings: Settings, aws: Aws) -> Quarantine | None:
    if settings.quarantine_uri is None:
        return None
    return aws.quarantine(S3Place.parse_below_a_prefix(settings.quarantine_uri))


def _rules(settings: Settings) -> Rules:
    return Rules(
        layout=KeyLayout.parse(settings.key_layout),
        drop_unknown_tenants=settings.unknown_tenant == "drop",
        max_inflated_bytes=settings.max_inflated_bytes,
        remember_finished=settings.ledger_completions,
        heartbeat_tenant=settings.heartbeat_tenant,
    )


async def _central_account(settings: Settings, tokens: StsTokens) -> str:
    """Return the external id that customers' templates expect by default: the central account's id."""
    if settings.central_role_arn:
        return settings.central_role_arn.split(":")[4]
    account: str = await patiently()(tokens.account_id)
    return account

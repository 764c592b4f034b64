"""How do the parts become a worker?

    Settings ──► parts, opened ──► serve: inbox ──► worker ──► writer      until told to stop, then drained

The only wiring, with ``sweeps``: here alone the adapters of ``aws/`` meet the pipeline, which knows nothing of them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Protocol, TypeVar

from logfanout import __version__, protection, telemetry
from logfanout.aws import KEEP_SECONDS, Aws, AwsNotSetUp, Redrive, StsTokens, open_aws
from logfanout.console.health import Health
from logfanout.courier import Courier, Rules, World
from logfanout.destinations.cloudwatch import CloudWatch
from logfanout.destinations.kind import Kind
from logfanout.destinations.lines import Lines, LinesDestination
from logfanout.destinations.s3_copies import COPIES_PER_BUCKET, S3Copies
from logfanout.errors import AccessRefused, LogfanoutError, Verdict
from logfanout.function import Function, Source
from logfanout.function import Terms as FunctionTerms
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import WorkerLedger
from logfanout.memory import Gate, budget_bytes, limit_bytes
from logfanout.pipeline.inbox import Inbox, Terms
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.pipeline.writer import Writer
from logfanout.ports import Quarantine, Received
from logfanout.retrying import patiently
from logfanout.s3_places import S3Place
from logfanout.settings import Settings, SettingsWrong
from logfanout.tenants.breaker import Breakers
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.directory import Directory
from logfanout.tenants.file import FileRows
from logfanout.tenants.limiter import Limiter
from logfanout.worker import Worker

T = TypeVar("T")

HEALTH_SECONDS = 1.0  # how often what the probes answer is brought up to date


class WallClock:
    """The time this machine believes in."""

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began, UTC."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    aws: Aws
    courier: Courier
    gate: Gate


async def serve(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Receive and deliver until *stop*, then drain; returns when nothing is in hand any more."""
    if settings.sqs_queue_url is None:
        raise ValueError("serve needs SQS_QUEUE_URL")
    async with AsyncExitStack() as stack:
        parts = await unless_stopped(stack.enter_async_context(opened(settings)), stop=stop)
        redrive = await unless_stopped(parts.aws.redrive(settings.sqs_queue_url), stop=stop) if parts else None
        if parts is None or stop.is_set():
            return
        inbox = _inbox(settings.sqs_queue_url, settings, parts, redrive)
        worker = Worker(parts.courier, max_receives=redrive.max_receive_count if redrive else None)
        _report_start(settings, parts.aws)
        serving = inbox.serve(worker.handle, stop=stop, drain_seconds=settings.drain_seconds)
        await attended(settings, parts.aws, inbox, serving, stop=stop, health=health)


async def unless_stopped(step: Awaitable[T], *, stop: asyncio.Event) -> T | None:
    """Return *step*'s result; ``None`` if *stop* came first: AWS may hang while we begin, with nothing in hand yet."""
    try:
        async with asyncio.timeout(None) as waiting:
            watch = asyncio.create_task(_expired(waiting, at=stop), name="stop while opening")
            try:
                return await step
            finally:
                watch.cancel()
    except TimeoutError:
        if not stop.is_set():
            raise
        return None


async def _expired(waiting: asyncio.Timeout, *, at: asyncio.Event) -> None:
    await at.wait()
    waiting.reschedule(asyncio.get_running_loop().time())


class _Intake(Protocol):
    """Where what we work on comes from."""

    @property
    def receiving(self) -> bool: ...
    @property
    def in_hand(self) -> int: ...


async def attended(
    settings: Settings, aws: Aws, intake: _Intake, serving: Awaitable[int], *, stop: asyncio.Event, health: Health
) -> None:
    """Await *serving*, and meanwhile tell the probes, the log and ECS how it is going."""
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(intake, aws, health), name="watch health")
        announce = group.create_task(_announce_drain(settings, intake, stop), name="announce drain")
        if settings.ecs_agent_uri:
            guard = _protected(settings.ecs_agent_uri, settings, aws, intake, stop)
            group.create_task(guard, name="protect the task")
        given_back = await serving
        watch.cancel()
        began = await announce
    telemetry.DrainFinished(given_back=given_back, seconds=round(asyncio.get_running_loop().time() - began, 3)).emit()


async def deliver_body(settings: Settings, body: str, *, to: BinaryIO | None = None) -> Verdict:
    """Deliver what one notification announces, without a queue; what failed has been logged.

    *to* is written what would be sent, instead: then nothing is delivered, kept in quarantine or remembered.
    """
    message = Received(id="manual", receipt="", body=body, receive_count=1, sent_ms=WallClock().epoch_ms())
    if to is not None:
        settings = settings.model_copy(update={"quarantine_uri": None, "ledger_table": None})
    async with opened(settings, to=to) as parts:
        report = await Worker(parts.courier).deliver(message)
    return report.verdict


@asynccontextmanager
async def open_function(settings: Settings) -> AsyncIterator[Function]:
    """Open what a Lambda environment keeps from one invocation to the next."""
    async with opened(settings) as parts:
        yield Function(
            parts.courier,
            gate=parts.gate,
            terms=FunctionTerms(slots=settings.slots, give_back_seconds=settings.give_back_seconds),
            find=partial(_source, settings, parts.aws),
        )


async def _source(settings: Settings, aws: Aws, queue_arn: str) -> Source:
    """Return what can be known of the queue that events come from; what may not be asked is done without."""
    dead_letters = settings.dlq_url
    url = settings.sqs_queue_url
    if url is None or url.rpartition("/")[2] != queue_arn.rpartition(":")[2]:
        try:
            url = await aws.queue_url(queue_arn)
        except AccessRefused:
            return Source(dead_letters=aws.dead_letters(dead_letters) if dead_letters else None)
    redrive = await aws.redrive(url)
    if redrive and not redrive.url.endswith(".fifo"):  # whose letters would want a group: SQS's own redrive has one
        dead_letters = dead_letters or redrive.url
    return Source(
        queue=aws.queue(url),
        dead_letters=aws.dead_letters(dead_letters) if dead_letters else None,
        max_receives=redrive.max_receive_count if redrive and dead_letters else None,
    )


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
    clock = WallClock()
    async with AsyncExitStack() as parts:
        aws = await parts.enter_async_context(opened_aws())
        tokens = aws.tokens()
        credentials = CredentialCache(
            tokens=tokens,
            central_role=settings.central_role_arn,
            external_id=settings.external_id or await _central_account(settings, tokens),
            clock=clock,
        )
        parts.push_async_callback(credentials.close)
        gate = Gate(budget_bytes(settings.memory_limit_bytes or limit_bytes(), processes=settings.process_count))
        writer = Writer(aws.logs(), credentials=credentials, gate=gate)
        parts.push_async_callback(writer.close)
        quarantine = _quarantine(settings, aws)
        kinds = _kinds(settings, aws, writer=writer, credentials=credentials, quarantine=quarantine)
        if to is not None:
            kinds = _shown(kinds, to, settings)
        tenants = (
            FileRows(settings.tenants_file) if settings.tenants_file else aws.tenant_rows(settings.tenant_config_table)
        )
        directory = Directory(
            tenants, kinds=kinds, region=aws.region, keep_seconds=settings.tenant_cache_seconds, clock=clock
        )
        parts.push_async_callback(directory.close)
        world = World(
            bucket=aws.bucket(),
            directory=directory,
            kinds=kinds,
            ledgers=Ledgers(
                WorkerLedger(clock=clock),
                fleet=aws.ledger(settings.ledger_table, keep_seconds=remember_seconds)
                if settings.ledger_table
                else None,
            ),
            clock=clock,
            breakers=Breakers(),
            gate=gate,
            quarantine=quarantine,
        )
        yield Parts(aws, Courier(world, _rules(settings)), gate)


@asynccontextmanager
async def opened_aws() -> AsyncIterator[Aws]:
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
    """Return stand-ins for *kinds* that write to *out* what those would send."""
    stand_ins: dict[str, Kind[Any]] = {
        name: Lines(kind=kind, out=out, naming=_naming(settings), clock=WallClock()) for name, kind in kinds.items()
    }
    return stand_ins | {LinesDestination.kind: next(iter(stand_ins.values()))}


def _naming(settings: Settings) -> StreamNaming:
    return StreamNaming.parse(settings.stream_name)


def _quarantine(settings: Settings, aws: Aws) -> Quarantine | None:
    if settings.quarantine_uri is None:
        return None
    return aws.quarantine(S3Place.parse_below_a_prefix(settings.quarantine_uri))


async def _protected(agent_uri: str, settings: Settings, aws: Aws, intake: _Intake, stop: asyncio.Event) -> None:
    """Keep the task from scale-in while it works."""
    await protection.run(
        aws.task_protection(agent_uri),
        in_hand=lambda: intake.in_hand,
        stop=stop,
        terms=protection.Terms(shared=settings.process_count > 1),
    )


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


def _inbox(queue_url: str, settings: Settings, parts: Parts, redrive: Redrive | None) -> Inbox:
    dead_letters = settings.dlq_url or (redrive.url if redrive else None)
    return Inbox(
        parts.aws.queue(queue_url),
        dead_letters=parts.aws.dead_letters(dead_letters) if dead_letters else None,
        lane=parts.courier.lane,
        gate=parts.gate,
        terms=Terms(
            slots=settings.slots,
            receivers=settings.receivers,
            lease_seconds=settings.visibility_seconds,
            give_back_seconds=settings.give_back_seconds,
        ),
    )


def _report_start(settings: Settings, aws: Aws) -> None:
    telemetry.WorkerStarted(
        version=__version__,
        queue=settings.sqs_queue_url or "",
        region=aws.region,
        slots=settings.slots,
        receivers=settings.receivers,
    ).emit()


async def _watch(intake: _Intake, aws: Aws, health: Health) -> None:
    """Keep what the probes answer up to date."""
    while True:
        health.receiving = intake.receiving
        health.credentials = await _has_credentials(aws)
        await asyncio.sleep(HEALTH_SECONDS)


async def _has_credentials(aws: Aws) -> bool:
    try:
        await aws.credentials()
    except LogfanoutError:
        return False
    return True


async def _announce_drain(settings: Settings, intake: _Intake, stop: asyncio.Event) -> float:
    """Say that the drain begins; return the loop time when it did."""
    await stop.wait()
    telemetry.DrainStarted(
        signal=getattr(stop, "signal", ""), messages=intake.in_hand, seconds=settings.drain_seconds
    ).emit()
    return asyncio.get_running_loop().time()

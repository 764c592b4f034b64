"""How do the parts become a worker?

    Settings ──► parts, opened ──► serve: inbox ──► worker ──► writer      until told to stop, then drained

The only wiring: here alone the adapters of ``aws/`` meet the pipeline, which knows nothing of them.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from logfanout import __version__, protection, telemetry
from logfanout.aws import Aws, AwsNotSetUp, Redrive, StsTokens, open_aws
from logfanout.console.health import Health
from logfanout.courier import Courier, Rules, World
from logfanout.errors import LogfanoutError, Verdict
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
from logfanout.worker import Worker

HEALTH_SECONDS = 1.0  # how often what the probes answer is brought up to date


class WallClock:
    """The time this machine believes in."""

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began, UTC."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Parts:
    aws: Aws
    courier: Courier
    gate: Gate


async def serve(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Receive and deliver until *stop*, then drain; returns when nothing is in hand any more."""
    if settings.sqs_queue_url is None:
        raise ValueError("serve needs SQS_QUEUE_URL")
    async with _opened(settings) as parts:
        redrive = await parts.aws.redrive(settings.sqs_queue_url)
        inbox = _inbox(settings.sqs_queue_url, settings, parts, redrive)
        _report_start(settings, parts.aws)
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(inbox, parts.aws, health), name="watch health")
            announce = group.create_task(_announce_drain(settings, inbox, stop), name="announce drain")
            if settings.ecs_agent_uri:
                guard = _protected(settings.ecs_agent_uri, settings, parts.aws, inbox, stop)
                group.create_task(guard, name="protect the task")
            worker = Worker(parts.courier, max_receives=redrive.max_receive_count if redrive else None)
            given_back = await inbox.serve(worker.handle, stop=stop, drain_seconds=settings.drain_seconds)
            watch.cancel()
            began = await announce
        telemetry.DrainFinished(
            given_back=given_back, seconds=round(asyncio.get_running_loop().time() - began, 3)
        ).emit()


async def deliver_body(settings: Settings, body: str) -> Verdict:
    """Deliver what one notification announces, without a queue; what failed has been logged."""
    message = Received(id="manual", receipt="", body=body, receive_count=1, sent_ms=WallClock().epoch_ms())
    async with _opened(settings) as parts:
        report = await Worker(parts.courier).deliver(message)
    return report.verdict


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_Parts]:
    """Build the parts and close them, the last first.

    Raises:
        SettingsWrong: nothing says which region to work in, or whose credentials to use.
    """
    telemetry.tenant_labels.most = settings.metric_tenants
    clock = WallClock()
    async with AsyncExitStack() as parts:
        try:
            aws = await parts.enter_async_context(open_aws())
        except AwsNotSetUp as lack:
            raise SettingsWrong([str(lack)]) from None
        tenants = (
            FileRows(settings.tenants_file) if settings.tenants_file else aws.tenant_rows(settings.tenant_config_table)
        )
        directory = Directory(tenants, region=aws.region, keep_seconds=settings.tenant_cache_seconds, clock=clock)
        parts.push_async_callback(directory.close)
        tokens = aws.tokens()
        credentials = CredentialCache(
            tokens=tokens,
            central_role=settings.central_role_arn,
            external_id=settings.external_id or await _central_account(settings, tokens),
            clock=clock,
        )
        parts.push_async_callback(credentials.close)
        gate = Gate(budget_bytes(settings.memory_bytes or limit_bytes(), processes=settings.process_count))
        writer = Writer(aws.logs(), credentials=credentials, gate=gate)
        parts.push_async_callback(writer.close)
        world = World(
            bucket=aws.bucket(),
            directory=directory,
            writer=writer,
            ledgers=Ledgers(
                WorkerLedger(clock=clock), fleet=aws.ledger(settings.ledger_table) if settings.ledger_table else None
            ),
            clock=clock,
            breakers=Breakers(),
            gate=gate,
            quarantine=_quarantine(settings, aws),
        )
        yield _Parts(aws, Courier(world, _rules(settings)), gate)


def _quarantine(settings: Settings, aws: Aws) -> Quarantine | None:
    if settings.quarantine_uri is None:
        return None
    return aws.quarantine(S3Place.parse_below_a_prefix(settings.quarantine_uri))


async def _protected(agent_uri: str, settings: Settings, aws: Aws, inbox: Inbox, stop: asyncio.Event) -> None:
    """Keep the task from scale-in while it works."""
    await protection.run(
        aws.task_protection(agent_uri),
        in_hand=lambda: inbox.in_hand,
        stop=stop,
        terms=protection.Terms(shared=settings.process_count > 1),
    )


def _rules(settings: Settings) -> Rules:
    return Rules(
        layout=KeyLayout.parse(settings.key_layout),
        naming=StreamNaming.parse(settings.stream_name),
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


def _inbox(queue_url: str, settings: Settings, parts: _Parts, redrive: Redrive | None) -> Inbox:
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


async def _watch(inbox: Inbox, aws: Aws, health: Health) -> None:
    """Keep what the probes answer up to date."""
    while True:
        health.receiving = inbox.receiving
        health.credentials = await _has_credentials(aws)
        await asyncio.sleep(HEALTH_SECONDS)


async def _has_credentials(aws: Aws) -> bool:
    try:
        await aws.credentials()
    except LogfanoutError:
        return False
    return True


async def _announce_drain(settings: Settings, inbox: Inbox, stop: asyncio.Event) -> float:
    """Say that the drain begins; return the loop time when it did."""
    await stop.wait()
    telemetry.DrainStarted(
        signal=getattr(stop, "signal", ""), messages=inbox.in_hand, seconds=settings.drain_seconds
    ).emit()
    return asyncio.get_running_loop().time()

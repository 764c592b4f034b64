"""How do the parts serve a queue?

    Parts ──► serve: inbox ──► worker      until told to stop, then drained

Meanwhile the probes, the log and ECS are told how it is going.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from logfanout import __version__, heap, protection, telemetry
from logfanout.app.parts import Parts, opened
from logfanout.aws import Aws, Redrive
from logfanout.console.health import Health
from logfanout.errors import LogfanoutError
from logfanout.pipeline.inbox import Inbox, Terms
from logfanout.settings import Settings
from logfanout.worker import Worker

T = TypeVar("T")

HEALTH_SECONDS = 1.0  # how often what the probes answer is brought up to date


async def serve(settings: Settings, *, stop: asyncio.Event, health: Health) -> None:
    """Receive and deliver until *stop*, then drain; returns when nothing is in hand any more."""
    if settings.sqs_queue_url is None:
        raise ValueError("serve needs SQS_QUEUE_URL")
    heap.keep_freed_memory()
    async with AsyncExitStack() as stack:
        parts = await unless_stopped(stack.enter_async_context(opened(settings)), stop=stop)
        redrive = await unless_stopped(parts.aws.redrive(settings.sqs_queue_url), stop=stop) if parts else None
        if parts is None or stop.is_set():
            return
        heap.spare_the_collector()
        heap.into_huge_pages()
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
        settling = group.create_task(heap.settle(), name="settle the heap")
        announce = group.create_task(_announce_drain(settings, intake, stop), name="announce drain")
        if settings.ecs_agent_uri:
            guard = _protected(settings.ecs_agent_uri, settings, aws, intake, stop)
            group.create_task(guard, name="protect the task")
        given_back = await serving
        watch.cancel()
        settling.cancel()
        began = await announce
    telemetry.DrainFinished(given_back=given_back, seconds=round(asyncio.get_running_loop().time() - began, 3)).emit()


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


async def _protected(agent_uri: str, settings: Settings, aws: Aws, intake: _Intake, stop: asyncio.Event) -> None:
    """Keep the task from scale-in while it works."""
    await protection.run(
        aws.task_protection(agent_uri),
        in_hand=lambda: intake.in_hand,
        stop=stop,
        terms=protection.Terms(shared=settings.process_count > 1),
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

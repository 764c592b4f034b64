"""What happens, from one command to one verdict?

    emulator ──► region ──► fleet ──► objects ──► empty queue ──► SIGTERM ──► readback ──► audit ──► verdict

The only wiring of the demo. What goes wrong on the way does not hide what arrived: the accounts are read all
the same.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

from rich.console import Console

from logfanout.demo import audit, backlog, fleet, show, vector, writing
from logfanout.demo.emulator import Emulator, emulator, tail
from logfanout.demo.errors import DemoFailed
from logfanout.demo.pods import Speaker
from logfanout.demo.readback import everything
from logfanout.demo.region import Region, provision
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, REGIONS, roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the one who runs the demo asked for."""

    tenants: int
    objects: int  # all tenants' together
    events: int  # in each object
    log_files: tuple[Path, ...] = ()  # whose lines are the messages; empty: imitations
    processes: str | None = None  # ``LOGFANOUT_PROCESSES``; ``None``: the caller's
    timeout_seconds: float = 120.0  # from the first object to the empty queue
    keep: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of it."""

    report: audit.Report
    problems: tuple[str, ...]  # of the run: dead letters, a deadline, a bad exit

    @property
    def clean(self) -> bool:
        """Whether the demo was a success."""
        return self.report.clean and not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What every step of one run needs."""

    asked: Asked
    caller: Mapping[str, str]  # the environment the worker's is made from
    aws: Emulator
    region: Region
    speak: Speaker
    expected: dict[str, audit.Expectation]
    on: Console


async def play(asked: Asked, *, caller: Mapping[str, str], on: Console) -> Verdict:
    """Run the demo and show it on *on*; *caller* is the environment the worker's is made from.

    Raises:
        DemoRefused: it cannot start as asked.
        DemoFailed: there is nothing to compare, since the emulator or the worker died.
    """
    speak = writing.speaker(asked.log_files, most=asked.objects * asked.events)
    with _cancelled_by(signal.SIGTERM, signal.SIGHUP):
        show.step(on, "Starting an AWS on loopback, its authorisation on")
        async with emulator() as aws:
            show.step(on, f"Provisioning {asked.tenants} tenants, each in its own account, at {aws.endpoint_url}")
            region = await provision(aws, roster(asked.tenants))
            expected = writing.expectations(region.tenants)
            verdict = await _perform(
                _Stage(asked=asked, caller=caller, aws=aws, region=region, speak=speak, expected=expected, on=on)
            )
            if asked.keep:
                interrupted = _heed_interruption()
                show.addresses(on, region, endpoint_url=aws.endpoint_url)
                await interrupted.wait()
            return verdict


async def _perform(stage: _Stage) -> Verdict:
    """Deliver, read back, compare, show. The worker's log is kept if it can tell what went wrong."""
    log = _new_log()
    with ExitStack() as leaving:
        leaving.callback(log.unlink)
        try:
            problems = tuple(await _deliver(stage, log))
        except DemoFailed:
            leaving.pop_all()
            raise
        verdict = Verdict(report=await _compare(stage), problems=problems)
        show.report(stage.on, verdict.report, problems=problems)
        if not verdict.clean:
            leaving.pop_all()
            show.trouble(stage.on, f"The worker's log is {log}; it ends with\n{tail(log)}")
    return verdict


async def _compare(stage: _Stage) -> audit.Report:
    show.step(stage.on, "Reading every account's CloudWatch")
    accounts = [PLATFORM_ACCOUNT, *(tenant.account for tenant in stage.region.tenants)]
    found = await everything(stage.aws, accounts=accounts, regions=REGIONS)
    return audit.compare(tuple(stage.expected.values()), found)


def _new_log() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="logfanout-demo-worker-", suffix=".log")
    os.close(descriptor)
    return Path(name)


async def _deliver(stage: _Stage, log: Path) -> list[str]:
    """Run the fleet while objects are written and until the queue is empty; return what went wrong."""
    environment = fleet.environment(
        stage.region,
        endpoint_url=stage.aws.endpoint_url,
        session=await stage.aws.assume(stage.region.task_role_arn, using=PLATFORM_ACCOUNT),
        processes=stage.asked.processes,
        caller=stage.caller,
    )
    processes = environment.get("LOGFANOUT_PROCESSES", "1")
    show.step(stage.on, f"Starting the fleet: LOGFANOUT_PROCESSES={processes} python -m logfanout run")
    async with (
        stage.aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs,
        fleet.fleet(environment, log) as running,
    ):
        show.step(stage.on, f"Writing {stage.asked.objects} objects (the fleet's view: {running.console_url})")
        with suppress(TimeoutError):
            async with asyncio.timeout(stage.asked.timeout_seconds):
                await _write_and_wait(stage, running=running, sqs=sqs)
        problems = await _leftovers(stage, sqs)
        show.step(stage.on, "Stopping the fleet with SIGTERM")
        return problems + _exit_problems(await running.stop())


async def _write_and_wait(stage: _Stage, *, running: fleet.Fleet, sqs: Any) -> None:
    """Return once every object is written and its notice has come and gone."""
    asked, region = stage.asked, stage.region
    # S3 has announced one test event already, when the notification was set up.
    announced = (await backlog.depth(sqs, region)).announced + asked.objects
    with show.progress(stage.on, objects=asked.objects) as seen:

        def watched(now: backlog.Depth) -> None:
            running.check()
            seen(sum(one.objects for one in stage.expected.values()), now)

        async with aclosing(writing.write(stage.aws, region, _objects(stage), into=stage.expected)) as puts:
            async for written in puts:
                if written % backlog.POLL_EVERY_OBJECTS == 0:
                    watched(await backlog.depth(sqs, region))
        await backlog.until_empty(sqs, region, announced=announced, seen=watched)


def _objects(stage: _Stage) -> Iterator[vector.LogObject]:
    asked = stage.asked
    rng = Random(asked.seed)  # noqa: S311 - imitates logs, protects nothing
    return writing.objects(stage.region.tenants, count=asked.objects, events=asked.events, rng=rng, speak=stage.speak)


async def _leftovers(stage: _Stage, sqs: Any) -> list[str]:
    """Return what the queues still hold though the fleet had its time."""
    left = await backlog.depth(sqs, stage.region)
    problems = [f"Dead letter: {reason}" for reason in await backlog.reasons(sqs, stage.region)]
    if left.dead:
        problems.insert(0, f"{left.dead} dead letters")
    if left.waiting or left.in_hand:
        limit = stage.asked.timeout_seconds
        problems.append(f"After {limit:.0f} s {left.waiting} messages were waiting and {left.in_hand} in hand")
    return problems


def _exit_problems(code: int | None) -> list[str]:
    match code:
        case 0:
            return []
        case None:
            return [f"The worker did not stop within {fleet.STOP_SECONDS:.0f} s of SIGTERM"]
    return [f"The worker stopped with exit code {code}, not 0"]


@contextmanager
def _cancelled_by(*numbers: signal.Signals) -> Iterator[None]:
    """Within the block *numbers* do what Ctrl-C does: cancel, so that what was started is stopped on the way out."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    # nohup and the like ignore a signal for us; that stays as it is.
    heeded = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in heeded:
        loop.add_signal_handler(number, cast("asyncio.Task[None]", task).cancel)
    try:
        yield
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)


def _heed_interruption() -> asyncio.Event:
    """Return what Ctrl-C and SIGTERM set from now on: with --keep they are the way to end well."""
    interrupted, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    return interrupted

"""What lies in the bucket though nothing announces it: scanned, replayed, stopped in the middle, as real processes."""

import asyncio
import json
import os
import shlex
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.demo.vector import LogObject
from logfanout.testing.drills.gates import advance, hold
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.readings import metric
from logfanout.testing.drills.stage import LEDGER, Drill
from logfanout.testing.strict_aws import Fault, Misfortune, Refuse

pytestmark = [pytest.mark.process, pytest.mark.emulator]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def start(stage: Drill, *arguments: str, **settings: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "logfanout",
        *arguments,
        env=await stage.environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> Said:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return Said(code=process.returncode, out=out.decode(), err=(err or b"").decode())


async def replay(stage: Drill, *arguments: str, **settings: str) -> Said:
    return await end(await start(stage, "replay", f"s3://{stage.region.bucket}", *arguments, **settings))


async def until_all_arrived(stage: Drill) -> None:
    await stage.until(lambda: all(map(stage.has_all, stage.tenants)), what="every tenant has all of its events")


def expect_again(stage: Drill, written: list[LogObject]) -> None:
    """A replay of *written* is to deliver it once more."""
    for one in written:
        [tenant] = [tenant for tenant in stage.tenants if tenant.name == one.tenant]
        if tenant.wants(one.application):
            stage.expect(one.tenant, one.events)


@pytest.mark.drill
async def test_a_scan_delivers_what_lies_there_and_what_comes(stage: Drill, judge: Judge) -> None:
    """Over several pages; another scan, started later, finds nothing left to do."""
    settings = {"LOGFANOUT_LEDGER_TABLE": LEDGER, "LOGFANOUT_LIST_PAGE_SIZE": "10"}
    await stage.write(25, events=20)
    async with stage.scanner(**settings) as scanning:
        await until_all_arrived(stage)
        await stage.write(3)
        await until_all_arrived(stage)
        assert await metric(scanning, 'logfanout_scan_rounds_total{outcome="finished"}') >= 2
    puts = len(stage.strict.holdings.puts)
    async with stage.scanner(**settings) as scanning:

        async def has_looked() -> bool:
            return await metric(scanning, 'logfanout_objects_total{outcome="duplicate"}') >= 28

        await stage.until(has_looked, what="the second scan has asked about every object")
    assert len(stage.strict.holdings.puts) == puts
    judge(stage, "no notifications: a scan, and another one started later; with a ledger")


@pytest.mark.drill
@pytest.mark.long
async def test_a_scan_is_stopped_in_the_middle(stage: Drill, judge: Judge) -> None:
    """With no time to finish: the next one goes on where the ledger says."""
    gate = hold(stage, after=True)
    await stage.write_large(3, mebibytes=8)
    async with stage.scanner(LOGFANOUT_LEDGER_TABLE=LEDGER, LOGFANOUT_DRAIN_SECONDS="8") as one:
        await advance(stage, gate, puts=6, waiting=9)
        assert await one.stop() == 0
    stage.faults.lift()
    async with stage.scanner(LOGFANOUT_LEDGER_TABLE=LEDGER):
        await until_all_arrived(stage)
    judge(
        stage,
        "a scan told to stop mid-object, accepted puts unanswered until its drain of 8 s is over; with a ledger",
        bound=stage.unanswered_events(),
    )


@pytest.mark.drill
@pytest.mark.long
async def test_a_replay_delivers_once_more(stage: Drill, judge: Judge) -> None:
    """What it lists before is what it delivers, whatever was delivered already."""
    written = await stage.write(9, events=20)
    listed = await replay(stage, "--dry-run", "--json", LOGFANOUT_LIST_PAGE_SIZE="4")
    assert (listed.code, listed.err) == (0, "")
    assert sorted(each["object"] for each in listed.json) == sorted(
        f"s3://{stage.region.bucket}/{one.key}" for one in written
    )
    assert {each["tenant"] for each in listed.json} == {tenant.name for tenant in stage.tenants}
    assert stage.strict.holdings.puts == []
    first = await replay(stage, LOGFANOUT_LIST_PAGE_SIZE="4")
    assert first.code == 0, first
    assert first.out.startswith("9 of 9 objects delivered, 0 failed, in ")
    assert first.err == ""
    await until_all_arrived(stage)
    again = await replay(stage, "--json")
    assert again.code == 0, again
    assert again.json["events"] == {"delivered": sum(map(stage.arrived, stage.tenants)) // 2}
    expect_again(stage, written)
    judge(stage, "no notifications: nine objects replayed, and then once more")


@pytest.mark.drill
@pytest.mark.long
async def test_a_replay_tells_what_it_could_not_deliver(stage: Drill, judge: Judge) -> None:
    """An account that refuses is told with its reason, and exit code 1; the others have theirs."""
    await stage.write(9, events=20)
    closed = stage.tenants[0]
    denied = stage.faults.add(Fault(on="logs:*", account=closed.account, effect=Refuse(Misfortune.DENIED)))
    failing = await replay(stage, "--json", LOGFANOUT_GIVE_BACK_SECONDS="0")
    stage.faults.lift(denied)
    assert failing.code == 1
    assert (failing.json["objects"], failing.json["delivered"], failing.json["failed"]) == (9, 6, 3)
    assert {each["reason"] for each in failing.json["failures"]} == {"access_denied"}
    assert (failing.json["stopped"], failing.json["continue_after"]) == (False, None)
    rest = await replay(stage, "--tenant", closed.name, "--since", "1h")
    assert rest.code == 0, rest
    assert rest.out.startswith("3 of 3 objects delivered, 0 failed")
    judge(stage, "a tenant's group refuses us during a replay; it is replayed alone")


@pytest.mark.drill
@pytest.mark.long
async def test_a_replay_repeated_skips_what_the_ledger_knows(stage: Drill, judge: Judge) -> None:
    """With --skip-delivered a replay may be run until it succeeds, and delivers each object once."""
    settings = {"LOGFANOUT_LEDGER_TABLE": LEDGER}
    await stage.write(6, events=20)
    assert (await replay(stage, "--skip-delivered", **settings)).code == 0
    await stage.write(3, events=20)
    second = await replay(stage, "--skip-delivered", "--json", **settings)
    assert (second.code, second.json["delivered"]) == (0, 9)
    judge(stage, "a replay run twice with --skip-delivered; with a ledger")


@pytest.mark.drill
@pytest.mark.long
async def test_a_replay_interrupted_says_how_to_go_on(stage: Drill, judge: Judge) -> None:
    """Ctrl-C finishes what is in hand; the command line it prints delivers the rest."""
    gate = hold(stage)
    await stage.write(30, events=20)
    replaying = await start(stage, "replay", f"s3://{stage.region.bucket}", LOGFANOUT_SLOTS="4")
    await stage.until(lambda: gate.waiting >= 4, what="all slots wait for their puts")
    replaying.send_signal(signal.SIGINT)
    gate.release()
    stopped = await end(replaying)
    assert stopped.code == 1
    assert "stopped before the end; to go on: logfanout replay " in stopped.err
    command = shlex.split(stopped.err.partition("to go on: ")[2])
    rest = await end(await start(stage, *command[1:]))
    assert rest.code == 0, rest
    judge(stage, "Ctrl-C in a replay of 30 objects, then the command line it printed", bound=4 * 20)


@pytest.mark.long
async def test_progress_is_for_a_terminal(stage: Drill) -> None:
    """And on stderr, so that what is on stdout stays a document."""
    await stage.write(3, events=20)
    ours, theirs = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "logfanout", "replay", f"s3://{stage.region.bucket}", "--json"),
            env=await stage.environment({"TERM": "xterm", "COLUMNS": "100"}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        shown = asyncio.create_task(asyncio.to_thread(until_hung_up, ours))
        said = await end(process)
        assert (said.code, said.json["delivered"]) == (0, 3)
        assert b"delivering" in await shown
    finally:
        os.close(ours)


def until_hung_up(terminal: int) -> bytes:
    """Return all that is written to *terminal*."""
    shown = b""
    with suppress(OSError):  # nobody has the other end any more
        while chunk := os.read(terminal, 4096):
            shown += chunk
    return shown


@pytest.mark.long
async def test_wrong_usage_is_told_at_once(stage: Drill) -> None:
    """All of it, with exit code 2; a bucket that is not there is a failure."""
    wrong = await end(await start(stage, "replay", "logs", "--since", "yesterday", "--until", "today"))
    assert (wrong.code, wrong.out, len(wrong.err.splitlines())) == (2, "", 3)
    backwards = await replay(stage, "--since", "1h", "--until", "2h")
    assert backwards.code == 2
    unknowing = await replay(stage, "--skip-delivered")
    assert (unknowing.code, "LOGFANOUT_LEDGER_TABLE" in unknowing.err) == (2, True)
    closed = await end(await start(stage, "replay", "s3://somebody-elses-bucket"))
    assert (closed.code, closed.out.startswith("0 of 0 objects")) == (1, True)
    assert "somebody-elses-bucket" in closed.err
    assert (await end(await start(stage, "replay", "s3://somebody-elses-bucket", "--dry-run"))).code == 1

"""One worker process or several: started, watched, restarted and stopped, shown with real processes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from logfanout.supervisor import FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS, SOUND_SECONDS, next_delay

pytestmark = pytest.mark.process

# What ``logfanout run`` does, with a pipeline that each test writes itself; the children run the same program.
PROGRAM = """
import asyncio, os, sys, time
from logfanout import journal
from logfanout.console import heartbeat, metrics
from logfanout.settings import SettingsWrong, read

place = heartbeat.place(os.environ)
index = place.process if place else 0
journal.configure(level="INFO", process=index if place else None)
if place:
    metrics.count_in_slot(index, os.environ)

from logfanout import supervisor, telemetry

def note(text):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{index} {text}\\n")

async def serve(settings, *, stop, health):
__SERVE__

try:
    code = supervisor.run(read(os.environ), serve, environ=os.environ, command=(sys.executable, __file__))
except SettingsWrong as wrong:
    print(wrong, file=sys.stderr)
    code = 2
sys.exit(code)
"""

WORKS = """
health.receiving = health.credentials = True
telemetry.MessagesReceived(count=index + 1).emit()
telemetry.InHand(messages=10 * (index + 1), oldest_seconds=index, bytes=0).emit()
note("serves")
if place and not index:
    note("shares " + os.environ["PROMETHEUS_MULTIPROC_DIR"])
await stop.wait()
note(f"stops: {stop.signal}")
"""
HANGS = """
health.receiving = health.credentials = True
note("hangs")
time.sleep(3600)
"""
NEVER_DRAINED = """
health.receiving = health.credentials = True
note("serves")
await stop.wait()
note("drains")
await asyncio.sleep(3600)
"""
REFUSES = """
note("refuses")
raise SettingsWrong(["LOGFANOUT_SLOTS: is wrong"])
"""
CRASHES = """
note("crashes")
raise RuntimeError("nobody foresaw this")
"""


@dataclass(slots=True, kw_only=True)
class Running:
    """The started program."""

    process: subprocess.Popen[bytes]
    port: int
    notes_file: Path
    log_file: Path

    @property
    def notes(self) -> list[str]:
        """What the processes have noted, each line with the process's index before it."""
        return self.notes_file.read_text().splitlines() if self.notes_file.exists() else []

    @property
    def told(self) -> list[str]:
        """The notes about what happened, without the one about where figures are left."""
        return [note for note in self.notes if "shares" not in note]

    @property
    def shared(self) -> Path:
        """Where the processes left their figures."""
        (note,) = (note for note in self.notes if "shares" in note)
        return Path(note.split()[-1])

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines of all processes."""
        return [json.loads(line) for line in self.log_file.read_text().splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of *event*."""
        return [line for line in self.log if line["event"] == event]

    async def get(self, path: str) -> str:
        """Return what the console answers; empty while nobody does."""
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"http://127.0.0.1:{self.port}{path}") as answer,
            ):
                return await answer.text()
        except aiohttp.ClientError:
            return ""

    async def status(self) -> dict[str, Any]:
        """Return ``/status.json``; empty while nobody answers."""
        found: dict[str, Any] = json.loads(await self.get("/status.json") or "{}")
        return found

    async def pids(self) -> list[int]:
        """Return the process ids of those that run."""
        return [each["pid"] for each in (await self.status()).get("processes", []) if each["pid"]]

    async def total(self, name: str) -> float | None:
        """Return one figure of the page, ``None`` while it is not there."""
        found: dict[str, float] = (await self.status()).get("totals", {})
        return found.get(name)

    async def until_ready(self) -> None:
        """Return once every process receives."""

        async def is_ready() -> bool:
            found = await self.status()
            return bool(found) and found["ready"]["ok"]

        await until(is_ready, running=self)

    async def until_ended(self) -> int:
        """Return the exit code."""

        async def has_ended() -> bool:
            return self.process.poll() is not None

        await until(has_ended, running=self)
        return self.process.returncode


async def until(condition: Callable[[], Awaitable[bool]], *, running: Running, seconds: float = 30) -> None:
    """Return once *condition* holds; the one place where these tests wait."""
    try:
        async with asyncio.timeout(seconds):
            # Another process changes what is looked at: there is no event to wait for.
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        log = running.log_file.read_text()
        pytest.fail(f"{condition.__name__} does not hold after {seconds} s; notes: {running.notes}; log:\n{log}")


@contextmanager
def started(tmp_path: Path, serve: str, **settings: str) -> Iterator[Running]:
    """Run the program with *serve* as its pipeline; *settings* are LOGFANOUT_ variables in lower case."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("__SERVE__", textwrap.indent(serve, "    ")))
    port = free_port()
    notes, log = tmp_path / "notes", tmp_path / "log"
    given = {"http_port": str(port), "http_host": "127.0.0.1", "drain_seconds": "20"} | settings
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LOGFANOUT_")}
    environ |= {f"LOGFANOUT_{name.upper()}": value for name, value in given.items()} | {"NOTES": str(notes)}
    with (
        log.open("wb") as sink,
        subprocess.Popen([sys.executable, str(program)], env=environ, stderr=sink) as process,
    ):
        try:
            yield Running(process=process, port=port, notes_file=notes, log_file=log)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_process_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C let it finish, and finishing is success; the signal's name is known to who drains."""
    with started(tmp_path, WORKS) as running:
        await running.until_ready()
        assert await running.pids() == [running.process.pid]
        running.process.send_signal(number)
        assert await running.until_ended() == 0
        assert running.notes == ["0 serves", f"0 stops: {number.name}"]


async def test_one_process_that_does_not_drain_is_cut_off(tmp_path: Path) -> None:
    """Past its drain time it leaves by itself, before the orchestrator kills it, and says so."""
    with started(tmp_path, NEVER_DRAINED, drain_seconds="0.1") as running:
        await running.until_ready()
        running.process.terminate()
        assert await running.until_ended() == 1
        assert [line["signal"] for line in running.said("drain_cut")] == ["SIGTERM"]


async def test_told_twice_one_process_leaves_at_once(tmp_path: Path) -> None:
    """The second Ctrl-C is from someone who does not want to wait."""
    with started(tmp_path, NEVER_DRAINED, drain_seconds="600") as running:
        await running.until_ready()
        running.process.send_signal(signal.SIGINT)
        await until(noted(running, "0 drains"), running=running)
        running.process.send_signal(signal.SIGINT)
        assert await running.until_ended() == 1


async def test_a_crash_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    """What nobody foresaw is logged like anything else, and not taken for a normal end."""
    with started(tmp_path, CRASHES) as running:
        assert await running.until_ended() == 1
        (line,) = running.said("worker_crashed")
        assert line["exception"][0]["exc_value"] == "nobody foresaw this"


@pytest.mark.parametrize("processes", [pytest.param("1", marks=pytest.mark.long), "2"])
async def test_a_port_that_is_taken_ends_it_with_2(tmp_path: Path, processes: str) -> None:
    """The variable to change is named, and nothing is received before."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started(tmp_path, WORKS, http_port=port, processes=processes) as running:
            assert await running.until_ended() == 2
            assert running.log_file.read_text().startswith(f"LOGFANOUT_HTTP_PORT: port {port}")
            assert running.notes == []


async def test_figures_of_all_processes_are_summed_up(tmp_path: Path) -> None:
    """One scrape shows the worker as a whole: counters and what is in hand as sums, ages as the greatest."""
    with started(tmp_path, WORKS, processes="2") as running:
        await running.until_ready()
        text = await running.get("/metrics")
        assert "logfanout_messages_received_total 3.0" in text
        assert "logfanout_messages_in_flight 30.0" in text
        assert "logfanout_oldest_in_flight_seconds 1.0" in text
        assert text.count("# TYPE logfanout_process_restarts_total counter") == 1
        running.process.terminate()
        assert await running.until_ended() == 0


async def test_stopping_reaches_every_process_once(tmp_path: Path) -> None:
    """Each drains on its own; when all are through, the exit code is 0, in time."""
    with started(tmp_path, WORKS, processes="2") as running:
        await running.until_ready()
        pids = await running.pids()
        running.process.terminate()
        assert await running.until_ended() == 0
        assert sorted(running.told) == ["0 serves", "0 stops: SIGTERM", "1 serves", "1 stops: SIGTERM"]
        assert not running.shared.exists()
        assert not [pid for pid in pids if runs(pid)]
        assert {line["process"] for line in running.log if "process" in line} <= {0, 1}


async def test_a_crashed_process_is_started_again(tmp_path: Path) -> None:
    """The others go on; what the dead one had in hand is no longer shown, what it had counted still is."""
    with started(tmp_path, WORKS, processes="2") as running:
        await running.until_ready()
        first, second = await running.pids()
        os.kill(first, signal.SIGKILL)

        async def is_down() -> bool:
            return "process 0 is down" in await running.get("/healthz")

        await until(is_down, running=running)
        assert await running.total("logfanout_messages_in_flight") == 20
        assert await running.total("logfanout_messages_received_total") == 3

        await running.until_ready()
        replaced, kept = await running.pids()
        assert (replaced != first, kept) == (True, second)
        assert await running.total("logfanout_messages_in_flight") == 30
        assert await running.total("logfanout_messages_received_total") == 4
        assert await running.total("logfanout_process_restarts_total") == 1
        (ended,) = running.said("process_ended")
        assert (ended["index"], ended["exit_code"]) == (0, -signal.SIGKILL)
        running.process.terminate()
        assert await running.until_ended() == 0


@pytest.mark.long
async def test_a_process_that_keeps_crashing_is_given_time(tmp_path: Path) -> None:
    """Each start comes later than the one before, and a stop does not wait for the next."""
    with started(tmp_path, CRASHES, processes="2") as running:

        async def has_crashed_twice() -> bool:
            return len(running.said("process_ended")) >= 4

        await until(has_crashed_twice, running=running)
        delays = [line["restart_seconds"] for line in running.said("process_ended") if line["index"] == 0]
        assert delays[:2] == [1, 2]
        running.process.terminate()
        assert await running.until_ended() == 0


async def test_wrong_settings_are_not_tried_again(tmp_path: Path) -> None:
    """What one process refuses the next would refuse too: the supervisor ends with the same code."""
    with started(tmp_path, REFUSES, processes="2") as running:
        assert await running.until_ended() == 2
        assert len(running.notes) <= 2
        assert not running.said("process_ended")
        assert "LOGFANOUT_SLOTS: is wrong" in running.log_file.read_text()


@pytest.mark.long
async def test_a_process_that_hangs_is_killed_in_the_end(tmp_path: Path) -> None:
    """Its loop answers no signal, so that nothing is left but to kill it, and that is a failure."""
    with started(tmp_path, HANGS, processes="2", drain_seconds="0.2") as running:
        await until(noted(running, "0 hangs"), running=running)
        await until(noted(running, "1 hangs"), running=running)
        pids = await running.pids()

        async def is_seen() -> bool:
            seen = (await running.status())["processes"]
            return all(each["silent_seconds"] > 1.2 for each in seen)

        await until(is_seen, running=running)
        running.process.terminate()
        assert await running.until_ended() == 1
        assert sorted(line["pid"] for line in running.said("process_killed")) == sorted(pids)
        assert not [pid for pid in pids if runs(pid)]


async def test_told_twice_the_supervisor_leaves_at_once(tmp_path: Path) -> None:
    """It takes its processes with it, however long they would have drained."""
    with started(tmp_path, NEVER_DRAINED, processes="2", drain_seconds="600") as running:
        await running.until_ready()
        pids = await running.pids()
        running.process.terminate()
        await until(noted(running, "0 drains"), running=running)
        assert "stopping: SIGTERM" in await running.get("/readyz")
        running.process.send_signal(signal.SIGINT)
        assert await running.until_ended() == 1
        assert not [pid for pid in pids if runs(pid)]


async def test_without_its_supervisor_a_process_drains_and_leaves(tmp_path: Path) -> None:
    """A supervisor that was killed could not tell anyone: its processes notice."""
    with started(tmp_path, WORKS, processes="2") as running:
        await running.until_ready()
        pids = await running.pids()
        running.process.kill()

        async def all_gone() -> bool:
            return not [pid for pid in pids if runs(pid)]

        await until(all_gone, running=running)
        assert sorted(running.told)[1::2] == ["0 stops: supervisor gone", "1 stops: supervisor gone"]
        assert not running.shared.exists()


async def test_a_terminals_signals_reach_processes_through_the_supervisor_only(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole foreground group; a worker process told by it and by us would end at once."""
    with started(tmp_path, WORKS, processes="2") as running:
        await running.until_ready()
        group = os.getpgid(running.process.pid)
        assert not [pid for pid in await running.pids() if os.getpgid(pid) == group]
        running.process.terminate()
        assert await running.until_ended() == 0


def test_delays_grow_to_half_a_minute() -> None:
    """1, 2, 4 … 30 seconds for a process that ends soon after each start."""
    delays = [0.0]
    for _ in range(8):
        delays.append(next_delay(delays[-1], lived_seconds=0.1))
    assert delays[1:] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_who_lived_for_a_minute_starts_anew() -> None:
    """A rare crash is not made worse by one of last week."""
    assert next_delay(LAST_DELAY_SECONDS, lived_seconds=SOUND_SECONDS) == FIRST_DELAY_SECONDS
    assert next_delay(LAST_DELAY_SECONDS, lived_seconds=SOUND_SECONDS - 1) == LAST_DELAY_SECONDS


def noted(running: Running, line: str) -> Callable[[], Awaitable[bool]]:
    """Return the condition that *line* is among the notes."""

    async def has_noted() -> bool:
        return line in running.notes

    return has_noted


def runs(pid: int) -> bool:
    """Whether *pid* is a process that still runs: a zombie waits for its parent only."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

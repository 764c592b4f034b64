"""Who starts, watches, restarts and stops the worker processes?

    one:      signal ──► stop ──► serve ends, here, with the console in the same loop
    several:  signal ──► supervisor ──► SIGTERM to each worker process ──► serve ends there
              console ◄── Status ◄── heartbeats ◄──┘

A supervisor reads no queue: it needs neither AWS nor the pipeline, and stays small.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from logfanout import telemetry
from logfanout.console import heartbeat, metrics
from logfanout.console.health import Health, ProcessSeen, Status, Stop, seen_here
from logfanout.console.server import serving
from logfanout.loops import loop_factory
from logfanout.settings import Settings, SettingsWrong

COMMAND = (sys.executable, "-m", "logfanout", "run")

FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS = 1.0, 30.0
SOUND_SECONDS = 60.0  # who lived so long starts anew with the first delay
# Past drain_seconds: the worker's own end comes first, so that it can say what it left; both before ECS's SIGKILL,
# which the default drain of 25 s leaves 5 s for.
WORKER_GRACE_SECONDS, SUPERVISOR_GRACE_SECONDS = 2.0, 3.0

DONE, FAILED, SETTINGS_WRONG = 0, 1, 2  # exit codes, CONTRACT §2
ORPHANED = "supervisor gone"  # in place of a signal's name
NOT_STARTED = 127  # as a shell says it


class Serve(Protocol):
    """What a worker process does: ``app.serve``."""

    async def __call__(self, settings: Settings, *, stop: Stop, health: Health) -> None:
        """Deliver until *stop*, drain, return."""
        ...


def run(
    settings: Settings,
    serve: Serve,
    *,
    environ: Mapping[str, str],
    command: Sequence[str] = COMMAND,
) -> int:
    """Work in as many processes as *settings* wants until a signal says to stop; return the exit code.

    With *environ* saying that this is a supervisor's child, *serve* runs here and reports to it. *command* starts
    such a child.

    Raises:
        SettingsWrong: the console's port is taken, or there is no place for the children's metrics.
    """
    at = heartbeat.place(environ)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            if at is None and settings.process_count > 1:
                return runner.run(_supervise(settings, command=command, environ=environ))
            return runner.run(_work(settings, serve, at=at, environ=environ))
    except SettingsWrong:
        raise
    except Exception as error:  # noqa: BLE001  the end of this process: to be said as one line, not as a dump
        telemetry.WorkerCrashed(error=repr(error)).emit()
        return FAILED


def next_delay(previous_seconds: float, *, lived_seconds: float) -> float:
    """Return how long to wait before a process that ended by itself is started again."""
    if previous_seconds == 0 or lived_seconds >= SOUND_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(previous_seconds * 2, LAST_DELAY_SECONDS)


async def _work(settings: Settings, serve: Serve, *, at: heartbeat.Place | None, environ: Mapping[str, str]) -> int:
    """Serve in this process."""
    health, stop, started = Health(), Stop(), datetime.now(UTC)
    async with _ending(settings.drain_seconds + WORKER_GRACE_SECONDS, stop.ask) as ending:
        around: AbstractAsyncContextManager[None]
        if at is not None:
            around = heartbeat.reporting(at, health, orphaned=lambda: ending.ask(ORPHANED))
        else:
            host, port = settings.http_host, settings.http_port
            around = serving(host=host, port=port, status=lambda: seen_here(health, stop, started=started))
        async with around:
            await serve(settings, stop=stop, health=health)
    if ending.cut:
        telemetry.DrainCut(signal=stop.signal).emit()
    if stop.signal == ORPHANED:
        metrics.remove_shared(environ)
    return FAILED if ending.cut else DONE


async def _supervise(settings: Settings, *, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Keep the worker processes running, and show them on the console."""
    with metrics.shared_directory() as shared:
        shared_environ = {**environ, metrics.SHARED_VARIABLE: str(shared)}
        crew = _Crew(settings.process_count, command=command, environ=shared_environ, shared=shared)
        host, port = settings.http_host, settings.http_port
        async with (
            _ending(settings.drain_seconds + SUPERVISOR_GRACE_SECONDS, crew.stop) as ending,
            serving(host=host, port=port, status=crew.status, shared=shared),
        ):
            await crew.run(ending)
        return FAILED if ending.cut else crew.exit_code


@dataclass(slots=True, kw_only=True)
class _Slot:
    """The place of one worker process, and who stands in it."""

    index: int
    running: asyncio.subprocess.Process | None = None
    sign_seconds: float = 0.0  # when its loop last gave a sign, or it was started: this event loop's time
    said: heartbeat.Beat = heartbeat.NONE_YET
    restarts: int = 0


class _Crew:
    """The worker processes. Its coroutines own the slots; ``status`` reads them."""

    def __init__(self, count: int, *, command: Sequence[str], environ: Mapping[str, str], shared: Path) -> None:
        self._slots = [_Slot(index=index) for index in range(count)]
        self._command, self._environ, self._shared = command, environ, shared
        self._started = datetime.now(UTC)
        self._stopping = asyncio.Event()
        self._why = ""
        self.exit_code = DONE

    def __repr__(self) -> str:
        return f"<_Crew {self._slots} {self._why}>"

    def status(self) -> Status:
        """What the processes look like at this moment."""
        now = asyncio.get_running_loop().time()
        seen = tuple(_seen(slot, now=now) for slot in self._slots)
        return Status(started=self._started, now=datetime.now(UTC), stopping=self._why, processes=seen)

    def stop(self, why: str) -> None:
        """Ask every process to stop, and start none any more."""
        self._why = why
        self._stopping.set()
        for slot in self._slots:
            _terminate(slot)

    async def run(self, ending: "_Ending") -> None:
        """Keep every slot filled; return when all processes have ended after ``stop``."""
        async with asyncio.TaskGroup() as tasks:
            for slot in self._slots:
                tasks.create_task(self._keep(slot, ending), name=f"process {slot.index}")

    async def _keep(self, slot: _Slot, ending: "_Ending") -> None:
        """Run one process after the other in *slot*."""
        delay, loop = 0.0, asyncio.get_running_loop()
        while not self._stopping.is_set():
            began, error = loop.time(), ""
            try:
                code = await self._live(slot)
            except OSError as refused:  # no process or descriptor left just now: the others work on
                code, error = NOT_STARTED, str(refused)
            if code == SETTINGS_WRONG:  # it has said why, and another would say the same
                self.exit_code = SETTINGS_WRONG
                ending.ask("settings wrong")
            elif not self._stopping.is_set():
                delay = next_delay(delay, lived_seconds=loop.time() - began)
                telemetry.ProcessEnded(index=slot.index, exit_code=code, restart_seconds=delay, error=error).emit()
                slot.restarts += 1
                await _pause(delay, unless=self._stopping)
            # SIGTERM ends a process that was still starting: it had nothing in hand.
            elif code not in (DONE, -signal.SIGTERM):
                self.exit_code = max(self.exit_code, FAILED)

    async def _live(self, slot: _Slot) -> int:
        """Start a process in *slot* and return its exit code; leaving early kills it."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    env={**self._environ, **heartbeat.marks(slot.index, theirs)},
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # a terminal's Ctrl-C reaches it through us only
                )
            async with self._standing_in(slot, process), aclosing(heartbeat.beats(ours)) as beats:
                async for beat in beats:
                    slot.said, slot.sign_seconds = beat, asyncio.get_running_loop().time()
                return await process.wait()

    @asynccontextmanager
    async def _standing_in(self, slot: _Slot, process: asyncio.subprocess.Process) -> AsyncIterator[None]:
        telemetry.ProcessStarted(index=slot.index, pid=process.pid).emit()
        slot.running, slot.sign_seconds = process, asyncio.get_running_loop().time()
        try:
            if self._stopping.is_set():
                _terminate(slot)
            yield
        finally:
            if process.returncode is None:
                telemetry.ProcessKilled(index=slot.index, pid=process.pid).emit()
                process.kill()
                await process.wait()
            slot.running, slot.said = None, heartbeat.NONE_YET
            metrics.forget_live(slot.index, self._shared)


class _Ending:
    """The end of a block: asked for once, it has a deadline; asked for twice, it is now."""

    def __init__(self, deadline: asyncio.Timeout, seconds: float, begin: Callable[[str], None]) -> None:
        self._deadline, self._seconds, self._begin = deadline, seconds, begin
        self._asked = False
        self.cut = False  # the block was left before it was done

    def __repr__(self) -> str:
        return f"<_Ending asked={self._asked} cut={self.cut} {self._deadline!r}>"

    def ask(self, why: str) -> None:
        """Begin to end, unless it has begun."""
        if not self._asked:
            self._asked = True
            self._at(asyncio.get_running_loop().time() + self._seconds)
            self._begin(why)

    def on_signal(self, name: str) -> None:
        """Begin to end, or end."""
        if self._asked:
            self._at(asyncio.get_running_loop().time())
        else:
            self.ask(name)

    def _at(self, loop_seconds: float) -> None:
        if not self._deadline.expired():
            self._deadline.reschedule(loop_seconds)


@asynccontextmanager
async def _ending(seconds: float, begin: Callable[[str], None]) -> AsyncIterator[_Ending]:
    """Let SIGTERM and SIGINT call *begin*; leave the block *seconds* later if it has not ended, as ``cut``."""
    loop = asyncio.get_running_loop()
    deadline = asyncio.timeout(None)
    ending = _Ending(deadline, seconds, begin)
    try:
        async with deadline:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, ending.on_signal, number.name)
            try:
                yield ending
            finally:
                for number in (signal.SIGTERM, signal.SIGINT):
                    loop.remove_signal_handler(number)
    except TimeoutError:
        if not deadline.expired():  # not ours: the block's own
            raise
        ending.cut = True


def _terminate(slot: _Slot) -> None:
    if slot.running is not None:
        with suppress(ProcessLookupError):  # it has ended, and its task is about to see it
            slot.running.terminate()


def _seen(slot: _Slot, *, now: float) -> ProcessSeen:
    return ProcessSeen(
        process=slot.index,
        pid=slot.running.pid if slot.running else None,
        silent_seconds=round(now - slot.sign_seconds, 3) if slot.running else 0.0,
        receiving=slot.said.receiving,
        credentials=slot.said.credentials,
        restarts=slot.restarts,
    )


async def _pause(seconds: float, *, unless: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await unless.wait()

"""How is the fleet under test started and stopped?

    python -m logfanout run, with an environment of its own ──► ready ──► SIGTERM ──► its exit code

A real process, told everything through its environment as in production; nothing of the caller's AWS or
logfanout settings reaches it but the number of processes and the log level.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from logfanout.demo.emulator import Session, free_port, tail
from logfanout.demo.errors import DemoFailed
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION

READY_SECONDS = 30.0
STOP_SECONDS = 30.0  # the stop timeout of the task definition: past it ECS kills
LEAVE_SECONDS = 5.0  # how long one who pressed Ctrl-C waits for a drain nobody will look at

PASSED_ON = ("LOG_LEVEL", "LOGFANOUT_PROCESSES")
WITHHELD_PREFIXES = ("AWS_", "LOGFANOUT_")
WITHHELD = (
    "SQS_QUEUE_URL",
    "TENANT_CONFIG_TABLE",
    "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN",
    "EXECUTION_MODE",
    "SOURCE_BUCKET",
    "SCAN_INTERVAL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The running worker."""

    process: subprocess.Popen[bytes]
    console_url: str
    log: Path

    def check(self) -> None:
        """Raise ``DemoFailed`` if it has ended though nobody asked it to."""
        if (code := self.process.poll()) is not None:
            raise DemoFailed(
                f"The worker ended by itself with exit code {code}.\n{tail(self.log)}\nIts log: {self.log}"
            )

    async def stop(self) -> int | None:
        """Ask it to stop as ECS does; return its exit code, ``None`` if it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                # Polled: a child process that is not asyncio's own has no event to wait for.
                while self.process.poll() is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        return self.process.poll()


@asynccontextmanager
async def fleet(environment: Mapping[str, str], log: Path, *, command: str = "run") -> AsyncIterator[Fleet]:
    """Run the worker until the block ends; it is ready when the block begins.

    With *command* empty, the environment's ``EXECUTION_MODE`` says what it does.
    """
    with _spawned(environment, log, command=command) as running:
        await _until_ready(running)
        yield running


@contextmanager
def _spawned(environment: Mapping[str, str], log: Path, *, command: str) -> Iterator[Fleet]:
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and commands, no shell
            [sys.executable, "-m", "logfanout", *command.split()],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C is the demo's to answer
        )
    console_url = f"http://127.0.0.1:{environment['LOGFANOUT_HTTP_PORT']}"
    with process:
        try:
            yield Fleet(process=process, console_url=console_url, log=log)
        finally:
            _end(process)


def environment(
    region: Region, *, endpoint_url: str, session: Session, processes: str | None, caller: Mapping[str, str]
) -> dict[str, str]:
    """Return everything the worker is told; *processes* wins over the caller's ``LOGFANOUT_PROCESSES``."""
    kept = {
        name: value
        for name, value in caller.items()
        if name in PASSED_ON or not (name.startswith(WITHHELD_PREFIXES) or name in WITHHELD)
    }
    if processes is not None:
        kept["LOGFANOUT_PROCESSES"] = processes
    return kept | {
        "SQS_QUEUE_URL": region.queue_url,
        "TENANT_CONFIG_TABLE": region.table,
        "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN": region.central_role_arn,
        "AWS_REGION": HOME_REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": session.access_key,
        "AWS_SECRET_ACCESS_KEY": session.secret_key,
        "AWS_SESSION_TOKEN": session.token,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "LOGFANOUT_HTTP_HOST": "127.0.0.1",
        "LOGFANOUT_HTTP_PORT": str(free_port()),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


async def _until_ready(running: Fleet) -> None:
    """Return once ``/readyz`` says yes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while True:
                running.check()
                with suppress(aiohttp.ClientError):
                    async with http.get(f"{running.console_url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
    raise DemoFailed(
        f"The worker was not ready within {READY_SECONDS:.0f} s.\n{tail(running.log)}\nIts log: {running.log}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what still runs because the demo was interrupted or failed."""
    # First by asking: a supervisor that is killed leaves its worker processes to find that out for themselves.
    process.terminate()
    try:
        process.wait(timeout=LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()

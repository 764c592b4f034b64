"""How is the worker under test started, watched and stopped?

    python -m logfanout run, pinned, told of the stub by its environment ──► Worker ──► SIGTERM ──► exit code 0

A real process with the settings an operator would leave as they are.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes, wire
from bench.stub import HOST

STOP_SECONDS = 40.0
# What a machine's own processes need to run; nothing else of the caller's environment reaches the worker.
PASSED_ON = (
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)


class WorkerFailed(Exception):
    """The worker ended by itself or with an error; its log says why."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The running worker."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        self.check()
        return processes.cpu_seconds(self.process.pid)

    @property
    def peak_bytes(self) -> int:
        """The most memory all its processes had so far."""
        self.check()
        return processes.peak_bytes(self.process.pid)

    def check(self) -> None:
        """Raise ``WorkerFailed`` if it has ended."""
        if (code := self.process.poll()) is not None:
            raise WorkerFailed(f"the worker ended by itself with {code}; its log: {_tail(self.log)}")


def environment(port: int, given: Mapping[str, str]) -> dict[str, str]:
    """Return all that a worker is told; *given* are the profile's settings."""
    url = f"http://{HOST}:{port}"
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIATASK",
        "AWS_SECRET_ACCESS_KEY": "task-secret",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SQS_QUEUE_URL": f"{url}{wire.QUEUE_PATH}",
        "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN": wire.CENTRAL_ROLE,
        "LOGFANOUT_HTTP_PORT": "0",
        "LOGFANOUT_LOG_FORMAT": "json",
        **given,
    }


@contextmanager
def running(port: int, *, settings: Mapping[str, str], cores: Collection[int], log: Path) -> Iterator[Worker]:
    """Run a worker for the block; at its end it must stop with 0 when told to."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "logfanout", "run"],
            env=environment(port, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            if cores:
                os.sched_setaffinity(process.pid, cores)  # before it starts another: they inherit it
            yield Worker(process, log)
            process.send_signal(signal.SIGTERM)
            if (code := process.wait(STOP_SECONDS)) != 0:
                raise WorkerFailed(f"told to stop, the worker ended with {code}; its log: {_tail(log)}")
        finally:
            process.kill()
            process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]

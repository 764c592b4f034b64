"""Is this worker alive, and is it ready?

    Health, one a process ──► ProcessSeen ──► Status ──► alive, ready ──► Answer

Pure: *now* comes in with the facts. Alive is the orchestrator's question: a "no" has the container replaced.
"""

import asyncio
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import logfanout

# Far above any pause of a healthy loop, and above a long garbage collection on a throttled vCPU.
STUCK_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Health:
    """What one worker process knows of itself; the worker sets it, the console and the heartbeat read it."""

    receiving: bool = False  # the last ReceiveMessage was answered
    credentials: bool = False  # the task's own credentials are at hand


class Stop(asyncio.Event):
    """Set when this process is to take no more and drain."""

    def __init__(self) -> None:
        super().__init__()
        self.signal = ""  # what asked for it

    def ask(self, signal: str) -> None:
        """Set it, because of *signal*."""
        self.signal = signal
        self.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSeen:
    """One worker process at this moment."""

    process: int
    pid: int | None  # None: it ended and waits to be started again
    silent_seconds: float  # since its event loop last gave a sign
    receiving: bool
    credentials: bool
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All that health is decided from, and all the console shows."""

    started: datetime
    now: datetime
    stopping: str
    processes: tuple[ProcessSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Yes, or no and why."""

    ok: bool
    reasons: tuple[str, ...]  # empty if and only if *ok*


def seen_here(health: Health, stop: Stop, *, started: datetime) -> Status:
    """Return the status of a worker without a supervisor: its loop turns, or nobody would ask."""
    here = ProcessSeen(
        process=0,
        pid=os.getpid(),
        silent_seconds=0.0,
        receiving=health.receiving,
        credentials=health.credentials,
        restarts=0,
    )
    return Status(started=started, now=datetime.now(UTC), stopping=stop.signal, processes=(here,))


def alive(status: Status) -> Answer:
    """Whether every process is up and its loop turns; while stopping, a process may be gone already."""
    reasons = []
    for seen in status.processes:
        if seen.pid is None:
            if not status.stopping:
                reasons.append(f"process {seen.process} is down")
        elif seen.silent_seconds >= STUCK_SECONDS:
            reasons.append(f"process {seen.process} has been silent for {seen.silent_seconds:.0f} s")
    return _answer(reasons)


def ready(status: Status) -> Answer:
    """Whether every process receives and has credentials, and nobody has asked it to stop."""
    reasons = list(alive(status).reasons)
    if status.stopping:
        reasons.append(f"stopping: {status.stopping}")
    for seen in status.processes:
        if seen.pid is not None:
            reasons += [f"process {seen.process} {lack}" for lack in _lacks(seen)]
    return _answer(reasons)


def as_json(status: Status) -> dict[str, Any]:
    """Return *status* and both answers as ``/status.json`` gives them out."""
    return {
        "version": logfanout.__version__,
        "started": status.started.isoformat(timespec="seconds"),
        "uptime_seconds": round((status.now - status.started).total_seconds(), 3),
        "stopping": status.stopping or None,
        "alive": asdict(alive(status)),
        "ready": asdict(ready(status)),
        "processes": [asdict(seen) for seen in status.processes],
    }


def _lacks(seen: ProcessSeen) -> list[str]:
    return [
        *([] if seen.credentials else ["has no credentials"]),
        *([] if seen.receiving else ["is not receiving"]),
    ]


def _answer(reasons: list[str]) -> Answer:
    return Answer(ok=not reasons, reasons=tuple(reasons))

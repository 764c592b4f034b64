"""How many bytes may be in hand at once, and may another message come?

    container's limit ──► budget ──► Gate: take, give ──► open, or nothing is received

Slots bound how many messages are in hand, not how large they are: thirty objects of a gigabyte are no more messages
than thirty of a kilobyte. The gate bounds bytes. It stops receiving, never what is under way: that would wait for
bytes which only itself can give back.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from logfanout import telemetry

# An event that is counted once lies in memory up to three times: in the chunk it was cut from, in its encoded batch,
# and in the request's body. A quarter so counted is three quarters used at the most; the rest is Python, the libraries,
# TLS buffers and sessions, some 100 MiB of the smallest Fargate task's 512 MiB.
SHARE = 1 / 4
REOPEN_AT = 3 / 4  # of the budget: shut by one batch and opened by its end, every receiver would run at each
LEAST_BUDGET_BYTES = 8 * 1024**2  # one object's batches under way: with less a gate would be shut by any object

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def budget_bytes(limit: int, *, processes: int = 1) -> int:
    """Return the bytes each of *processes*, which share *limit* bytes of memory, may have in hand."""
    return max(int(limit * SHARE) // processes, LEAST_BUDGET_BYTES)


def limit_bytes(*, cgroups: Path = CGROUPS, own_cgroups: Path = OWN_CGROUPS, physical: int | None = None) -> int:
    """Return the memory this process may use: the least of its control groups' limits and the machine's.

    A limit may be set on any ancestor, and in a container one's own path often is not to be seen, its root being the
    container's group. A task on Fargate whose limit is the task's alone sees none: the machine is then the task's own.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if physical is None else physical
    return min([machine, *_limits(cgroups, _read(own_cgroups))])


def _limits(cgroups: Path, own: str) -> Iterator[int]:
    """Yield the limits set for the groups that *own* (/proc/self/cgroup, see cgroups(7)) lists, and for those above."""
    yield from _upwards(cgroups, "/", "memory.max")
    yield from _upwards(cgroups / "memory", "/", "memory.limit_in_bytes")
    for line in own.splitlines():
        match line.split(":", 2):
            case ["0", "", path]:
                yield from _upwards(cgroups, path, "memory.max")
            case [_, controllers, path] if "memory" in controllers.split(","):
                yield from _upwards(cgroups / "memory", path, "memory.limit_in_bytes")
            case _:
                pass


def _upwards(root: Path, path: str, name: str) -> Iterator[int]:
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    for depth in range(len(parts), -1, -1):
        text = _read(root.joinpath(*parts[:depth], name)).strip()
        if text.isdecimal() and int(text):  # v2 writes "max" for none; v1 a number no machine has
            yield int(text)


def _read(path: Path) -> str:
    """Return what *path* holds; a file that is not there, or not for us, holds nothing."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


class Gate:
    """The bytes in hand, against their budget: shut when it is reached, open again a quarter below.

    What is held is not refused, however large: a single event over the budget shuts the gate and passes.
    """

    def __init__(self, budget_bytes: int) -> None:
        if budget_bytes < 1:
            raise ValueError(f"a gate of {budget_bytes} bytes would never open")
        self.budget_bytes = budget_bytes
        self.held_bytes = 0
        self.open = True  # whether another message may come
        self._opened = asyncio.Event()  # set while it is
        self._opened.set()

    def __repr__(self) -> str:
        return f"<Gate {'open' if self.open else 'shut'}, {self.held_bytes} of {self.budget_bytes} bytes in hand>"

    async def until_open(self) -> None:
        """Return once another message may come; at once if it may now."""
        while not self.open:  # it may have been shut again before this task had its turn
            await self._opened.wait()

    def take(self, size_bytes: int) -> None:
        """Count *size_bytes* more as in hand; never waits."""
        self.held_bytes += size_bytes
        if self.open and self.held_bytes >= self.budget_bytes:
            self.open = False
            self._opened.clear()
            telemetry.ReceivingPaused(bytes=self.held_bytes, budget_bytes=self.budget_bytes).emit()

    def give(self, size_bytes: int) -> None:
        """Count *size_bytes* as gone.

        Raises:
            ValueError: more has gone than ever came.
        """
        if size_bytes > self.held_bytes:
            raise ValueError(f"{size_bytes} bytes are given back of {self.held_bytes} in hand")
        self.held_bytes -= size_bytes
        if not self.open and self.held_bytes <= self.budget_bytes * REOPEN_AT:
            self.open = True
            self._opened.set()

    def holding(self, size_bytes: int) -> "_Holding":
        """Count *size_bytes* as in hand for the length of the block."""
        return _Holding(self, size_bytes)


class _Holding:
    """Bytes in hand for the length of a block; no generator's, as each object and each batch has one."""

    __slots__ = ("_gate", "_size_bytes")

    def __init__(self, gate: Gate, size_bytes: int) -> None:
        self._gate = gate
        self._size_bytes = size_bytes

    def __enter__(self) -> None:
        self._gate.take(self._size_bytes)

    def __exit__(self, *raised: object) -> None:
        self._gate.give(self._size_bytes)

"""How much processor time and memory does a process use, its children included?

    pid ──► every descendant in /proc ──► seconds of CPU, bytes of memory at their peak

Linux only. CPU time is read from the kernel's clock of each process, which is exact to the nanosecond and counts
threads that have ended; ``/proc/<pid>/stat`` counts in hundredths of a second.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def tree(pid: int) -> Iterator[int]:
    """Yield *pid* and all its descendants that live."""
    yield pid
    for task in (PROC / str(pid) / "task").glob("*"):
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of *pid* and its descendants so far."""
    # clock_getcpuclockid(3): the clock of a process is its number's complement, shifted, and 2 for "by the scheduler".
    return sum(time.clock_gettime((~each << 3) | 2) for each in tree(pid))


def peak_bytes(pid: int) -> int:
    """Return the most memory each had resident at some time, added up: no less than their peak together."""
    return sum(_peak_bytes(each) for each in tree(pid))


def _peak_bytes(pid: int) -> int:
    found = _PEAK.search((PROC / str(pid) / "status").read_text())
    return int(found[1]) * 1024 if found else 0


def are_enough(workers: int) -> bool:
    """Whether *workers* processes that do the same may be compared with one: that takes a core each, and the stub's."""
    return workers == 1 or len(cores()) > workers


def cores() -> tuple[int, ...]:
    """Return the processors that may be used, in order."""
    return tuple(sorted(os.sched_getaffinity(0)))

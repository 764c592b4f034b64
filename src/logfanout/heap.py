"""How does the process's own memory cost the processor the least?

    begin: keep_freed_memory ──► all is open: spare_the_collector, into_huge_pages ──► settle, as the heap grows

The work would be the same without. Where the platform has no such thing, nothing happens.
"""

import asyncio
import ctypes
import gc
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path

# glibc's mallopt(3). It maps what is larger than 128 KiB afresh each time, and returns what is free at the end of the
# heap above as much again: of pieces of a mebibyte every page would be faulted in anew, a fifth of the time of all.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 * 1024**2  # free at the heap's end; of an idle worker's memory it is what a busy one had
_MAPPED_FROM_BYTES = 32 * 1024**2  # the most there is

_COLLECT_AFTER = 10_000  # objects made and not freed: a megabyte or two

HUGE_BYTES = 2 * 1024**2
_SMALL_BYTES = 4096  # the pages that these are put together from; machines with others have other huge ones
_MADV_COLLAPSE = 25  # madvise(2), since Linux 6.1; elsewhere it is refused
MAPS = Path("/proc/self/maps")
FIRST_SETTLING_SECONDS = 5.0
LONGEST_SETTLING_SECONDS = 300.0


def keep_freed_memory() -> bool:
    """Let the allocator keep what is freed for what is allocated next; return whether it understood."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl, macOS: theirs have no such thing
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES) and mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))


def spare_the_collector() -> None:
    """Let the garbage collector look less often, and never again at what is there by now: modules, tables, clients.

    A message makes some thousand objects and no cycles but in its errors; with Python's own thresholds the collector
    took a twentieth of the time of small objects to find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def into_huge_pages(*, maps: Path = MAPS) -> int:
    """Have the kernel put the heap and Python's arenas into pages of 2 MiB; return how many lie in such now.

    A message's way leads over more pages of 4 KiB than a processor keeps the addresses of, and under a hypervisor each
    is looked up in two tables. What of a block was not in use yet is in memory then, some megabytes of all.
    """
    if sys.platform != "linux" or mmap.PAGESIZE != _SMALL_BYTES:
        return 0
    try:
        blocks = own_blocks(maps.read_text())
    except OSError:  # a container without /proc
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    return sum(madvise(address, HUGE_BYTES, _MADV_COLLAPSE) == 0 for address in blocks)


def own_blocks(maps: str) -> Iterator[int]:
    """Yield the addresses of the blocks of 2 MiB that *maps* (proc(5), "/proc/pid/maps") shows no file behind."""
    for line in maps.splitlines():
        match line.split():
            case [addresses, rights, _, _, "0", *name] if rights == "rw-p" and name in ([], ["[heap]"]):
                start, end = (int(address, 16) for address in addresses.split("-"))
                yield from range(-(-start // HUGE_BYTES) * HUGE_BYTES, end - HUGE_BYTES + 1, HUGE_BYTES)


async def settle() -> None:
    """Put into huge pages what the heap grows by, more and more seldom; ends only when cancelled."""
    seconds = FIRST_SETTLING_SECONDS
    while True:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(into_huge_pages)  # a block takes the kernel milliseconds, and messages are in hand
        seconds = min(2 * seconds, LONGEST_SETTLING_SECONDS)

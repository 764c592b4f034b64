"""Is the process's own memory where it costs the least, and is it still the same?"""

import asyncio
import gc
import platform
from pathlib import Path

import pytest

from logfanout import heap
from logfanout.heap import HUGE_BYTES, own_blocks
from logfanout.testing.clock import virtual_time

MAPS = """\
00400000-00421000 r--p 00000000 fe:00 99       /usr/bin/python3.11
00421000-0c6d5000 r-xp 00021000 fe:00 99       /usr/bin/python3.11
00a6b000-00bfe000 rw-p 0066a000 fe:00 99       /usr/bin/python3.11
00c00000-01000000 rw-p 00000000 00:00 0
01ff0000-02810000 rw-p 00000000 00:00 0        [heap]
7f0000200000-7f0000400000 ---p 00000000 00:00 0
7f0000400000-7f00007fffff rw-p 00000000 00:00 0
7f0000a00000-7f0000c00000 rw-s 00000000 00:01 77 /dev/zero (deleted)
7f0000c00000-7f0000e00000 rw-s 00000000 00:01 0
7ffd00000000-7ffd00400000 rw-p 00000000 00:00 0 [stack]
"""


def test_freed_memory_is_kept_where_the_allocator_can() -> None:
    """glibc's can; to ask another's is no error."""
    assert heap.keep_freed_memory() == (platform.libc_ver()[0] == "glibc")


def test_the_collector_leaves_alone_what_was_there() -> None:
    """It still finds the cycles that are made afterwards."""
    before = gc.get_threshold()
    try:
        heap.spare_the_collector()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_the_blocks_are_whole_and_nobody_elses() -> None:
    """No file is behind them, nobody shares them, and it is neither a guard nor the stack."""
    assert list(own_blocks(MAPS)) == [
        0x00C00000,
        0x00E00000,
        0x02000000,
        0x02200000,
        0x02400000,
        0x02600000,
        0x7F0000400000,
    ]


def test_memory_is_the_same_in_huge_pages() -> None:
    """What lies in them afterwards is what lay there before; where the kernel cannot, nothing happens."""
    blocks = [bytes([n]) * HUGE_BYTES for n in range(8)]
    huge = heap.into_huge_pages()
    assert all(block == bytes([n]) * HUGE_BYTES for n, block in enumerate(blocks))
    if huge:
        rollup = Path("/proc/self/smaps_rollup").read_text().split("AnonHugePages:")[1]
        assert int(rollup.split()[0]) * 1024 >= HUGE_BYTES


def test_nothing_is_asked_of_a_process_without_memory_of_its_own(tmp_path: Path) -> None:
    """And where nothing tells what memory there is."""
    assert heap.into_huge_pages(maps=tmp_path / "maps") == 0
    (tmp_path / "maps").write_text("")
    assert heap.into_huge_pages(maps=tmp_path / "maps") == 0


@virtual_time
async def test_the_heap_is_looked_at_more_and_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the start, when it grows, and at the longest every five minutes."""
    loop = asyncio.get_running_loop()
    looks: list[float] = []

    async def at_once(call: object) -> None:
        assert call is heap.into_huge_pages
        looks.append(loop.time() - began)

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    began = loop.time()
    settling = asyncio.create_task(heap.settle())
    await asyncio.sleep(1300)
    settling.cancel()
    assert looks == [5, 15, 35, 75, 155, 315, 615, 915, 1215]

"""How much memory is ours, and when is enough of it in use?"""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.memory import (
    LEAST_BUDGET_BYTES,
    REOPEN_AT,
    Gate,
    budget_bytes,
    limit_bytes,
)
from logfanout.testing.clock import virtual_time

MIB = 1024**2
MACHINE = 8192 * MIB


def limit(root: Path, own: str, files: dict[str, str], *, machine: int = MACHINE) -> int:
    """Return the limit on a machine whose control groups hold *files*, for a process in *own*."""
    for name, text in files.items():
        path = root / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "own").write_text(own)
    return limit_bytes(cgroups=root / "cgroup", own_cgroups=root / "own", physical=machine)


def test_a_container_sees_its_limit_at_the_root(tmp_path: Path) -> None:
    """Version 2, with a namespace of its own, as containers have."""
    assert limit(tmp_path, "0::/\n", {"memory.max": f"{512 * MIB}\n"}) == 512 * MIB


def test_the_least_limit_above_the_process_counts(tmp_path: Path) -> None:
    """A service's slice may be narrower than the service."""
    files = {"a.slice/b.service/memory.max": f"{900 * MIB}\n", "a.slice/memory.max": f"{700 * MIB}\n"}
    assert limit(tmp_path, "0::/a.slice/b.service\n", files) == 700 * MIB


def test_no_limit_leaves_the_machine(tmp_path: Path) -> None:
    """As in a task on Fargate whose containers have none of their own."""
    assert limit(tmp_path, "0::/\n", {"memory.max": "max\n"}) == MACHINE


def test_version_1_limits_count(tmp_path: Path) -> None:
    """Where the path listed is the host's, which the container does not see, the root it sees is its own."""
    own = "5:cpu,cpuacct:/docker/f00\n4:memory:/docker/f00\n"
    assert limit(tmp_path, own, {"memory/memory.limit_in_bytes": f"{256 * MIB}\n"}) == 256 * MIB


def test_version_1_writes_a_huge_number_for_none(tmp_path: Path) -> None:
    """No machine has as much."""
    files = {"memory/docker/f00/memory.limit_in_bytes": "9223372036854771712\n"}
    assert limit(tmp_path, "4:memory:/docker/f00\n", files) == MACHINE


@pytest.mark.parametrize("own", ["", "nonsense\n", "0::/../../etc\n", "4:memory\n", "1:name=systemd:/x\n"])
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, own: str) -> None:
    """Not every machine is Linux, and no file of it stops the worker."""
    assert limit(tmp_path, own, {"memory.max": "\xff\n", "memory/memory.limit_in_bytes": "0\n"}) == MACHINE


def test_this_machine_has_a_limit() -> None:
    """By the paths that are used in earnest."""
    assert limit_bytes() > 16 * MIB


def test_the_budget_is_a_quarter_shared_by_the_processes() -> None:
    """Each process has Python and the libraries to itself, and a budget that no object fits into would be none."""
    assert budget_bytes(1024 * MIB) == 256 * MIB
    assert budget_bytes(1024 * MIB, processes=4) == 64 * MIB
    assert budget_bytes(16 * MIB, processes=4) == LEAST_BUDGET_BYTES


def test_a_gate_shuts_at_its_budget_and_opens_a_quarter_below() -> None:
    """In between it stays as it is."""
    gate = Gate(100)
    gate.take(99)
    assert gate.open
    gate.take(1)
    assert not gate.open
    gate.give(24)
    assert not gate.open
    gate.give(1)
    assert gate.open
    gate.take(24)
    assert gate.open


def test_one_event_larger_than_the_budget_passes() -> None:
    """It is in hand already; refusing to count it would not make it smaller."""
    gate = Gate(10)
    with gate.holding(1000):
        assert not gate.open
    assert gate.open
    assert gate.held_bytes == 0


def test_more_cannot_go_than_came() -> None:
    """A gate that counts wrongly opens too soon, or never again."""
    gate = Gate(10)
    gate.take(5)
    with pytest.raises(ValueError, match="6 bytes are given back of 5"):
        gate.give(6)


def test_a_gate_without_a_budget_is_refused() -> None:
    """It would shut for good."""
    with pytest.raises(ValueError, match="never open"):
        Gate(0)


@virtual_time
async def test_receivers_wait_until_the_gate_opens() -> None:
    """All that waited go on; who comes to an open gate does not wait."""
    gate = Gate(100)
    await gate.until_open()
    gate.take(100)
    went_on: list[float] = []

    async def receiver() -> None:
        await gate.until_open()
        went_on.append(asyncio.get_running_loop().time())

    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(receiver())
        await asyncio.sleep(5)
        gate.give(50)
    assert went_on == [began + 5] * 3


@virtual_time
async def test_a_gate_shut_again_at_once_lets_nobody_through() -> None:
    """To be woken is not to be let through: by then the bytes may be taken."""
    gate = Gate(100)
    gate.take(100)
    waiting = asyncio.create_task(gate.until_open())
    await asyncio.sleep(0)
    gate.give(100)
    gate.take(100)
    await asyncio.sleep(1)
    assert not waiting.done()
    gate.give(100)
    await waiting


@given(st.integers(1, 100), st.lists(st.integers(-60, 60), max_size=50))
def test_the_gate_follows_what_is_held(budget: int, changes: list[int]) -> None:
    """Open below the mark, shut from the budget on, empty always open."""
    gate = Gate(budget)
    for change in changes:
        if change >= 0:
            gate.take(change)
        else:
            gate.give(min(-change, gate.held_bytes))
        assert gate.held_bytes >= 0
        if gate.held_bytes >= budget:
            assert not gate.open
        if gate.held_bytes <= budget * REOPEN_AT:
            assert gate.open
    gate.give(gate.held_bytes)
    assert gate.open

"""Is the table asked only when it can know more, and missed by nobody when it is down?"""

import asyncio

from logfanout.errors import AccessRefused, Unavailable
from logfanout.ledger.ledgers import FLEET_SECONDS, Ledgers
from logfanout.ledger.memory import FINISHED, NOTHING, WorkerLedger
from logfanout.ledger.ranges import Ranges
from logfanout.ports import Memory
from logfanout.testing import FakeLedger, LoopClock, virtual_time


def progress(*positions: int) -> Memory:
    return Memory(taken={"acme": Ranges.of(positions)})


def fleet_of(*, workers: int) -> tuple[FakeLedger, list[Ledgers]]:
    clock = LoopClock()
    table = FakeLedger(clock=clock)
    return table, [Ledgers(WorkerLedger(clock=clock), fleet=table) for _ in range(workers)]


@virtual_time
async def test_the_happy_path_asks_nobody() -> None:
    """A new object is looked up in memory, and finished in memory."""
    table, [ledgers] = fleet_of(workers=1)
    assert await ledgers.recall("a", ask_fleet=False) == NOTHING
    await ledgers.remember("a", FINISHED, tell_fleet=False)
    assert await ledgers.recall("a", ask_fleet=False) == FINISHED
    assert table.calls.total() == 0


@virtual_time
async def test_what_one_worker_told_another_knows() -> None:
    """If it asks."""
    _, [one, other] = fleet_of(workers=2)
    await one.remember("a", progress(1, 2), tell_fleet=True)
    assert await other.recall("a", ask_fleet=False) == NOTHING
    assert await other.recall("a", ask_fleet=True) == progress(1, 2)


@virtual_time
async def test_both_memories_count() -> None:
    """What the table did not take yet and what another worker told it."""
    table, [one, other] = fleet_of(workers=2)
    await one.remember("a", progress(1), tell_fleet=True)
    await other.remember("a", progress(5), tell_fleet=False)
    assert await other.recall("a", ask_fleet=True) == progress(1, 5)
    table.fail_next(100, Unavailable("down"))
    assert await other.recall("a", ask_fleet=True) == progress(1, 5), "what was told is kept"


@virtual_time
async def test_what_is_known_to_be_finished_is_not_asked_for() -> None:
    """There is nothing more to know."""
    table, [ledgers] = fleet_of(workers=1)
    await ledgers.remember("a", FINISHED, tell_fleet=True)
    assert await ledgers.recall("a", ask_fleet=True) == FINISHED
    assert table.calls["recall"] == 0


@virtual_time
async def test_a_table_that_stumbles_is_asked_again() -> None:
    """A lost write would be a duplicate."""
    table, [one, other] = fleet_of(workers=2)
    table.fail_next(2, Unavailable("throttled"))
    await one.remember("a", progress(1), tell_fleet=True)
    assert await other.recall("a", ask_fleet=True) == progress(1)


@virtual_time
async def test_a_table_that_is_down_stops_nothing() -> None:
    """Nor one we may not use: this worker's own memory serves."""
    for trouble in (Unavailable("down"), AccessRefused("no")):
        table, [ledgers] = fleet_of(workers=1)
        table.fail_next(100, trouble)
        await ledgers.remember("a", progress(1), tell_fleet=True)
        assert await ledgers.recall("a", ask_fleet=True) == progress(1)


@virtual_time
async def test_a_table_that_hangs_is_not_waited_for() -> None:
    """The SDK would, for a minute; a drain has half of that for everything."""
    table, [ledgers] = fleet_of(workers=1)
    table.slow(60)
    began = asyncio.get_running_loop().time()
    await ledgers.remember("a", progress(1), tell_fleet=True)
    assert await ledgers.recall("a", ask_fleet=True) == progress(1)
    assert asyncio.get_running_loop().time() - began == 2 * FLEET_SECONDS


@virtual_time
async def test_without_a_table_memory_serves() -> None:
    """As it does by default."""
    ledgers = Ledgers(WorkerLedger(clock=LoopClock()))
    await ledgers.remember("a", progress(1), tell_fleet=True)
    assert await ledgers.recall("a", ask_fleet=True) == progress(1)

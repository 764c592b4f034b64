"""Does time fly only when nothing else can happen?"""

import asyncio
import math
import time
from contextlib import suppress

import pytest

from logfanout.testing import Deadlock, LoopClock, VirtualTimeExceeded, run, virtual_time
from logfanout.testing.clock import NOON_MS


def test_an_hour_takes_no_time() -> None:
    """Timers fire in their order, each at its own time."""
    fired: list[tuple[str, float]] = []
    began = 0.0

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        fired.append((name, asyncio.get_running_loop().time() - began))

    async def story() -> None:
        nonlocal began
        began = asyncio.get_running_loop().time()
        await asyncio.gather(sleeper("late", 3600), sleeper("early", 0.25), sleeper("soon", 0))

    real = time.monotonic()
    run(story())
    assert fired == [("soon", 0.0), ("early", 0.25), ("late", 3600.0)]
    assert time.monotonic() - real < 10


@virtual_time
async def test_the_wall_clock_goes_with_the_loop() -> None:
    """In whole milliseconds, from noon."""
    clock = LoopClock()
    assert clock.epoch_ms() == NOON_MS
    for _ in range(1000):
        await asyncio.sleep(0.001)
    assert clock.epoch_ms() == NOON_MS + 1000


async def test_the_wall_clock_goes_with_a_real_loop_too() -> None:
    """It begins when first looked at."""
    assert LoopClock(start_ms=5).epoch_ms() == 5


@virtual_time
async def test_timeouts_are_virtual() -> None:
    """What would hang for an hour fails after one, at once."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()


@virtual_time
async def test_time_goes_on_to_a_timer_that_fires_early() -> None:
    """By less than the clock tells apart; who waits until his time has come gets there, whoever else waits."""
    loop = asyncio.get_running_loop()
    first = loop.time() + 0.2

    async def until(when: float, behind: int) -> None:
        while loop.time() < when:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(when):
                    await asyncio.Event().wait()
            for _ in range(behind):  # once: from then on it is so many turns of the loop behind the others
                await asyncio.sleep(0)
            behind = 0

    late = math.nextafter(first, math.inf)
    await asyncio.gather(until(first, 0), *(until(late, behind) for behind in range(4)))
    assert loop.time() == late


@virtual_time
async def test_an_executor_works_at_once() -> None:
    """A thread's real time would be lost; what it raises arrives."""
    assert await asyncio.to_thread(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 // 0)


def test_a_deadlock_names_who_waits() -> None:
    """Instead of hanging the test."""

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait(), name="the one that waits")

    with pytest.raises(Deadlock, match="the one that waits"):
        run(story())


def test_a_poller_nobody_stops_is_found() -> None:
    """It would spin for ever."""

    async def story() -> None:
        while True:  # noqa: ASYNC110  the mistake under test
            await asyncio.sleep(60)

    with pytest.raises(VirtualTimeExceeded):
        run(story(), most_seconds=3600)


@pytest.fixture
def seven() -> int:
    return 7


@virtual_time
async def test_fixtures_reach_a_decorated_test(seven: int) -> None:
    """Plain ones."""
    assert seven == 7

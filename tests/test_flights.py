"""Many who want the same thing at once get it by one call."""

import asyncio

import pytest

from logfanout.errors import Unavailable
from logfanout.flights import Flights
from logfanout.testing import virtual_time


class Source:
    """Something slow that counts how often it is asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.finished = 0
        self.error = error

    async def get(self) -> int:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(10)
        self.finished += 1
        if self.error:
            raise self.error
        return number


@virtual_time
async def test_all_who_come_meanwhile_share_one_call() -> None:
    """Whoever comes before it lands gets its result; whoever comes later starts another."""
    flights, source = Flights[str, int]("read"), Source()
    early = [asyncio.create_task(flights.join("a", source.get)) for _ in range(50)]
    await asyncio.sleep(9)
    assert await flights.join("a", source.get) == 1
    assert await asyncio.gather(*early) == [1] * 50
    assert await flights.join("a", source.get) == 2


@virtual_time
async def test_other_keys_are_other_calls() -> None:
    """One key does not wait for another."""
    flights, source = Flights[str, int]("read"), Source()
    assert sorted(await asyncio.gather(*(flights.join(key, source.get) for key in "abc"))) == [1, 2, 3]


@virtual_time
async def test_an_error_is_everybodys_and_is_not_kept() -> None:
    """All who waited hear of it; the next one tries again."""
    flights, source = Flights[str, int]("read"), Source(Unavailable("503"))
    waiting = [asyncio.create_task(flights.join("a", source.get)) for _ in range(3)]
    for task in waiting:
        with pytest.raises(Unavailable):
            await task
    source.error = None
    assert await flights.join("a", source.get) == 2


@virtual_time
async def test_who_is_cancelled_leaves_the_others_their_call() -> None:
    """Even the one who began it; and it goes on when nobody waits any more."""
    flights, source = Flights[str, int]("read"), Source()
    first = asyncio.create_task(flights.join("a", source.get))
    await asyncio.sleep(1)
    second = asyncio.create_task(flights.join("a", source.get))
    await asyncio.sleep(1)
    first.cancel()
    assert await second == 1
    alone = asyncio.create_task(flights.join("b", source.get))
    await asyncio.sleep(1)
    alone.cancel()
    await asyncio.sleep(20)
    assert source.finished == 2


@virtual_time
async def test_a_call_may_begin_without_anybody_waiting() -> None:
    """Its failure is nobody's then, and leaves no complaint behind."""
    flights, source = Flights[str, int]("read"), Source(Unavailable("503"))
    assert flights.begin("a", source.get) is flights.begin("a", source.get)
    assert repr(flights) == "<Flights read, 1 under way>"
    await asyncio.sleep(20)
    assert repr(flights) == "<Flights read, 0 under way>"
    assert source.calls == 1


@virtual_time
async def test_closing_cancels_what_is_under_way() -> None:
    """Nothing of it outlives the one who opened it."""
    flights, source = Flights[str, int]("read"), Source()
    flights.begin("a", source.get)
    waiting = asyncio.create_task(flights.join("b", source.get))
    await asyncio.sleep(1)
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (source.calls, source.finished) == (2, 0)

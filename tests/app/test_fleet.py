"""A stop is heard while the parts are still being opened."""

import asyncio

import pytest

from logfanout.app.fleet import unless_stopped
from logfanout.testing import virtual_time


async def opening(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "open"


@virtual_time
async def test_what_opens_in_time_is_open() -> None:
    """However long it takes, as long as nobody says stop."""
    assert await unless_stopped(opening(1000), stop=asyncio.Event()) == "open"


@virtual_time
async def test_a_stop_ends_the_opening() -> None:
    """AWS may not answer: nothing is in hand, so there is nothing to wait for."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(2, stop.set)
    assert await unless_stopped(opening(1000), stop=stop) is None
    assert loop.time() - began <= 3


@virtual_time
async def test_a_stop_that_came_before_is_heard_too() -> None:
    """The signal may be older than the loop's first turn."""
    stop = asyncio.Event()
    stop.set()
    assert await unless_stopped(opening(1000), stop=stop) is None


@virtual_time
async def test_a_timeout_of_its_own_is_no_stop() -> None:
    """What the opening itself has to say is not swallowed."""

    async def failing() -> None:
        raise TimeoutError("nobody answered")

    with pytest.raises(TimeoutError, match="nobody answered"):
        await unless_stopped(failing(), stop=asyncio.Event())

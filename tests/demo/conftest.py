"""One embedded AWS for all of these tests, emptied before each that asks for it."""

import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.demo.region import Region, provision
from logfanout.demo.roster import roster


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[Emulator]:
    with lasting_emulator() as aws:
        yield aws


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Return what polls a condition of another process until it holds, for ten seconds at most."""

    def polled(holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 10
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.02)
        return holds()

    return polled


@pytest.fixture
async def aws(shared_aws: Emulator) -> Emulator:
    await shared_aws.reset()
    return shared_aws


@pytest.fixture
async def region(aws: Emulator) -> AsyncIterator[Region]:
    """Five tenants: every variation there is."""
    yield await provision(aws, roster(5))

"""What an environment keeps between two invocations, and what happens if it could not be opened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from logfanout.errors import LogfanoutError, Unavailable
from logfanout.function.host import Host
from logfanout.function.invocations import Function, Source, Terms
from logfanout.memory import Gate
from logfanout.settings import SettingsWrong
from logfanout.testing import World
from logfanout.testing.couriers import courier_in


class Invocation:
    """Lambda's context."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class Opening:
    """Opens a function in a fake world; the first times it fails with *failures*."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.closed = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Function]:
        self.loops.append(asyncio.get_running_loop())
        if self.failures:
            raise self.failures.pop(0)

        async def find(_arn: str) -> Source:
            return Source()

        world = World()
        yield Function(courier_in(world), gate=Gate(1024), terms=Terms(slots=1, give_back_seconds=1), find=find)
        self.closed += 1


def test_it_is_opened_once_and_stays_open() -> None:
    """By the init, in the loop that all invocations run in."""
    opening = Opening()
    with Host(opening) as host:
        host.open()
        for _ in range(3):
            assert host.handle({"Records": []}, Invocation()) == {"batchItemFailures": []}
        assert (len(opening.loops), opening.closed) == (1, 0)
    assert opening.closed == 1


def test_what_could_not_be_opened_is_opened_by_the_next_event() -> None:
    """An event that comes before that is kept as a whole."""
    opening = Opening(Unavailable("503"), Unavailable("503"))
    with Host(opening) as host:
        host.open()
        with pytest.raises(LogfanoutError):
            host.handle({"Records": []}, Invocation())
        assert host.handle({"Records": []}, Invocation()) == {"batchItemFailures": []}
    assert len(opening.loops) == 3
    assert len(set(map(id, opening.loops))) == 1


def test_wrong_settings_fail_the_init() -> None:
    """Nothing would become of a later try."""
    with Host(Opening(SettingsWrong(["No AWS region"]))) as host, pytest.raises(SettingsWrong):
        host.open()

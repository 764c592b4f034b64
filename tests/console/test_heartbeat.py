"""How a worker process and its supervisor hear of each other, over a real pair of sockets."""

import asyncio
import socket

import pytest

from logfanout.console import heartbeat
from logfanout.console.health import Health


async def test_health_arrives_as_beats() -> None:
    """The first beat comes at once, and each tells what is so by then."""
    ours, theirs = socket.socketpair()
    health = Health(credentials=True)
    async with heartbeat.reporting(place(theirs), health, orphaned=never, every_seconds=0.001):
        said = heartbeat.beats(ours)
        assert await anext(said) == heartbeat.Beat(receiving=False, credentials=True)
        health.receiving = True
        async for beat in said:
            if beat.receiving:
                break
        await said.aclose()


async def test_beats_end_when_the_process_leaves() -> None:
    """The end of the block is the end of the line, without an error."""
    ours, theirs = socket.socketpair()
    async with heartbeat.reporting(place(theirs), Health(), orphaned=never):
        pass
    assert [beat async for beat in heartbeat.beats(ours)] in ([], [heartbeat.NONE_YET])


async def test_an_orphan_is_told_once() -> None:
    """When the supervisor's end is closed, by whatever death, the worker learns of it."""
    ours, theirs = socket.socketpair()
    told = asyncio.Event()
    times = []

    def orphaned() -> None:
        times.append(1)
        told.set()

    async with heartbeat.reporting(place(theirs), Health(), orphaned=orphaned):
        ours.close()
        async with asyncio.timeout(10):
            await told.wait()
    assert times == [1]


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    """The exit code hangs on it, so that it must not be wrapped."""
    ours, theirs = socket.socketpair()
    with ours, pytest.raises(KeyError):
        async with heartbeat.reporting(place(theirs), Health(), orphaned=never):
            raise KeyError("from within")


async def test_a_line_cut_short_is_passed_over() -> None:
    """A process may die in the middle of a line."""
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b'{"receiving":true,"credentials":true}\n{"receiv')
    assert [beat async for beat in heartbeat.beats(ours)] == [heartbeat.Beat(receiving=True, credentials=True)]


def test_the_marks_name_the_place() -> None:
    """What the supervisor puts into the environment is what its child reads there."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        marks = heartbeat.marks(3, theirs)
        assert heartbeat.place(marks) == heartbeat.Place(process=3, link_fd=theirs.fileno())
    assert heartbeat.place({"PATH": "/bin"}) is None


def test_the_marks_are_no_settings() -> None:
    """The settings refuse unknown names of ours, and these are none an operator may set."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not [name for name in heartbeat.marks(0, theirs) if name.startswith("LOGFANOUT_")]


def place(link: socket.socket) -> heartbeat.Place:
    """Return the place of a child that has inherited *link*."""
    return heartbeat.Place(process=0, link_fd=link.detach())


def never() -> None:
    raise AssertionError

"""How do a worker process and its supervisor know of each other?

    worker: Health ──► one line of JSON a second ──► supervisor: Beat
    worker: leaves  ◄── end of file ◄────────────── supervisor: is gone, however it ended

One pair of sockets does both. A line is written by the worker's event loop, so fresh ones mean that it turns.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import msgspec

from logfanout.console.health import Health

BEAT_SECONDS = 1.0

# Outside LOGFANOUT_: these are no operator's settings, and would be refused there.
PROCESS_VARIABLE = "_LOGFANOUT_PROCESS"
LINK_VARIABLE = "_LOGFANOUT_LINK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a worker process says of itself, once a second."""

    receiving: bool
    credentials: bool


NONE_YET = Beat(receiving=False, credentials=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this process stands under its supervisor."""

    process: int
    link_fd: int  # inherited


def marks(process: int, link: socket.socket) -> dict[str, str]:
    """Return the variables that tell a process its place; *link* must be passed on to it."""
    return {PROCESS_VARIABLE: str(process), LINK_VARIABLE: str(link.fileno())}


def place(environ: Mapping[str, str]) -> Place | None:
    """Return this process's place; ``None``: it has no supervisor."""
    if LINK_VARIABLE not in environ:
        return None
    return Place(process=int(environ[PROCESS_VARIABLE]), link_fd=int(environ[LINK_VARIABLE]))


@asynccontextmanager
async def reporting(
    at: Place, health: Health, *, orphaned: Callable[[], None], every_seconds: float = BEAT_SECONDS
) -> AsyncIterator[None]:
    """Report *health* to the supervisor while the block runs; call *orphaned* once if it goes away."""
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=at.link_fd))
    # No TaskGroup: it would wrap what the block raises, and the block decides the exit code.
    tasks = [
        asyncio.create_task(_beat(writer, health, every_seconds), name="heartbeat"),
        asyncio.create_task(_watch(reader, orphaned), name="supervisor watch"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        writer.close()
        with suppress(OSError):  # the other end may be gone
            await writer.wait_closed()


async def beats(link: socket.socket) -> AsyncGenerator[Beat, None]:
    """Yield what the process at the other end says, until it closes its end or dies."""
    reader, writer = await asyncio.open_unix_connection(sock=link)
    try:
        with suppress(ConnectionError):
            async for line in reader:
                with suppress(msgspec.DecodeError):  # cut short by its death
                    yield msgspec.json.decode(line, type=Beat)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _beat(writer: asyncio.StreamWriter, health: Health, every_seconds: float) -> None:
    with suppress(ConnectionError):  # _watch sees the supervisor's end
        while True:
            beat = Beat(receiving=health.receiving, credentials=health.credentials)
            writer.write(msgspec.json.encode(beat) + b"\n")
            await writer.drain()
            await asyncio.sleep(every_seconds)


async def _watch(reader: asyncio.StreamReader, orphaned: Callable[[], None]) -> None:
    """Wait for the supervisor to let go of its end; nothing is ever sent to us."""
    with suppress(ConnectionError):
        await reader.read()
    orphaned()

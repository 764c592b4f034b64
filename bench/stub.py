"""How does the bench answer as AWS without being what is measured?

    a process of its own:  connection ──► wire.head_of ──► operation ──► prepared bytes
    the harness:           Stub.announce ──► what arrived, what was asked, how busy the stub was

Over asyncio's bare protocols, with answers made beforehand. It is not ``logfanout.testing.strict_aws``, which judges
every request and is slower than a worker; that one is shown a sample (``sampling``), while here every event is counted.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, cast

import uvloop

from bench import wire
from bench.load import NOISY, Load, Notice, Stored, account_id, notices, stored
from bench.sampling import Sampler
from bench.sqs import Handed, Poll, Queue

HOST = "127.0.0.1"
LEASE_SECONDS = 120  # the worker's default visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The stub listens, and what it will serve."""

    port: int
    objects: tuple[Stored, ...]  # by variant


@dataclass(frozen=True, slots=True)
class Connected:
    """The worker asks for messages."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Announce so many objects, in the load's rhythm unless *at_once*."""

    count: int
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What happened between an ``Announce`` and the last of its messages' delete."""

    wall_seconds: float
    cpu_seconds: float  # the stub's own
    objects: int
    events: int  # that arrived
    amiss: int  # objects of which other than all events arrived, and puts with another tenant's session
    wrong: tuple[str, ...]  # what the strict double found in its sample
    looked_at: int  # puts in that sample
    requests: dict[str, int]
    most_assumed: int  # AssumeRole calls for the role asked for most often, since the stub began
    delays_seconds: dict[str, list[float]] = field(repr=False)  # announcement to accepted put: "noisy", "others"


def serve(load: Load, harness: Connection, cores: Collection[int]) -> None:
    """Be the stub: the target of a process; ends when the harness closes its side."""
    if cores:
        os.sched_setaffinity(0, cores)
    uvloop.run(_serve(load, harness))


async def _serve(load: Load, harness: Connection) -> None:
    stub = _Stub(load, harness)
    loop = asyncio.get_running_loop()

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        stub.ended.set()  # the harness hears of it by the closed pipe

    loop.set_exception_handler(fail)
    server = await loop.create_server(partial(_Door, stub), HOST, 0, backlog=512)
    async with server:
        harness.send(Ready(port=server.sockets[0].getsockname()[1], objects=stub.objects))
        hear(harness, stub.on_order)
        await stub.ended.wait()


def hear(harness: Connection, on_order: Callable[[], None]) -> None:
    """Have *on_order* called when the harness says something, without giving up to say more than a pipe holds at once.

    libuv makes what it watches non-blocking, and a ``Connection`` then leaves half of a long message in the pipe.
    """
    asyncio.get_running_loop().add_reader(harness.fileno(), on_order)
    os.set_blocking(harness.fileno(), True)


class _Stub:
    """All of AWS that a run needs."""

    def __init__(self, load: Load, harness: Connection) -> None:
        self.objects = tuple(stored(load, variant=variant) for variant in range(load.variants))
        self.heads = [wire.object_head(each, variant=variant) for variant, each in enumerate(self.objects)]
        self.queue = Queue()
        self.ended = asyncio.Event()
        self._load = load
        self._harness = harness
        self._sizes = [each.size_bytes for each in self.objects]
        self._chance = random.Random(0)
        self._connected = False
        self._next_serial = 1
        self._sampler = Sampler()
        self._assumed: Counter[str] = Counter()
        self._expected: dict[int, int] = {}  # events still owed, by serial
        self._announced: dict[int, tuple[float, int]] = {}  # when, and whose, until its first accepted put
        self._begin(0)

    def __repr__(self) -> str:
        return f"<_Stub {self.queue!r}>"

    def _begin(self, count: int) -> None:
        self._wanted = self.queue.deleted + count
        self._began, self._began_cpu = time.perf_counter(), time.process_time()
        self._requests: Counter[str] = Counter()
        self._events = self._amiss = 0
        self._count = count
        self._delays: dict[str, list[float]] = {"noisy": [], "others": []}

    # The harness.

    def on_order(self) -> None:
        """Do what the harness says."""
        try:
            order = self._harness.recv()
        except EOFError:
            self.ended.set()
            return
        self._begin(order.count)
        given = notices(self._load, first=self._next_serial, count=order.count)
        self._next_serial += order.count
        every = 0.0 if order.at_once else self._load.every_seconds
        if not every:
            for notice in given:
                self._announce(notice)
            return
        loop = asyncio.get_running_loop()
        start = loop.time()
        for turn, notice in enumerate(given):
            loop.call_at(start + turn * every, self._announce, notice)

    def _announce(self, notice: Notice) -> None:
        now = time.perf_counter()
        self._expected[notice.serial] = self._load.events
        self._announced[notice.serial] = (now, notice.tenant)
        self.queue.announce(notice, at_seconds=now)

    def _finish(self) -> None:
        self._harness.send(
            Served(
                wall_seconds=time.perf_counter() - self._began,
                cpu_seconds=time.process_time() - self._began_cpu,
                objects=self._count,
                events=self._events,
                amiss=self._amiss + len(self._expected),
                wrong=tuple(self._sampler.wrong),
                looked_at=self._sampler.looked_at,
                requests=dict(self._requests),
                most_assumed=max(self._assumed.values(), default=0),
                delays_seconds=self._delays,
            )
        )

    # The worker.

    def answer(self, head: wire.Head, raw_head: bytes, body: bytes, door: "_Door") -> None:
        """Answer one request."""
        self._requests[head.operation] += 1
        match head.operation:
            case "GetObject":
                door.write(self.heads[head.variant], *self.objects[head.variant].members)
            case "PutLogEvents":
                door.write(self._put(head, raw_head, body))
            case "ReceiveMessage":
                self._receive(body, door)
            case "DeleteMessageBatch":
                door.write(self._delete(body))
            case "ChangeMessageVisibilityBatch":
                door.write(self._hide(body))
            case "Query":
                door.write(wire.rows(body))
            case "AssumeRole":
                account = wire.role_account(body)
                self._assumed[account] += 1
                door.write(wire.session(account, now_seconds=time.time()))
            case "GetQueueAttributes":
                door.write(wire.answer(wire.EMPTY, wire.JSON_1_0))
            case other:
                raise ValueError(f"the bench does not know {other}")

    def _put(self, head: wire.Head, raw_head: bytes, body: bytes) -> bytes:
        put = wire.put_of(body)
        if put.tenant == NOISY and self._load.throttled and self._chance.random() < self._load.throttled:
            return wire.THROTTLED
        account = account_id(put.tenant)
        self._sampler.see(raw_head, body, account=account)
        self._amiss += head.caller.decode() != wire.access_key_of(account)
        self._events += put.events
        left = self._expected.get(put.serial, 0) - put.events
        self._expected[put.serial] = left
        if not left:
            del self._expected[put.serial]
        if (announced := self._announced.pop(put.serial, None)) is not None:
            when, tenant = announced
            kind = "noisy" if self._load.noisy_of and tenant == NOISY else "others"
            self._delays[kind].append(time.perf_counter() - when)
        return wire.ACCEPTED

    def _receive(self, body: bytes, door: "_Door") -> None:
        if not self._connected:
            self._connected = True
            self._harness.send(Connected())
        most, wait_seconds = wire.asked_of(body)
        poll = self.queue.receive(most, partial(self._hand, door))
        if poll is not None:
            door.polls = poll
            asyncio.get_running_loop().call_later(wait_seconds, self.queue.end, poll)

    def _hand(self, door: "_Door", handed: Handed) -> None:
        door.polls = None
        door.write(wire.messages(handed, self._sizes, now_ms=time.time_ns() // 1_000_000))

    def _delete(self, body: bytes) -> bytes:
        receipts = wire.receipts_of(body)
        before = self.queue.deleted
        for serial, _ in receipts:
            self.queue.delete(serial)
        if before < self._wanted <= self.queue.deleted:
            self._finish()
        return wire.batch_done(len(receipts))

    def _hide(self, body: bytes) -> bytes:
        receipts = wire.receipts_of(body)
        loop = asyncio.get_running_loop()
        for serial, seconds in receipts:
            if seconds != LEASE_SECONDS:  # that is an extension, which shows nothing before the run's end
                loop.call_later(seconds, self.queue.give_back(serial))
        return wire.batch_done(len(receipts))


class _Door(asyncio.Protocol):
    """One connection: requests one after the other, as our worker sends them."""

    def __init__(self, stub: _Stub) -> None:
        self._stub = stub
        self._parts: list[bytes] = []
        self._missing = 0
        self.polls: Poll | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what it waited for."""
        if self.polls is not None:
            self._stub.queue.forget(self.polls)

    def data_received(self, data: bytes) -> None:
        """Answer the request once it is whole."""
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        whole = b"".join(self._parts) if len(self._parts) > 1 else data
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            self._parts, self._missing = [whole], 0
            return
        raw_head = whole[:end]
        head = wire.head_of(raw_head)
        self._missing = end + 4 + head.length - len(whole)
        if self._missing > 0:
            self._parts = [whole]
            return
        self._parts, self._missing = [], 0
        self._stub.answer(head, raw_head, whole[end + 4 :], self)

    def write(self, *parts: bytes) -> None:
        """Send an answer."""
        if not self._transport.is_closing():
            self._transport.writelines(parts) if len(parts) > 1 else self._transport.write(parts[0])

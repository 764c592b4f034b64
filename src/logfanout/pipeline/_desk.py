"""How is what was handed to us, and not asked for, worked on side by side?

    Lease ──► Desk.lay ──► its lane's share of the slots ──► the gate ──► handle(Lease) ──► settled

Part of the step ``inbox``, for those ways in that bring their messages along: a Lambda invocation, a sweep of a bucket.
Whoever lays them down decides how many wait, and until when there is time.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from logfanout.memory import Gate
from logfanout.pipeline._leases import Lease
from logfanout.pipeline._shares import Shares, Start
from logfanout.ports import Received

Handle = Callable[[Lease], Awaitable[None]]


class Desk:
    """The messages in hand. Leaving its block cancels what still runs and waits for it.

    *handle* settles the lease it is given and never raises; *lane* names who shares the *slots* fairly.
    """

    def __init__(self, handle: Handle, *, slots: int, lane: Callable[[Received], Hashable], gate: Gate) -> None:
        self._handle = handle
        self._lane = lane
        self._gate = gate
        # Nobody is crowded out: what is laid down is kept until it is done with or taken back.
        self._shares: Shares[Lease] = Shares(slots=slots, room=sys.maxsize)
        self._running: dict[asyncio.Task[None], Lease] = {}
        self._waiting: dict[Lease, Hashable] = {}  # to their lanes, in order of arrival
        self._waiting_in: Counter[Hashable] = Counter()
        self._entrance = asyncio.Lock()
        self._left = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Desk {self._shares!r}>"

    async def __aenter__(self) -> "Desk":
        return self

    async def __aexit__(self, *raised: Any) -> None:
        self.take_back()
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    @property
    def waiting(self) -> int:
        """Messages that have no slot yet."""
        return len(self._waiting)

    @property
    def in_hand(self) -> int:
        """Messages that are worked on, or wait to be."""
        return len(self._running) + len(self._waiting)

    def lay(self, lease: Lease) -> None:
        """Work on *lease*'s message as soon as its lane has a slot."""
        lane, receives = self._lane(lease.message), lease.message.receive_count
        if isinstance(self._shares.arrive(lane, lease, receives=receives, now_seconds=_now()), Start):
            self._start(lease)
        else:
            self._waiting[lease] = lane
            self._waiting_in[lane] += 1

    def has_room(self, lane: Hashable, *, most: int, most_in_lane: int) -> bool:
        """Whether fewer than *most* wait for a slot, and of *lane* fewer than *most_in_lane*."""
        return self.waiting < most and self._waiting_in[lane] < most_in_lane

    async def until_room(self, lane: Hashable, *, most: int, most_in_lane: int) -> None:
        """Return once ``has_room`` says so."""
        while not self.has_room(lane, most=most, most_in_lane=most_in_lane):
            await self._until_one_leaves()

    async def until_clear(self) -> None:
        """Return once nothing is in hand."""
        while self.in_hand:
            await self._until_one_leaves()

    def take_back(self) -> list[Lease]:
        """Return what has not been started, the oldest first; it will not be."""
        self._shares.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        self._waiting_in.clear()
        return taken

    async def cut(self, *, by_seconds: float) -> list[Lease]:
        """Cancel what runs and return what is not settled then; what tidies up has until loop time *by_seconds*."""
        cut = list(self._running.values())
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=max(by_seconds - _now(), 0.0))
        for task in self._running:  # remembering progress takes a call: one without an answer is cut off
            task.cancel()
        await asyncio.sleep(0)
        return [lease for lease in cut if not lease.settled]

    async def _until_one_leaves(self) -> None:
        self._left.clear()
        await self._left.wait()

    def _start(self, lease: Lease) -> None:
        task = asyncio.get_running_loop().create_task(self._work(lease), name=lease.message.id)
        self._running[task] = lease
        task.add_done_callback(self._leave)

    async def _work(self, lease: Lease) -> None:
        async with self._entrance:  # one after the other: each finds the gate as the one before has left it
            await self._gate.until_open()
        await self._handle(lease)
        if not lease.settled:  # to settle it failed
            await lease.give_back()

    def _leave(self, task: asyncio.Task[None]) -> None:
        lease = self._running.pop(task)
        for next_lease in self._shares.leave(lease, now_seconds=_now()):
            lane = self._waiting.pop(next_lease)
            self._waiting_in[lane] -= 1
            if not self._waiting_in[lane]:
                del self._waiting_in[lane]
            self._start(next_lease)
        self._left.set()


def _now() -> float:
    return asyncio.get_running_loop().time()

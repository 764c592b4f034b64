"""Handed-in messages are worked on side by side: within the slots, past the gate, and until they are cut off."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from logfanout.memory import Gate
from logfanout.pipeline.inbox import Desk, Lease
from logfanout.ports import DeadLetter, Received
from logfanout.testing import virtual_time

Handle = Callable[[Lease], Awaitable[None]]


class Settled:
    """Whoever handed the messages in; it notes what becomes of them."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.given_back: list[str] = []

    async def delete(self, lease: Lease) -> None:
        lease.settled = True
        self.deleted.append(lease.message.id)

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        raise NotImplementedError

    async def give_back(self, lease: Lease, *, at_least_seconds: float = 0.0) -> None:
        lease.settled = True
        self.given_back.append(lease.message.id)


def leases(count: int, *, by: Settled, lane: str = "acme") -> list[Lease]:
    """Leases of messages whose body is their lane."""
    return [
        Lease(
            Received(id=f"{lane}-{n}", receipt=f"{lane}-{n}", body=lane, receive_count=1, sent_ms=0),
            inbox=by,
            now=asyncio.get_running_loop().time,
            seconds=60,
        )
        for n in range(count)
    ]


def desk(handle: Handle, *, slots: int = 8, gate: Gate | None = None) -> Desk:
    return Desk(handle, slots=slots, lane=lambda message: message.body, gate=gate or Gate(1024))


@virtual_time
async def test_all_that_is_laid_down_is_settled() -> None:
    """Side by side, never more than there are slots."""
    most = running = 0
    by = Settled()

    async def handle(lease: Lease) -> None:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1
        await lease.delete()

    async with desk(handle) as at:
        for lease in leases(50, by=by):
            at.lay(lease)
        await at.until_clear()
        assert at.in_hand == 0
    assert len(by.deleted) == 50
    assert most == 7  # a lane alone leaves the reserve to newcomers


@virtual_time
async def test_a_slow_lane_leaves_slots_to_others() -> None:
    """However many of its messages come first."""
    by = Settled()

    async def handle(lease: Lease) -> None:
        await asyncio.sleep(3600 if lease.message.body == "slow" else 1)
        await lease.delete()

    async with desk(handle) as at:
        for lease in leases(100, by=by, lane="slow") + leases(10, by=by, lane="quick"):
            at.lay(lease)
        await asyncio.sleep(60)
        assert by.deleted == [f"quick-{n}" for n in range(10)]


@virtual_time
async def test_one_may_wait_for_room() -> None:
    """So that a listing of millions is not laid down at once, and a slow lane's part of it not before the others'."""
    by = Settled()

    async def handle(lease: Lease) -> None:
        await asyncio.sleep(3600 if lease.message.body == "slow" else 1)
        await lease.delete()

    async with desk(handle) as at:
        for lease in leases(100, by=by):
            await at.until_room("acme", most=5, most_in_lane=5)
            at.lay(lease)
            assert at.waiting <= 5
        await at.until_clear()
        assert len(by.deleted) == 100
        for lease in leases(20, by=by, lane="slow"):
            at.lay(lease)
        assert at.waiting == 13
        await at.until_room("acme", most=14, most_in_lane=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await at.until_room("slow", most=100, most_in_lane=13)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await at.until_room("acme", most=13, most_in_lane=1)
        at.take_back()
        await at.until_room("slow", most=1, most_in_lane=1)


@virtual_time
async def test_a_shut_gate_holds_back_what_has_not_begun() -> None:
    """Until some bytes have left."""
    by, gate, began = Settled(), Gate(100), list[str]()

    async def handle(lease: Lease) -> None:
        began.append(lease.message.id)
        await lease.delete()

    gate.take(100)
    async with desk(handle, gate=gate) as at:
        for lease in leases(3, by=by):
            at.lay(lease)
        await asyncio.sleep(60)
        assert began == []
        gate.give(100)
        await at.until_clear()
    assert sorted(began) == ["acme-0", "acme-1", "acme-2"]


@virtual_time
async def test_what_was_not_settled_is_given_back() -> None:
    """As when settling itself failed."""
    by = Settled()

    async def handle(lease: Lease) -> None:
        """Leave it as it is."""

    async with desk(handle) as at:
        [lease] = leases(1, by=by)
        at.lay(lease)
        await at.until_clear()
    assert by.given_back == ["acme-0"]


@pytest.mark.parametrize("tidies", [0.0, 2.0, 3600.0])
@virtual_time
async def test_cutting_off_has_an_end(tidies: float) -> None:
    """What runs may tidy up for a while; what waits never begins."""
    by, tidied, ended = Settled(), list[str](), list[str]()

    async def handle(lease: Lease) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            try:
                await asyncio.sleep(tidies)
                tidied.append(lease.message.id)
            finally:
                ended.append(lease.message.id)
            raise

    began = asyncio.get_running_loop().time()
    async with desk(handle, slots=1) as at:
        for lease in leases(3, by=by):
            at.lay(lease)
        await asyncio.sleep(1)
        assert [lease.message.id for lease in at.take_back()] == ["acme-1", "acme-2"]
        cut = await at.cut(by_seconds=began + 5)
        assert [lease.message.id for lease in cut] == ["acme-0"]
    assert asyncio.get_running_loop().time() - began <= 5
    assert ended == ["acme-0"]
    assert bool(tidied) is (tidies < 4)

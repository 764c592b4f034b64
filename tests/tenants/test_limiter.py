"""How does the number of requests at once follow what an account takes?"""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from logfanout.errors import Throttled, Unavailable
from logfanout.tenants.limiter import Account, Limiter
from logfanout.testing.clock import virtual_time

ACME = Account("111122223333", "eu-west-1")


async def throttle(limiter: Limiter, key: object = ACME) -> None:
    """Make one request that is throttled."""
    with pytest.raises(Throttled):
        async with limiter.turn(key):
            raise Throttled("slow down")


async def fill(limiter: Limiter, key: object = ACME) -> int:
    """Make as many requests at once as the limit allows, all accepted; return how many."""
    count = limiter.limit(key)
    async with AsyncExitStack() as turns:
        for _ in range(count):
            await turns.enter_async_context(limiter.turn(key))
    return count


@virtual_time
async def test_an_account_begins_with_the_most() -> None:
    """It has not throttled; and no more than the most are under way, however many want to be."""
    limiter = Limiter(most=4)
    under_way: list[int] = [0, 0]

    async def request() -> None:
        async with limiter.turn(ACME):
            under_way[0] += 1
            under_way[1] = max(under_way)
            await asyncio.sleep(1)
            under_way[0] -= 1

    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(request())
    assert under_way == [0, 4]
    assert asyncio.get_running_loop().time() - began == 3


@virtual_time
async def test_a_throttled_answer_halves_and_accepted_ones_add_one_a_window() -> None:
    """Down fast, up slowly: the account is left alone before it has to ask twice."""
    limiter = Limiter(most=16)
    await throttle(limiter)
    assert [await fill(limiter) for _ in range(10)] == [8, 9, 10, 11, 12, 13, 14, 15, 16, 16]


@virtual_time
async def test_a_burst_of_throttles_halves_once() -> None:
    """Requests that were under way together are throttled together: that is one piece of news."""
    limiter = Limiter(most=16)
    async with AsyncExitStack() as turns:
        burst = [await turns.enter_async_context(limiter.turn(ACME)) for _ in range(16)]
        for turn in burst:
            turn.throttled()
    assert limiter.limit(ACME) == 8


@virtual_time
async def test_who_began_after_the_cut_may_cut_again() -> None:
    """The halved limit was too much as well; one is the least, as otherwise nothing would ever be learned again."""
    limiter = Limiter(most=16)
    limits = []
    for _ in range(6):
        await throttle(limiter)
        limits.append(limiter.limit(ACME))
    assert limits == [8, 4, 2, 1, 1, 1]


@virtual_time
async def test_accepted_requests_from_before_the_cut_do_not_raise_the_limit() -> None:
    """They were let in under a limit that proved too high."""
    limiter = Limiter(most=4)
    async with AsyncExitStack() as turns:
        burst = [await turns.enter_async_context(limiter.turn(ACME)) for _ in range(4)]
        burst[0].throttled()
    assert limiter.limit(ACME) == 2


@virtual_time
async def test_a_limit_nobody_reaches_is_not_raised() -> None:
    """One request at a time proves nothing about two."""
    limiter = Limiter(most=8)
    await throttle(limiter)
    await throttle(limiter)
    for _ in range(50):
        async with limiter.turn(ACME):
            pass
    assert limiter.limit(ACME) == 2


@virtual_time
async def test_an_error_of_another_kind_tells_nothing() -> None:
    """A timeout says neither that the account took it nor that it was too much."""
    limiter = Limiter(most=2)
    await throttle(limiter)
    for _ in range(5):
        with pytest.raises(Unavailable):
            async with limiter.turn(ACME):
                raise Unavailable("timeout")
    assert limiter.limit(ACME) == 1
    await fill(limiter)
    assert limiter.limit(ACME) == 2


@virtual_time
async def test_first_come_first_served() -> None:
    """No request overtakes another, a late one that finds a place free included."""
    limiter = Limiter(most=1)
    served: list[int] = []

    async def request(number: int) -> None:
        async with limiter.turn(ACME):
            served.append(number)
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(request(number))
        await asyncio.sleep(2)  # the very moment a place comes free
        group.create_task(request(5))
    assert served == [0, 1, 2, 3, 4, 5]


@virtual_time
async def test_accounts_do_not_wait_for_each_other() -> None:
    """The same account in another region is another one: quotas are counted so."""
    limiter = Limiter(most=1)
    async with limiter.turn(ACME), limiter.turn(Account(ACME.id, "us-east-1")), limiter.turn("other"):
        await throttle(limiter, "third")
    assert repr(limiter) == "<Limiter, 0 accounts busy, 0 idle and slowed>"


@virtual_time
async def test_a_cancelled_waiter_leaves_no_gap() -> None:
    """The place goes to the next, also if the cancellation comes at the moment it was granted."""
    limiter = Limiter(most=1)
    served: list[str] = []

    async def request(name: str) -> None:
        async with limiter.turn(ACME):
            served.append(name)

    async with asyncio.TaskGroup() as group:
        async with limiter.turn(ACME):
            early, late, kept = (group.create_task(request(name)) for name in ("early", "late", "kept"))
            await asyncio.sleep(0)
            early.cancel()
            await asyncio.sleep(0)
        late.cancel()  # its place was granted as the block above ended
    assert served == ["kept"]
    assert kept.done()
    assert repr(limiter) == "<Limiter, 0 accounts busy, 0 idle and slowed>"


@virtual_time
async def test_what_is_learned_outlives_the_moment_nobody_asks() -> None:
    """An account that throttled is not forgotten between two messages; of one that has not, nothing is kept."""
    limiter = Limiter(most=8, most_idle=2)
    for key in ("a", "b", "c"):
        await throttle(limiter, key)
    await fill(limiter, "well")
    assert [limiter.limit(key) for key in ("a", "b", "c", "well")] == [8, 4, 4, 8]
    assert repr(limiter) == "<Limiter, 0 accounts busy, 2 idle and slowed>"


def slowed() -> float:
    return REGISTRY.get_sample_value("logfanout_accounts_slowed") or 0.0


@virtual_time
async def test_the_gauge_counts_the_accounts_below_the_most() -> None:
    """It comes back down by recovery and by forgetting alike."""
    before = slowed()
    limiter = Limiter(most=2, most_idle=1)
    await throttle(limiter, "a")
    await throttle(limiter, "a")
    assert slowed() - before == 1
    await throttle(limiter, "b")  # a is forgotten
    assert slowed() - before == 1
    await fill(limiter, "b")
    assert slowed() - before == 0


@given(st.integers(1, 6), st.integers(1, 40), st.randoms(use_true_random=False))
def test_places_are_neither_lost_nor_made(most: int, requests: int, chance: random.Random) -> None:
    """However requests end, cancelled while they wait among them, never more than the most run, and all end."""
    limiter = Limiter(most=most)
    under_way: list[int] = []

    async def request(number: int) -> None:
        try:
            async with limiter.turn(ACME):
                under_way.append(number)
                assert len(under_way) <= most
                try:
                    await asyncio.sleep(chance.random())
                    if chance.random() < 0.3:
                        raise Throttled("slow down")
                finally:
                    under_way.remove(number)
        except Throttled:
            return

    @virtual_time
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(request(number)) for number in range(requests)]
            for task in tasks:
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.choice([0, chance.random() / 4]))
                    task.cancel()
        assert under_way == []
        assert repr(limiter).startswith("<Limiter, 0 accounts busy")

    story()


@virtual_time
async def test_it_settles_near_what_the_account_takes() -> None:
    """An account that answers five requests at a time and throttles the sixth is kept busy with about as many."""
    limiter = Limiter(most=64)
    taken = under_way = throttled = 0

    async def sender() -> None:
        nonlocal taken, under_way, throttled
        while taken < 3000:
            try:
                async with limiter.turn(ACME):
                    under_way += 1
                    try:
                        full = under_way > 5
                        await asyncio.sleep(0.1)
                        if full:
                            throttled += 1
                            raise Throttled("slow down")
                        taken += 1
                    finally:
                        under_way -= 1
            except Throttled:
                await asyncio.sleep(0.1)

    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(sender())
    seconds = asyncio.get_running_loop().time() - began
    assert taken / seconds > 0.7 * 50  # of what it takes
    assert throttled < taken / 4

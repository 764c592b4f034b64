"""Is the task protected while it works, and only then?"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from logfanout.errors import AccessRefused, Unavailable
from logfanout.protection import RELEASE_SECONDS, Guard, Step, Terms, run
from logfanout.testing import FakeTaskProtection, LoopClock, virtual_time

TERMS = Terms(minutes=10, renew_ahead_seconds=300, busy_seconds=5, idle_seconds=15)
SHARED = Terms(minutes=10, renew_ahead_seconds=300, busy_seconds=5, idle_seconds=15, shared=True)


def guard(terms: Terms = TERMS) -> Guard:
    return Guard(terms, chance=lambda: 1.0)


def steps(guarding: Guard, *looks: tuple[int, float]) -> list[Step]:
    """Return what to do at each look, (messages in hand, seconds), done as told."""
    done = []
    for in_hand, seconds in looks:
        step = guarding.step(in_hand=in_hand, now_seconds=seconds)
        if step is Step.PROTECT:
            guarding.protected(asked_seconds=seconds)
        elif step is Step.RELEASE:
            guarding.released()
        done.append(step)
    return done


def test_work_that_lasts_is_protected() -> None:
    """Once, not at each look."""
    assert steps(guard(), (1, 100), (2, 104), (1, 105), (1, 106)) == [
        Step.NOTHING,
        Step.NOTHING,
        Step.PROTECT,
        Step.NOTHING,
    ]


def test_a_message_now_and_then_is_not() -> None:
    """A quiet task must stay one that can be scaled in; the drain finishes what it has in hand."""
    assert steps(guard(), *((second % 2, 100 + 4 * second) for second in range(50))) == [Step.NOTHING] * 50


def test_protection_is_renewed_ahead_of_its_end() -> None:
    """As long as there is work."""
    guarding = guard()
    done = steps(guarding, *((1, float(second)) for second in range(100, 2000)))
    assert [100 + at for at, step in enumerate(done) if step is Step.PROTECT] == [105, 405, 705, 1005, 1305, 1605, 1905]


def test_protection_is_given_up_after_a_while_without_work() -> None:
    """Not between two messages."""
    guarding = guard()
    steps(guarding, (1, 100), (1, 105))
    assert steps(guarding, (0, 110), (0, 124), (1, 125), (0, 126)) == [Step.NOTHING] * 4
    assert steps(guarding, (0, 140), (0, 141), (0, 142)) == [Step.NOTHING, Step.RELEASE, Step.NOTHING]
    assert not guarding.is_held(now_seconds=142)


def test_work_that_begins_anew_near_the_end_renews_at_once() -> None:
    """It is not known yet how long it takes."""
    guarding = guard()
    steps(guarding, (1, 100), (1, 105), (0, 595), (1, 600))
    assert guarding.is_held(now_seconds=1199)


def test_protection_ends_by_itself() -> None:
    """When ECS does not answer for so long."""
    guarding = guard()
    steps(guarding, (1, 100), (1, 105))
    assert guarding.is_held(now_seconds=704.9)
    assert not guarding.is_held(now_seconds=705)


def test_a_failed_call_is_tried_again_later_and_later() -> None:
    """Up to five minutes apart; a success forgets the failures."""
    guarding = guard()
    asked = []
    for second in range(2000):
        if guarding.step(in_hand=1, now_seconds=float(second)) is Step.PROTECT:
            asked.append(second)
            guarding.failed(now_seconds=float(second))
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]
    guarding.protected(asked_seconds=2000)
    assert steps(guarding, (1, 2300)) == [Step.PROTECT]


def test_retries_are_spread() -> None:
    """Every task of a service sees ECS fail at the same moment."""
    guarding = Guard(TERMS, chance=lambda: 0.2)
    guarding.failed(now_seconds=100)
    assert steps(guarding, (1, 100.5), (1, 101), (1, 105.5)) == [Step.NOTHING, Step.NOTHING, Step.PROTECT]


def test_a_protection_whose_answer_was_lost_is_given_up_too() -> None:
    """ECS may have granted it."""
    guarding = guard()
    assert guarding.step(in_hand=1, now_seconds=100) is Step.NOTHING
    assert guarding.step(in_hand=1, now_seconds=105) is Step.PROTECT
    guarding.failed(now_seconds=105)
    assert steps(guarding, (0, 106), (0, 121)) == [Step.NOTHING, Step.RELEASE]


def test_a_shared_protection_is_left_to_expire() -> None:
    """Another process of the task may be at work; each renews, none gives up."""
    guarding = guard(SHARED)
    steps(guarding, (1, 100), (1, 105))
    assert steps(guarding, *((0, float(second)) for second in range(106, 1000))) == [Step.NOTHING] * 894
    assert not guarding.is_held(now_seconds=705)


class Work:
    """How many messages are in hand."""

    count = 0

    def __call__(self) -> int:
        return self.count


@asynccontextmanager
async def running(ecs: FakeTaskProtection, work: Callable[[], int], terms: Terms = TERMS) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run(ecs, in_hand=work, stop=stop, terms=terms))
        yield
        stop.set()


def gauge() -> float | None:
    return REGISTRY.get_sample_value("logfanout_task_protected")


@virtual_time
async def test_the_task_is_protected_while_it_works() -> None:
    """For hours if need be, and for moments longer."""
    ecs, work = FakeTaskProtection(clock=LoopClock()), Work()
    async with running(ecs, work):
        work.count = 3
        await asyncio.sleep(10)
        for _ in range(100):
            await asyncio.sleep(120)
            assert ecs.protected
            assert gauge() == 1
        assert ecs.calls["protect"] < 50
        work.count = 0
        await asyncio.sleep(20)
        assert not ecs.protected
        assert gauge() == 0
    assert ecs.calls["release"] == 1


@virtual_time
async def test_a_task_that_is_stopped_is_not_protected() -> None:
    """Whoever stops it has decided."""
    ecs, work = FakeTaskProtection(clock=LoopClock()), Work()
    work.count = 1
    async with running(ecs, work):
        await asyncio.sleep(10)
        assert ecs.protected
    assert not ecs.protected
    assert gauge() == 0


@virtual_time
async def test_an_idle_task_asks_for_nothing() -> None:
    """Neither at its start nor at its end."""
    ecs = FakeTaskProtection(clock=LoopClock())
    async with running(ecs, Work()):
        await asyncio.sleep(3600)
    assert ecs.calls.total() == 0


@virtual_time
async def test_an_agent_that_hangs_does_not_hold_up_the_stop() -> None:
    """The drain has a deadline."""
    ecs, work = FakeTaskProtection(clock=LoopClock()), Work()
    work.count = 1
    ecs.slow(3600)
    async with running(ecs, work):
        await asyncio.sleep(10)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began == pytest.approx(RELEASE_SECONDS)


@virtual_time
async def test_an_agent_that_is_down_stops_nothing() -> None:
    """It is asked again, and the metric tells the truth meanwhile."""
    for trouble in (Unavailable("down"), AccessRefused("no")):
        ecs, work = FakeTaskProtection(clock=LoopClock()), Work()
        work.count = 1
        async with running(ecs, work):
            await asyncio.sleep(10)
            ecs.fail_next(10_000, trouble)
            await asyncio.sleep(590)
            assert gauge() == 1
            await asyncio.sleep(20)
            assert not ecs.protected
            assert gauge() == 0
            ecs.heal()
            await asyncio.sleep(310)
            assert ecs.protected
            assert gauge() == 1
            ecs.fail_next(10_000, trouble)


@virtual_time
async def test_one_of_several_processes_takes_nothing_from_the_others() -> None:
    """The protection is the task's."""
    ecs, busy, idle = FakeTaskProtection(clock=LoopClock()), Work(), Work()
    busy.count = idle.count = 1
    async with running(ecs, busy, SHARED):
        async with running(ecs, idle, SHARED):
            await asyncio.sleep(10)
            idle.count = 0
            await asyncio.sleep(3600)
            assert ecs.protected
        await asyncio.sleep(1)
        assert ecs.protected
        busy.count = 0
        await asyncio.sleep(600)
        assert not ecs.protected
    assert ecs.calls["release"] == 0

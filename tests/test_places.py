"""Are there never more than there are places, and is nobody passed over?"""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from logfanout.places import Places
from logfanout.testing import virtual_time


@virtual_time
async def test_who_comes_first_is_served_first() -> None:
    """A newcomer takes no place that one who waits is about to have."""
    places, entered = Places(1), list[int]()

    async def visit(number: int) -> None:
        await places.enter()
        entered.append(number)
        await asyncio.sleep(1)
        places.leave()

    first = [asyncio.create_task(visit(number)) for number in range(3)]
    await asyncio.sleep(1.5)
    await asyncio.gather(*first, visit(3))
    assert entered == [0, 1, 2, 3]


@virtual_time
async def test_a_place_is_not_lost_with_one_who_was_just_given_it() -> None:
    """Cancelled in the moment it came, it goes to the next."""
    places = Places(1)
    await places.enter()
    given_up = asyncio.create_task(places.enter())
    next_one = asyncio.create_task(places.enter())
    await asyncio.sleep(0)
    places.leave()
    given_up.cancel()
    await next_one
    assert given_up.cancelled()
    assert repr(places) == "<Places, 1 of 1 taken, 0 wait>"


@settings(max_examples=50)
@given(
    most=st.integers(1, 4),
    visits=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=25),
)
def test_no_more_than_there_are_places(most: int, visits: list[tuple[int, int, bool]]) -> None:
    """Whoever comes, stays and gives up when; in the end all are free again."""

    @virtual_time
    async def story() -> None:
        places, inside, worst = Places(most), 0, 0

        async def visit(after: int, stays: int) -> None:
            nonlocal inside, worst
            await asyncio.sleep(after)
            await places.enter()
            inside += 1
            worst = max(worst, inside)
            try:
                await asyncio.sleep(stays)
            finally:
                inside -= 1
                places.leave()

        tasks = [asyncio.create_task(visit(after, stays)) for after, stays, _ in visits]
        await asyncio.sleep(3)
        for task, (_, _, gives_up) in zip(tasks, visits, strict=True):
            if gives_up:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert worst <= most
        assert repr(places) == f"<Places, 0 of {most} taken, 0 wait>"

    story()

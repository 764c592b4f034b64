"""A visit shows each letter once, changes only what it was told to, and leaves the rest as it was."""

import asyncio

import pytest

from logfanout.errors import AccessRefused, Unavailable
from logfanout.letters.letter import Chosen, Letter
from logfanout.letters.visit import HOLD_SECONDS, SentBack, Visit
from logfanout.pipeline.routes import KeyLayout
from logfanout.testing import FakeDeadLetters, FakeLetters, LoopClock, virtual_time


def letters_of(count: int) -> FakeLetters:
    letters = FakeLetters(clock=LoopClock())
    for n in range(count):
        letters.post(f"notification {n}", reason="bad_key")
    return letters


def visiting(letters: FakeLetters) -> Visit:
    return Visit(letters, letters, layout=KeyLayout.parse("{tenant}/{application}/"))


async def looked(visit: Visit, *, most: int = 1000) -> list[Letter]:
    return [letter async for letter in visit.look(most=most)]


@virtual_time
async def test_each_letter_is_shown_once_and_left_there() -> None:
    """Visible again at once, for the next who looks."""
    letters = letters_of(25)
    async with visiting(letters) as visit:
        found = await looked(visit)
        assert [letter.body for letter in found] == [f"notification {n}" for n in range(25)]
        assert (letters.visible, letters.in_flight) == (0, 25)
        assert not visit.full
    assert (letters.visible, letters.in_flight) == (25, 0)


@virtual_time
async def test_no_more_are_looked_at_than_asked_for() -> None:
    """It is said that there may be more; the others were never hidden."""
    letters = letters_of(25)
    async with visiting(letters) as visit:
        assert len(await looked(visit, most=12)) == 12
        assert visit.full
        assert letters.visible == 13


@virtual_time
async def test_a_visit_that_takes_too_long_ends() -> None:
    """Letters that come back meanwhile are not shown again."""
    letters = letters_of(3)
    async with visiting(letters) as visit:
        bodies = []
        async for letter in visit.look(most=1000):
            bodies.append(letter.body)
            await asyncio.sleep(HOLD_SECONDS + 1)
        assert len(bodies) == 3


@virtual_time
async def test_a_visit_that_fails_leaves_everything() -> None:
    """Also when SQS does not answer: it shows them by itself after a while."""
    letters = letters_of(3)
    letters.fail_next(100, Unavailable("503"), on="hide")
    with pytest.raises(ZeroDivisionError):
        async with visiting(letters) as visit:
            await looked(visit)
            raise ZeroDivisionError
    assert letters.in_flight == 3
    await asyncio.sleep(HOLD_SECONDS)
    assert letters.visible == 3


@virtual_time
async def test_what_is_sent_back_is_a_notification_again() -> None:
    """Without a word of what was said of it; then it is deleted, and the others are still there."""
    letters, queue = letters_of(25), FakeDeadLetters()
    async with visiting(letters) as visit:
        chosen = (await looked(visit))[:23]
        assert await visit.send_back(chosen, to=queue) == SentBack(count=23, failure=None)
    assert {letter.body for letter in queue.letters} == {f"notification {n}" for n in range(23)}
    assert not any(letter.attributes for letter in queue.letters)
    assert letters.bodies() == ["notification 23", "notification 24"]
    assert letters.visible == 2


@virtual_time
async def test_what_cannot_be_sent_back_is_not_deleted() -> None:
    """Those beside it that could be are, so that they are not sent twice."""
    letters, queue = letters_of(25), FakeDeadLetters()
    async with visiting(letters) as visit:
        chosen = await looked(visit)
        queue.fail_next(1, AccessRefused("no sqs:SendMessage"))
        sent = await visit.send_back(chosen, to=queue)
    assert isinstance(sent.failure, AccessRefused)
    assert sent.count == len(queue.letters) == 9
    assert sorted(letters.bodies()) == sorted(
        {letter.body for letter in chosen} - {each.body for each in queue.letters}
    )
    assert letters.visible == 16


@virtual_time
async def test_what_was_sent_back_counts_though_it_could_not_be_deleted() -> None:
    """It is on the queue, and its letter is there still: both are told."""
    letters, queue = letters_of(3), FakeDeadLetters()
    async with visiting(letters) as visit:
        chosen = await looked(visit)
        letters.fail_next(1, AccessRefused("no sqs:DeleteMessage"), on="delete")
        sent = await visit.send_back(chosen, to=queue)
    assert (sent.count, str(sent.failure)) == (3, "no sqs:DeleteMessage")
    assert (len(queue.letters), letters.visible) == (3, 3)


@virtual_time
async def test_chosen_letters_come_oldest_first() -> None:
    """Whatever the order in which SQS hands them out."""
    letters = FakeLetters(clock=LoopClock())
    for reason in ("bad_key", "object_gone", "bad_key"):
        letters.post(reason, reason=reason)
        await asyncio.sleep(1)
    async with visiting(letters) as visit:
        found = await visit.find(Chosen(reasons=frozenset({"bad_key"})), most=10)
    times = [each.letter.sent_ms for each in found]
    assert (len(times), times) == (2, sorted(times))


@virtual_time
async def test_a_failure_that_passes_is_waited_for() -> None:
    """On every call."""
    letters, queue = letters_of(3), FakeDeadLetters()
    for method in ("receive", "delete", "hide"):
        letters.fail_next(2, Unavailable("503"), on=method)
    queue.fail_next(2, Unavailable("503"))
    async with visiting(letters) as visit:
        chosen = await looked(visit)
        assert await visit.send_back(chosen[:1], to=queue) == SentBack(count=1, failure=None)
        assert await visit.remove(chosen[1:2]) == []
    assert letters.bodies() == ["notification 2"]
    assert letters.visible == 1


@virtual_time
async def test_a_letter_held_for_too_long_is_not_called_deleted() -> None:
    """Its receipt is good for nothing by then."""
    letters = letters_of(2)
    async with visiting(letters) as visit:
        chosen = await looked(visit)
        await asyncio.sleep(HOLD_SECONDS + 1)
        assert await visit.remove(chosen) == chosen
    assert letters.visible == 2

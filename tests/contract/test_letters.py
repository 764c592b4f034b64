"""What may a visit rely on when it looks through a dead-letter queue?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.letters.letter import Letter
from logfanout.letters.visit import Letters
from logfanout.ports import DeadLetter, Queue
from logfanout.testing import FakeLetters, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One dead-letter queue, by both of its doors."""

    letters: Letters
    queue: Queue
    post: Callable[[DeadLetter], Awaitable[None]]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side) if isinstance(side, World) else await real(side, name)


def fake(world: World) -> Stage:
    letters = FakeLetters(clock=world.clock)

    async def post(letter: DeadLetter) -> None:
        letters.post(letter.body, **{name.removeprefix("logfanout."): v for name, v in letter.attributes.items()})

    return Stage(letters=letters, queue=letters, post=post)


async def real(cloud: Any, name: str) -> Stage:
    async with cloud.client("sqs") as sqs:
        url = (await sqs.create_queue(QueueName=name))["QueueUrl"]
    return Stage(letters=cloud.aws.letters(url), queue=cloud.aws.queue(url), post=cloud.aws.dead_letters(url).put)


async def take(stage: Stage, *, most: int = 10) -> list[Letter]:
    return list(await stage.letters.take(most=most, wait_seconds=0, hide_seconds=30))


@pytest.mark.parametrize(
    "attributes", [{}, {"logfanout.reason": "bad_key", "logfanout.detail": "é: no tenant in 'x/y'"}]
)
async def test_a_letter_says_what_was_written_on_it(stage: Stage, attributes: dict[str, str]) -> None:
    """And nothing, if SQS moved it itself."""
    await stage.post(DeadLetter(body='{"Records": []}', attributes=attributes))
    [letter] = await take(stage)
    assert (letter.body, letter.attributes) == ('{"Records": []}', attributes)
    assert letter.sent_ms > 1_500_000_000_000
    assert letter.id
    assert "receipt" not in repr(letter)


async def test_what_is_taken_is_hidden_and_can_be_shown_and_deleted(stage: Stage) -> None:
    """By the receipt that came with it, through the queue's other door."""
    for n in range(3):
        await stage.post(DeadLetter(body=str(n), attributes={"logfanout.reason": "bad_key"}))
    held = [*await take(stage, most=2), *await take(stage)]
    assert {letter.body for letter in held} == set("012")
    assert await take(stage) == []
    assert await stage.queue.delete([held[0].receipt]) == []
    assert await stage.queue.hide([letter.receipt for letter in held[1:]], seconds=0) == []
    assert {letter.body for letter in await take(stage)} == {letter.body for letter in held[1:]}

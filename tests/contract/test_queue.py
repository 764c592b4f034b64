"""What may the pipeline rely on when it takes messages and settles them?"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.aws import Redrive
from logfanout.ports import DeadLetter, DeadLetters, Queue, Received
from logfanout.testing import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A queue that gives a message up after two receives, and the queue that then gets it."""

    queue: Queue
    dead_letters: DeadLetters
    send: Callable[[str], Awaitable[None]]
    letters: Callable[[], Awaitable[Sequence[DeadLetter]]]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side) if isinstance(side, World) else await real(side, name)


def fake(world: World) -> Stage:
    async def send(body: str) -> None:
        world.queue.send(body)

    async def letters() -> Sequence[DeadLetter]:
        return world.dead_letters.letters

    return Stage(queue=world.queue, dead_letters=world.dead_letters, send=send, letters=letters)


async def real(cloud: Any, name: str) -> Stage:
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}-dead"
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    async with cloud.client("sqs") as sqs:
        dead_url = (await sqs.create_queue(QueueName=f"{name}-dead"))["QueueUrl"]
        url = (await sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive}))["QueueUrl"]
    assert await cloud.aws.redrive(url) == Redrive(url=dead_url, max_receive_count=2)
    assert await cloud.aws.redrive(dead_url) is None
    assert await cloud.aws.queue_url(arn) == dead_url

    async def send(body: str) -> None:
        async with cloud.client("sqs") as sqs:
            await sqs.send_message(QueueUrl=url, MessageBody=body)

    async def letters() -> Sequence[DeadLetter]:
        async with cloud.client("sqs") as sqs:
            answer = await sqs.receive_message(QueueUrl=dead_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return [letter(message) for message in answer.get("Messages", [])]

    return Stage(queue=cloud.aws.queue(url), dead_letters=cloud.aws.dead_letters(dead_url), send=send, letters=letters)


def letter(message: Any) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    return DeadLetter(body=message["Body"], attributes={key: value["StringValue"] for key, value in attributes.items()})


async def take(stage: Stage, *, most: int = 10, wait_seconds: int = 0, hide_seconds: int = 30) -> Sequence[Received]:
    return await stage.queue.receive(most=most, wait_seconds=wait_seconds, hide_seconds=hide_seconds)


async def test_a_message_comes_as_it_was_sent(stage: Stage) -> None:
    """With its count and the time SQS got it."""
    await stage.send('{"é": "日本 \\u0000 \\"quoted\\""}')
    [message] = await take(stage)
    assert message.body == '{"é": "日本 \\u0000 \\"quoted\\""}'
    assert message.receive_count == 1
    assert message.sent_ms > 1_500_000_000_000
    assert message.id
    assert message.receipt


async def test_no_more_than_asked_for(stage: Stage) -> None:
    """One for each free slot."""
    for n in range(5):
        await stage.send(str(n))
    first, rest = await take(stage, most=2), await take(stage, most=10)
    assert (len(first), len(rest)) == (2, 3)
    assert {message.body for message in [*first, *rest]} == set("01234")


async def test_a_received_message_is_hidden_until_it_is_given_back(stage: Stage) -> None:
    """``hide(0)`` shows it at once, and SQS counts the receives."""
    await stage.send("m")
    [message] = await take(stage)
    assert await take(stage) == []
    assert await stage.queue.hide([message.receipt], seconds=0) == []
    [again] = await take(stage)
    assert (again.id, again.receive_count) == (message.id, 2)


async def test_time_runs_out(stage: Stage) -> None:
    """A long poll hands the message out again when its time is over."""
    await stage.send("m")
    [message] = await take(stage, hide_seconds=1)
    [again] = await take(stage, wait_seconds=5)
    assert again.id == message.id


async def test_a_lease_can_be_extended(stage: Stage) -> None:
    """Hiding counts from now, and replaces what was left."""
    await stage.send("m")
    [message] = await take(stage, hide_seconds=1)
    assert await stage.queue.hide([message.receipt], seconds=60) == []
    assert await take(stage, wait_seconds=2) == []


async def test_a_deleted_message_is_gone(stage: Stage) -> None:
    """Even when its time runs out."""
    await stage.send("m")
    [message] = await take(stage, hide_seconds=1)
    assert await stage.queue.delete([message.receipt]) == []
    assert await take(stage, wait_seconds=2) == []


async def test_the_newest_receipt_is_the_valid_one(stage: Stage) -> None:
    """Who received it before has lost it, and is told so."""
    await stage.send("m")
    [first] = await take(stage, hide_seconds=0)
    [second] = await take(stage)
    for refusals in (await stage.queue.hide([first.receipt], seconds=5), await stage.queue.delete([first.receipt])):
        assert [(refusal.receipt, refusal.lost) for refusal in refusals] == [(first.receipt, True)]
    assert await stage.queue.delete([second.receipt]) == []


async def test_a_batch_is_settled_entry_by_entry(stage: Stage) -> None:
    """One bad receipt does not harm the others."""
    for n in range(9):
        await stage.send(str(n))
    receipts = [message.receipt for message in await take(stage)]
    [refusal] = await stage.queue.delete([*receipts[:4], "no-receipt", *receipts[4:]])
    assert (refusal.receipt, refusal.lost) == ("no-receipt", True)
    assert refusal.code
    assert await stage.queue.hide(receipts[:1], seconds=0) != []
    assert await take(stage) == []


async def test_deleting_twice_harms_nothing(stage: Stage) -> None:
    """AWS says yes, emulators that the receipt is lost; neither asks for another try."""
    await stage.send("m")
    [message] = await take(stage)
    await stage.queue.delete([message.receipt])
    assert all(refusal.lost for refusal in await stage.queue.delete([message.receipt]))


async def test_sqs_gives_a_message_up(stage: Stage) -> None:
    """After its receives are used up it lies among the dead letters, with no word of ours."""
    await stage.send("m")
    for _ in range(2):
        assert len(await take(stage, hide_seconds=0)) == 1
    assert await take(stage) == []
    assert await stage.letters() == [DeadLetter(body="m", attributes={})]


async def test_a_dead_letter_carries_its_reason(stage: Stage) -> None:
    """Attributes are text; the body is what was given."""
    attributes = {"logfanout.reason": "bad_key", "logfanout.detail": "é: no tenant in 'x/y'"}
    sent = DeadLetter(body='{"Records": []}', attributes=attributes)
    await stage.dead_letters.put(sent)
    assert await stage.letters() == [sent]

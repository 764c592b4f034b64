"""What may the doctor rely on when it asks who we are, and how a queue and a table are set up?"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.doctoring.queues import NO_RECEIPT
from logfanout.doctoring.surroundings import Identity, Inspection, QueueFacts
from logfanout.errors import Unavailable
from logfanout.ports import Queue
from logfanout.testing import FakeIdentity, FakeInspection, World
from logfanout.testing.surroundings import DEAD_LETTERS_URL, QUEUE_URL, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A queue with a redrive policy and one message in it, its dead-letter queue, and a way to make a table."""

    identity: Identity
    inspection: Inspection
    queue: Queue
    url: str
    dead_url: str
    waiting: Callable[[], Awaitable[int]]
    table: Callable[..., Awaitable[str]]  # (expires_by=) -> its name


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return await fake(side, name) if isinstance(side, World) else await real(side, name)


async def fake(world: World, name: str) -> Stage:
    inspection = FakeInspection()
    common = {"retention_seconds": 1000, "visibility_seconds": 45, "waiting": 1}
    inspection.put_queue(QUEUE_URL, facts(QUEUE_URL, dead_letters_url=DEAD_LETTERS_URL, max_receive_count=7, **common))
    inspection.put_queue(DEAD_LETTERS_URL, facts(DEAD_LETTERS_URL))
    world.queue.send("m")

    async def table(*, expires_by: str) -> str:
        inspection.put_table(name, expires_by=expires_by)
        return name

    async def waiting() -> int:
        return world.queue.visible

    return Stage(
        identity=FakeIdentity(),
        inspection=inspection,
        queue=world.queue,
        url=QUEUE_URL,
        dead_url=DEAD_LETTERS_URL,
        waiting=waiting,
        table=table,
    )


async def real(cloud: Any, name: str) -> Stage:
    arn = f"arn:aws:sqs:{cloud.region}:{cloud.account}:{name}-dead"
    attributes = {
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 7}),
        "MessageRetentionPeriod": "1000",
        "VisibilityTimeout": "45",
    }
    async with cloud.client("sqs") as sqs:
        dead_url = (await sqs.create_queue(QueueName=f"{name}-dead"))["QueueUrl"]
        url = (await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="m")

    async def table(*, expires_by: str) -> str:
        async with cloud.client("dynamodb") as dynamodb:
            await dynamodb.create_table(
                TableName=f"table-{name}",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "object_id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "object_id", "KeyType": "HASH"}],
            )
            if expires_by:
                expiry = {"Enabled": True, "AttributeName": expires_by}
                await dynamodb.update_time_to_live(TableName=f"table-{name}", TimeToLiveSpecification=expiry)
        return f"table-{name}"

    async def waiting() -> int:
        async with cloud.client("sqs") as sqs:
            answer = await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return len(answer.get("Messages", []))

    return Stage(
        identity=cloud.aws.identity(),
        inspection=cloud.aws.inspection(),
        queue=cloud.aws.queue(url),
        url=url,
        dead_url=dead_url,
        waiting=waiting,
        table=table,
    )


async def test_we_are_told_who_we_are(stage: Stage) -> None:
    """By account and ARN."""
    caller = await stage.identity.caller()
    assert caller.account == "999999999999"
    assert caller.arn.startswith("arn:aws:")
    assert caller.account in caller.arn


async def test_we_are_told_what_time_it_is(stage: Stage) -> None:
    """Both sides' clocks agree here."""
    ahead = await stage.identity.clock_ahead_seconds()
    assert ahead is not None
    assert abs(ahead) <= 5


async def test_a_queue_is_described(stage: Stage) -> None:
    """With where its dead letters go."""
    found = await stage.inspection.queue(stage.url)
    assert found == QueueFacts(
        arn=found.arn,
        retention_seconds=1000,
        visibility_seconds=45,
        waiting=1,
        in_flight=0,
        delayed=0,
        dead_letters_url=stage.dead_url,
        max_receive_count=7,
    )
    assert found.arn.split(":")[2:] == ["sqs", found.arn.split(":")[3], "999999999999", stage.url.rpartition("/")[2]]


async def test_a_queue_without_a_redrive_policy(stage: Stage) -> None:
    """It names no other."""
    found = await stage.inspection.queue(stage.dead_url)
    assert (found.dead_letters_url, found.max_receive_count, found.waiting) == ("", 0, 0)


async def test_a_queue_that_is_not_there_is_unavailable(stage: Stage) -> None:
    """In SQS's words."""
    with pytest.raises(Unavailable, match=r"QueueDoesNotExist|NonExistentQueue"):
        await stage.inspection.queue(f"{stage.url}-not")


@pytest.mark.parametrize("attribute", ["ttl", ""])
async def test_a_table_forgets_by_an_attribute(stage: Stage, attribute: str) -> None:
    """Or never."""
    assert await stage.inspection.expiry_attribute(await stage.table(expires_by=attribute)) == attribute


async def test_a_table_that_is_not_there_is_unavailable(stage: Stage) -> None:
    """In DynamoDB's words."""
    with pytest.raises(Unavailable, match="ResourceNotFoundException"):
        await stage.inspection.expiry_attribute("no-such-table")


async def test_a_receipt_that_cannot_exist_is_refused_and_touches_nothing(stage: Stage) -> None:
    """Which says that we may delete and hide."""
    for refusals in (await stage.queue.delete([NO_RECEIPT]), await stage.queue.hide([NO_RECEIPT], seconds=0)):
        assert [refusal.lost for refusal in refusals] == [True]
    assert await stage.waiting() == 1

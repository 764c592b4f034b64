"""An empty queue is believed when it stays empty, and not before everything was announced."""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

import pytest

from logfanout.demo import backlog
from logfanout.demo.backlog import Depth
from logfanout.demo.emulator import Emulator
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, roster

REGION = Region(
    tenants=roster(1),
    bucket="b",
    queue_url="queue",
    dead_letters_url="dead",
    tally_url="tally",
    table="t",
    task_role_arn="",
    central_role_arn="",
    shipper_role_arn="",
)


class Depths:
    """An SQS whose queues are as deep as told, the last told depth forever."""

    def __init__(self, told: Sequence[Depth]) -> None:
        self._told = chain(told, repeat(told[-1]))
        self._now = told[0]

    async def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        if QueueUrl == "queue":
            self._now = next(self._told)
        now = self._now
        counts = {"queue": (now.waiting, now.in_hand, 0), "tally": (now.announced, 0, 0), "dead": (now.dead, 0, 0)}
        numbers = map(str, counts[QueueUrl])
        return {"Attributes": dict(zip(AttributeNames, numbers, strict=True))}


def at(announced: int, waiting: int = 0, in_hand: int = 0, dead: int = 0) -> Depth:
    return Depth(announced=announced, waiting=waiting, in_hand=in_hand, dead=dead)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "POLL_SECONDS", 0)


async def polls(*told: Depth, announced: int) -> list[Depth]:
    seen: list[Depth] = []
    await backlog.until_empty(Depths(told), REGION, announced=announced, seen=seen.append)
    return seen


async def test_a_queue_that_stays_empty_is_believed() -> None:
    """Three polls in a row."""
    assert await polls(at(5, waiting=5), at(5, in_hand=5), at(5), announced=5) == [
        at(5, waiting=5),
        at(5, in_hand=5),
        at(5),
        at(5),
        at(5),
    ]


async def test_an_empty_queue_before_everything_is_announced_is_not_the_end() -> None:
    """The fleet may be faster than S3's notifications."""
    assert len(await polls(at(3), at(3), at(3), at(3), at(4), announced=4)) == 7


async def test_a_message_that_returns_starts_the_count_again() -> None:
    """One given back is neither visible nor in flight for a moment."""
    assert len(await polls(at(1), at(1), at(1, waiting=1), at(1), announced=1)) == 6


def test_what_is_gone_is_settled() -> None:
    """Dead letters have left the queue as well."""
    assert at(10, waiting=3, in_hand=2, dead=1).settled == 5


@pytest.mark.emulator
async def test_dead_letters_tell_their_reason(aws: Emulator, region: Region) -> None:
    """By the attributes the fleet gives them, or else that SQS gave up; reading takes none away."""
    attributes = {
        "logfanout.reason": {"DataType": "String", "StringValue": "unknown_tenant"},
        "logfanout.object": {"DataType": "String", "StringValue": "s3://b/k"},
    }
    async with aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs:
        assert await backlog.reasons(sqs, region) == []
        await sqs.send_message(QueueUrl=region.dead_letters_url, MessageBody="x", MessageAttributes=attributes)
        await sqs.send_message(QueueUrl=region.dead_letters_url, MessageBody="y")
        told = await backlog.reasons(sqs, region)
        assert sorted(told) == ["given up by SQS after too many receives", "unknown_tenant \u00b7 s3://b/k"]
        assert (await backlog.depth(sqs, region)).dead == 2

"""Is the fleet's memory merged and never overwritten?"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from logfanout.aws import Aws
from logfanout.aws.ledger_table import MOST_RANGES, DynamoLedger
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.ledger.ranges import Ranges
from logfanout.ports import Memory
from logfanout.testing.site import Answer, Site

NOW_SECONDS = 1_772_452_800.0
DAY_SECONDS = 24 * 3600
CONDITION_FAILED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"


@pytest.fixture
def waited() -> list[float]:
    """The pauses that were made, none of which took any time."""
    return []


@pytest.fixture
def ledger(aws: Aws, waited: list[float]) -> DynamoLedger:
    return DynamoLedger(aws._dynamodb, "ledger", now_seconds=lambda: NOW_SECONDS, pause=pause(waited))


def pause(waited: list[float]) -> Callable[[float], Awaitable[None]]:
    async def wait(seconds: float) -> None:
        waited.append(seconds)

    return wait


def item(*, taken: str = "0-4", revision: str = "3", ttl: float = NOW_SECONDS + 1, finished: bool = False) -> Any:
    return {
        "Item": {
            "object_id": {"S": "0a"},
            "finished": {"BOOL": finished},
            "taken": {"M": {"acme": {"S": taken}}},
            "revision": {"N": revision},
            "ttl": {"N": f"{ttl:.0f}"},
        }
    }


def progress(*positions: int) -> Memory:
    return Memory(taken={"acme": Ranges.of(positions)})


async def test_what_another_worker_wrote_just_now_is_seen(ledger: DynamoLedger, site: Site) -> None:
    """An eventually consistent read may be a second old."""
    site.json(item())
    assert await ledger.recall("0a") == progress(0, 1, 2, 3, 4)
    assert site.requests[0].json() == {"TableName": "ledger", "Key": {"object_id": {"S": "0a"}}, "ConsistentRead": True}


async def test_a_first_item_is_written_if_nobody_was_faster(ledger: DynamoLedger, site: Site) -> None:
    """To be kept for two days."""
    site.json({})
    await ledger.remember("0a", progress(0, 1, 7))
    put = site.requests[1].json()
    assert put["ConditionExpression"] == "attribute_not_exists(revision)"
    assert put["Item"] == {
        "object_id": {"S": "0a"},
        "finished": {"BOOL": False},
        "taken": {"M": {"acme": {"S": "0-1,7-7"}}},
        "revision": {"N": "1"},
        "ttl": {"N": f"{NOW_SECONDS + 2 * DAY_SECONDS:.0f}"},
    }


async def test_what_is_there_is_added_to(ledger: DynamoLedger, site: Site) -> None:
    """If it is still what was read."""
    site.json(item())
    site.json({})
    await ledger.remember("0a", progress(5))
    put = site.requests[1].json()
    assert put["ConditionExpression"] == "revision = :seen"
    assert put["ExpressionAttributeValues"] == {":seen": {"N": "3"}}
    assert put["Item"]["taken"] == {"M": {"acme": {"S": "0-5"}}}
    assert put["Item"]["revision"] == {"N": "4"}


async def test_one_who_was_overtaken_reads_again(ledger: DynamoLedger, site: Site, waited: list[float]) -> None:
    """And adds to what the faster one wrote."""
    site.json(item())
    site.json({"__type": CONDITION_FAILED, "message": "no"}, status=400)
    site.json(item(taken="0-4,8-8", revision="4"))
    site.json({})
    await ledger.remember("0a", progress(5))
    last = site.requests[-1].json()
    assert len(site.requests) == 4
    assert last["ExpressionAttributeValues"] == {":seen": {"N": "4"}}
    assert last["Item"]["taken"] == {"M": {"acme": {"S": "0-5,8-8"}}}
    assert len(waited) == 1


async def test_one_who_is_always_overtaken_gives_up(ledger: DynamoLedger, site: Site) -> None:
    """With an error like any other of a table that does not answer."""

    def answer(request: Any) -> Answer:
        if b"ConditionExpression" in request.body:
            return Answer(status=400, body=f'{{"__type": "{CONDITION_FAILED}"}}'.encode())
        return Answer(body=b"{}")

    site.rule(answer)
    with pytest.raises(Unavailable, match="PutItem ledger of 0a"):
        await ledger.remember("0a", progress(5))
    assert len(site.requests) == 16


async def test_an_item_past_its_time_says_nothing(ledger: DynamoLedger, site: Site) -> None:
    """DynamoDB deletes it within days; until then it is overwritten, and with care: it may go at any moment."""
    site.json(item(ttl=NOW_SECONDS, finished=True))
    assert await ledger.recall("0a") == Memory()
    await ledger.remember("0a", progress(5))
    put = site.requests[-1].json()
    assert put["Item"]["taken"] == {"M": {"acme": {"S": "5-5"}}}
    assert put["ExpressionAttributeValues"] == {":seen": {"N": "3"}}


async def test_a_finished_item_is_left_alone(ledger: DynamoLedger, site: Site) -> None:
    """Nothing can be added to it, and a write costs."""
    site.json(item(finished=True))
    assert await ledger.recall("0a") == Memory(finished=True)
    await ledger.remember("0a", progress(5))
    assert len(site.requests) == 2


async def test_a_finished_object_keeps_no_ranges(ledger: DynamoLedger, site: Site) -> None:
    """They say nothing any more."""
    site.json(item())
    site.json({})
    await ledger.remember("0a", Memory(finished=True))
    put = site.requests[-1].json()["Item"]
    assert (put["finished"], put["taken"]) == ({"BOOL": True}, {"M": {}})


async def test_nothing_to_remember_is_not_written(ledger: DynamoLedger, site: Site) -> None:
    """As after a failure before the first batch."""
    site.json({})
    await ledger.remember("0a", Memory())
    assert len(site.requests) == 1


@pytest.mark.parametrize("taken", ["", "x", "5-3", "4-5,1-2"])
async def test_what_somebody_else_wrote_is_not_believed(ledger: DynamoLedger, site: Site, taken: str) -> None:
    """Records would be left out; repeating them is the lesser evil."""
    site.json(item(taken=taken))
    assert await ledger.recall("0a") == Memory()


@pytest.mark.parametrize(
    "strange", [{}, {"Item": {}}, {"Item": {"taken": {"S": "0-4"}}}, {"Item": {"taken": {"L": []}}}]
)
async def test_an_item_of_another_shape_says_nothing(ledger: DynamoLedger, site: Site, strange: Any) -> None:
    """Whoever made it."""
    site.json(strange)
    assert await ledger.recall("0a") == Memory()


async def test_an_item_stays_small(ledger: DynamoLedger, site: Site) -> None:
    """Far below DynamoDB's 400 KB, with every other record of a huge object missing at each of two destinations."""
    site.json({})
    scattered = Ranges.of(range(10**9, 10**9 + 8000, 2))
    await ledger.remember("0a", Memory(taken={"one": scattered, "two": scattered}))
    taken = site.requests[-1].json()["Item"]["taken"]["M"]
    assert [len(Ranges.parse(each["S"]).spans) for each in taken.values()] == [MOST_RANGES // 2] * 2
    assert len(site.requests[-1].body) < 40_000


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", Unavailable),
        ("com.amazon.coral.validate#ValidationException", Unavailable),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", Throttled),
        ("com.amazon.coral.service#AccessDeniedException", AccessRefused),
        ("com.amazonaws.dynamodb.v20120810#InternalServerError", Unavailable),
    ],
)
async def test_a_refusal_is_one_of_ours(
    ledger: DynamoLedger, site: Site, code: str, expected: type[LogfanoutError]
) -> None:
    """A table that was made wrong or not at all is an operator's to see to."""
    site.json({"__type": code, "message": "no"}, status=500 if code.endswith("Error") else 400)
    for call in (ledger.recall("0a"), ledger.remember("0a", progress(1))):
        with pytest.raises(LogfanoutError, match="GetItem ledger of 0a") as caught:
            await call
        assert type(caught.value) is expected

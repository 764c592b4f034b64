"""Do we read SQS's batches entry by entry, and send letters it can hold?"""

import json
from typing import Any

import pytest

from logfanout.aws import Aws
from logfanout.aws.queue import MOST_ATTRIBUTE_BYTES, MOST_MESSAGE_BYTES
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.ports import DeadLetter, Received, Refusal
from logfanout.testing.site import Answer, Site

URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/notices"


async def test_a_message_knows_how_often_it_was_received(aws: Aws, site: Site) -> None:
    """SQS says so only when asked."""
    message = {
        "MessageId": "m-1",
        "ReceiptHandle": "r-1",
        "Body": "{}",
        "Attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1772452800000"},
    }
    site.json({"Messages": [message]})
    found = await aws.queue(URL).receive(most=10, wait_seconds=20, hide_seconds=120)
    assert found == [Received(id="m-1", receipt="r-1", body="{}", receive_count=3, sent_ms=1_772_452_800_000)]
    asked = site.requests[0].json()
    assert (asked["MaxNumberOfMessages"], asked["WaitTimeSeconds"], asked["VisibilityTimeout"]) == (10, 20, 120)
    assert set(asked["AttributeNames"]) == {"ApproximateReceiveCount", "SentTimestamp"}


async def test_an_empty_poll_is_no_message(aws: Aws, site: Site) -> None:
    """SQS leaves the field away."""
    site.json({})
    assert await aws.queue(URL).receive(most=1, wait_seconds=0, hide_seconds=0) == []


@pytest.mark.parametrize(
    ("code", "message", "lost"),
    [
        ("ReceiptHandleIsInvalid", "The input receipt handle is invalid.", True),
        ("AWS.SimpleQueueService.MessageNotInflight", "", True),
        ("MessageNotInflight", "", True),
        (
            "InvalidParameterValue",
            "Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
            True,
        ),
        (
            "InvalidParameterValue",
            "Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available.",
            True,
        ),
        (
            "InvalidParameterValue",
            "Value 900 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message...",
            False,
        ),
        ("InternalError", "", False),
        ("ServiceUnavailable", "", False),
    ],
)
async def test_a_refused_entry_is_a_value(aws: Aws, site: Site, code: str, message: str, lost: bool) -> None:
    """The other entries are done; whether this one is worth another try is known by its code."""
    failed = {"Id": "1", "Code": code, "Message": message, "SenderFault": True}
    site.json({"Successful": [{"Id": "0"}], "Failed": [failed]})
    queue = aws.queue(URL)
    assert await queue.delete(["r-0", "r-1"]) == [Refusal(receipt="r-1", code=code, lost=lost)]
    assert await queue.hide(["r-0", "r-1"], seconds=60) == [Refusal(receipt="r-1", code=code, lost=lost)]
    assert [entry["VisibilityTimeout"] for entry in site.requests[1].json()["Entries"]] == [60, 60]


async def test_nothing_to_do_is_not_asked(aws: Aws, site: Site) -> None:
    """SQS refuses an empty batch."""
    queue = aws.queue(URL)
    assert [*await queue.delete([]), *await queue.hide([], seconds=1), *site.requests] == []


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "com.amazonaws.sqs#QueueDoesNotExist", Unavailable),
        (403, "AccessDenied", AccessRefused),
        (400, "com.amazonaws.sqs#KmsThrottled", Throttled),
        (400, "com.amazonaws.sqs#KmsDisabled", AccessRefused),
        (403, "com.amazonaws.sqs#OverLimit", Throttled),
        (400, "ThrottlingException", Throttled),
        (503, "", Unavailable),
    ],
)
async def test_a_refused_call_is_one_of_ours(
    aws: Aws, site: Site, status: int, code: str, expected: type[LogfanoutError]
) -> None:
    """SQS is asked once; what to do next is decided where it is known what waits."""
    site.json({"__type": code, "message": "no"} if code else {}, status=status)
    with pytest.raises(LogfanoutError, match="ReceiveMessage https://sqs") as caught:
        await aws.queue(URL).receive(most=1, wait_seconds=0, hide_seconds=30)
    assert type(caught.value) is expected
    assert len(site.requests) <= 2


async def test_no_answer_is_unavailable(aws: Aws, site: Site) -> None:
    """After one more try, at once: an idle connection may have been closed just then."""
    site.play(Answer(reset=True))
    with pytest.raises(Unavailable):
        await aws.queue(URL).delete(["r"])
    assert len(site.requests) == 2


@pytest.mark.parametrize("body", [b"<html>", b'{"Messages": [{"Body": "{}"}]}', b"[]"])
async def test_an_answer_that_is_not_sqs_is_unavailable(aws: Aws, site: Site, body: bytes) -> None:
    """From a proxy on the way, or half of one: never an empty queue."""
    site.play(Answer(body=body))
    with pytest.raises(Unavailable, match="not SQS's"):
        await aws.queue(URL).receive(most=1, wait_seconds=0, hide_seconds=0)


async def sent(aws: Aws, site: Site, letter: DeadLetter) -> dict[str, Any]:
    """Return the SendMessage for *letter*, with its attributes as text."""
    site.json({"MessageId": "m"})
    await aws.dead_letters(URL).put(letter)
    asked: dict[str, Any] = site.requests[-1].json()
    assert all(value["DataType"] == "String" for value in asked["MessageAttributes"].values())
    return asked | {
        "MessageAttributes": {name: value["StringValue"] for name, value in asked["MessageAttributes"].items()}
    }


async def test_a_letter_carries_its_reason(aws: Aws, site: Site) -> None:
    """As string attributes, beside the untouched body."""
    attributes = {"logfanout.reason": "bad_key", "logfanout.receive_count": "3"}
    asked = await sent(aws, site, DeadLetter(body='{"Records": []}', attributes=attributes))
    assert (asked["QueueUrl"], asked["MessageBody"]) == (URL, '{"Records": []}')
    assert asked["MessageAttributes"] == attributes


async def test_characters_sqs_refuses_are_replaced(aws: Aws, site: Site) -> None:
    """In the body, which is JSON, by their escapes: it means the same to whoever redrives it."""
    body = json.dumps({"key": "a\ufffeb\n日本"}, ensure_ascii=False)
    asked = await sent(aws, site, DeadLetter(body=body, attributes={"logfanout.detail": "a\x00b\ttab"}))
    assert asked["MessageBody"] == '{"key": "a\\ufffeb\\n日本"}'
    assert json.loads(asked["MessageBody"]) == json.loads(body)
    assert asked["MessageAttributes"] == {"logfanout.detail": "a�b\ttab"}


async def test_a_long_detail_is_cut_at_a_character(aws: Aws, site: Site) -> None:
    """To two kilobytes; an empty attribute is left away, SQS refuses it."""
    letter = DeadLetter(body="{}", attributes={"logfanout.detail": "é" * 5000, "logfanout.tenant": ""})
    asked = await sent(aws, site, letter)
    assert asked["MessageAttributes"] == {"logfanout.detail": "é" * (MOST_ATTRIBUTE_BYTES // 2)}


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's, of the SDK's way to send
async def test_a_large_letter_keeps_within_sqs_limit(aws: Aws, site: Site) -> None:
    """The first attributes, the reason among them, find room before the later ones."""
    attributes = {"logfanout.reason": "bad_key", "logfanout.detail": "x" * 500, "logfanout.object": "y" * 500}
    asked = await sent(aws, site, DeadLetter(body="b" * (MOST_MESSAGE_BYTES - 300), attributes=attributes))
    kept = asked["MessageAttributes"]
    assert kept["logfanout.reason"] == "bad_key"
    size = len(asked["MessageBody"]) + sum(len(name) + len(value) + len("String") for name, value in kept.items())
    assert MOST_MESSAGE_BYTES - 50 < size <= MOST_MESSAGE_BYTES

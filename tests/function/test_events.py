"""Which messages a Lambda event brings, however it is made."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.function.events import EventUnreadable, read

ARN = "arn:aws:sqs:eu-west-1:111122223333:notices"


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record as Lambda's guide shows it."""
    return {
        "messageId": f"id-{number}",
        "receiptHandle": f"receipt-{number}",
        "body": "body",
        "attributes": {
            "ApproximateReceiveCount": "3",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN,
        "awsRegion": "eu-west-1",
    } | fields


def test_messages_come_in_the_events_order() -> None:
    """With what SQS knows of them."""
    event = read({"Records": [record(2), record(1)]})
    assert [message.id for message in event.messages] == ["id-2", "id-1"]
    assert event.queue_arn == ARN
    first = event.messages[0]
    assert (first.receipt, first.body, first.receive_count, first.sent_ms) == ("receipt-2", "body", 3, 1545082649183)


def test_an_event_may_be_empty() -> None:
    """It is then of no queue."""
    event = read({"Records": []})
    assert (event.queue_arn, event.messages) == ("", ())


@pytest.mark.parametrize("lack", [{"body": None}, {"receiptHandle": ""}, {"body": {"a": 1}}])
def test_a_record_that_lacks_something_is_named(lack: dict[str, Any]) -> None:
    """So that Lambda can be told that this one failed, and no other."""
    event = read({"Records": [record(1), record(2, **lack), record(3)]})
    assert [message.id for message in event.messages] == ["id-1", "id-3"]
    assert event.unreadable == ("id-2",)


@pytest.mark.parametrize("lack", [{"messageId": ""}, {"messageId": None}, {"eventSourceARN": "arn:aws:sqs"}])
def test_a_record_that_cannot_be_named_is_counted(lack: dict[str, Any]) -> None:
    """The others are there all the same."""
    event = read({"Records": [record(1), record(2, **lack)]})
    assert (len(event.messages), event.nameless) == (1, 1)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": {}},
        {"Records": [None]},
        {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
        {"Records": [record(1), record(2, eventSourceARN=f"{ARN}-other")]},
    ],
)
def test_any_other_event_is_refused(event: object) -> None:
    """Loudly: it says that something is set up wrong."""
    with pytest.raises(EventUnreadable):
        read(event)


@pytest.mark.parametrize("count", ["", "x", "-1", "1.5", "٣", "9" * 30, None, [1]])
def test_a_count_that_is_none_is_not_the_first(count: object) -> None:
    """Then a ledger is asked, as for any message that somebody may have been at."""
    event = read({"Records": [record(attributes={"ApproximateReceiveCount": count})]})
    assert event.messages[0].receive_count == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(record(), JSON)), max_size=4))
def test_whatever_comes_is_accounted_for(changes: list[dict[str, Any]]) -> None:
    """Each record is a message, or named as unreadable, or counted, or the event as a whole is refused."""
    records = [record(n) | change for n, change in enumerate(changes)]
    try:
        event = read({"Records": records})
    except EventUnreadable:
        return
    assert len(event.messages) + len(event.unreadable) + event.nameless == len(records)

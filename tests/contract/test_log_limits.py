"""Is the fake as strict as PutLogEvents' reference?

No emulator is, so here the fake alone is held to the letter:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.errors import BatchUnreadable
from logfanout.ports import Event, Rejections
from logfanout.testing.clock import NOON_MS
from logfanout.testing.log_limits import (
    DAY_MS,
    EVENT_OVERHEAD_BYTES,
    MOST_BATCH_BYTES,
    MOST_EVENTS,
    NEWEST_MS,
    OLDEST_MS,
    judge,
)


def event(at_ms: int, message: str = "m") -> Event:
    return Event(at_ms, msgspec.Raw(msgspec.json.encode(message)))


def judged(*events: Event, retention_days: int | None = None) -> tuple[list[tuple[int, str]], Rejections]:
    return judge(events, now_ms=NOON_MS, retention_days=retention_days)


def refusal(*events: Event) -> str:
    with pytest.raises(BatchUnreadable) as caught:
        judged(*events)
    return str(caught.value)


@pytest.mark.parametrize("message", ["x", "é", "🦆", '"', "\n"])
def test_a_batch_weighs_its_utf8_and_26_bytes_an_event(message: str) -> None:
    """Not its JSON: an escape counts as the character it stands for."""
    width = len(message.encode())
    room = MOST_BATCH_BYTES - 2 * EVENT_OVERHEAD_BYTES
    fits = [
        event(NOON_MS, message * (room // width - 10)),
        event(NOON_MS, "x" * (room - room // width * width + 10 * width)),
    ]
    assert len(judged(*fits)[0]) == 2
    over = [fits[0], event(NOON_MS, "x" * (room - room // width * width + 10 * width + 1))]
    assert "Upload too large: 1048577 bytes exceeds limit of 1048576" in refusal(*over)


def test_an_event_of_a_mebibyte_is_the_largest() -> None:
    """With its 26 bytes."""
    largest = MOST_BATCH_BYTES - EVENT_OVERHEAD_BYTES
    assert len(judged(event(NOON_MS, "x" * largest))[0]) == 1
    assert "Log event too large" in refusal(event(NOON_MS, "x" * (largest + 1)))


def test_ten_thousand_events_are_the_most() -> None:
    """And one is the least."""
    assert len(judged(*[event(NOON_MS)] * MOST_EVENTS)[0]) == MOST_EVENTS
    assert "10001 log events" in refusal(*[event(NOON_MS)] * (MOST_EVENTS + 1))
    assert "0 log events" in refusal()


@pytest.mark.parametrize("token", [b'"open', b"\\u00e9", b'"\\ud800"', b'"\xff"', b"null", b"1", b'"a" "b"'])
def test_a_message_must_be_a_json_string(token: bytes) -> None:
    """Half a surrogate pair is none."""
    with pytest.raises(BatchUnreadable, match="SerializationException"):
        judged(Event(NOON_MS, msgspec.Raw(token)))


def test_an_empty_message_spoils_the_batch() -> None:
    """CloudWatch wants at least one character."""
    assert "length" in refusal(event(NOON_MS, "m"), event(NOON_MS, ""))


def test_order_is_by_time() -> None:
    """Equal times are in order."""
    assert len(judged(event(NOON_MS), event(NOON_MS), event(NOON_MS + 1))[0]) == 3
    assert "chronological" in refusal(event(NOON_MS + 1), event(NOON_MS))
    assert "timestamp" in refusal(event(-1))


def test_a_batch_spans_a_day_at_most() -> None:
    """To the millisecond, and only of the events that are stored."""
    assert len(judged(event(NOON_MS - DAY_MS), event(NOON_MS))[0]) == 2
    assert "24 hours" in refusal(event(NOON_MS - DAY_MS - 1), event(NOON_MS))
    kept, found = judged(event(NOON_MS - OLDEST_MS - 1), event(NOON_MS), event(NOON_MS + NEWEST_MS + 1))
    assert kept == [(NOON_MS, "m")]
    assert found == Rejections(too_old_end=1, too_new_start=2)


def test_the_edges_of_time_are_inside() -> None:
    """Fourteen days ago and two hours ahead, exactly."""
    assert judged(event(NOON_MS - OLDEST_MS))[1] == Rejections()
    assert judged(event(NOON_MS + NEWEST_MS))[1] == Rejections()


def test_retention_rejects_too() -> None:
    """Its end and the fourteen days' are told apart, and overlap."""
    events = [event(NOON_MS - 20 * DAY_MS), event(NOON_MS - 5 * DAY_MS), event(NOON_MS)]
    kept, found = judged(*events, retention_days=3)
    assert kept == [(NOON_MS, "m")]
    assert found == Rejections(too_old_end=1, expired_end=2)
    assert judged(*events[1:2], retention_days=30)[1] == Rejections()


def test_nothing_may_be_left() -> None:
    """An answer that names every event is still an answer."""
    assert judged(event(0), event(1)) == ([], Rejections(too_old_end=2))


@given(st.lists(st.integers(-20 * DAY_MS, 5 * 3_600_000), min_size=1, max_size=30))
def test_every_event_is_stored_or_named(offsets: list[int]) -> None:
    """Never both, never neither."""
    events = [event(NOON_MS + offset, str(n)) for n, offset in enumerate(sorted(offsets))]
    try:
        kept, found = judged(*events, retention_days=7)
    except BatchUnreadable as error:
        assert "24 hours" in str(error)
        return
    start, end = max(found.too_old_end, found.expired_end), found.too_new_start
    assert [message for _, message in kept] == [str(n) for n in range(len(events))][start:end]
    assert all(NOON_MS - 7 * DAY_MS <= at <= NOON_MS + NEWEST_MS for at, _ in kept)

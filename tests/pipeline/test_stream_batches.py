"""Batches keep every limit of PutLogEvents, and between them lose nothing, repeat nothing and reorder nothing."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logfanout.ledger.ranges import Ranges
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import DAY_MS, KeyFields, StreamNaming
from logfanout.pipeline.stream_batches import (
    BATCH_BYTES,
    BATCH_EVENTS,
    EVENT_BYTES,
    EVENT_OVERHEAD_BYTES,
    TOKEN_OVERHEAD_BYTES,
    Batch,
    StreamBatches,
    Window,
    cut,
    split,
)
from logfanout.testing.log_limits import judge

NOW_MS = 1_772_452_800_000  # 2026-03-02T12:00:00Z
MIDNIGHT_MS = NOW_MS // DAY_MS * DAY_MS
KEY = KeyFields(tenant="acme", cluster="c1", application="web", pod="p-1", file="f")
DATED = StreamNaming.parse("{application}-{pod}-{date}")
UNDATED = StreamNaming.parse("{application}-{pod}")
OPEN = Window.at(NOW_MS, retention_days=None)
MIB = 1024 * 1024


def chunk(events: Sequence[tuple[int, str]], *, position: int = 0) -> Records:
    """*events* as the step before hands them on."""
    tokens = [json.dumps(message, ensure_ascii=False).encode() for _, message in events]
    return Records(
        times=[at for at, _ in events],
        messages=[msgspec.Raw(token) for token in tokens],
        sizes=[len(token) for token in tokens],
        positions=range(position, position + len(events)),
        read=len(events),
    )


def batches_of(
    chunks: Iterable[Records], *, naming: StreamNaming = DATED, window: Window = OPEN
) -> tuple[list[Batch], StreamBatches]:
    collecting = StreamBatches(key=KEY, naming=naming)
    found = [batch for records in chunks for batch in collecting.add(records, window=window)]
    found.extend(collecting.finish())
    assert list(collecting.finish()) == []
    return found, collecting


def contents(batch: Batch) -> list[tuple[int, str]]:
    return [(event.timestamp, msgspec.json.decode(event.message, type=str)) for event in batch.events]


def outside(collecting: StreamBatches) -> dict[str, int]:
    return {outcasts.reason: len(outcasts.events) for outcasts in collecting.outcasts()}


def test_little_becomes_one_batch() -> None:
    """What fits into one request is one request, however many chunks it came in."""
    batches, _ = batches_of([chunk([(NOW_MS, "a"), (NOW_MS + 1, "b")]), chunk([(NOW_MS + 2, "€")], position=2)])
    assert [contents(batch) for batch in batches] == [[(NOW_MS, "a"), (NOW_MS + 1, "b"), (NOW_MS + 2, "€")]]
    assert batches[0].stream == "web-p-1-2026-03-02"
    assert batches[0].size_bytes == 1 + 1 + 3 + 3 * EVENT_OVERHEAD_BYTES
    assert list(batches[0].positions) == [0, 1, 2]


def test_nothing_becomes_no_batch() -> None:
    """An empty object asks nothing of CloudWatch."""
    assert batches_of([])[0] == batches_of([chunk([])])[0] == []


def test_events_are_put_in_time_order_and_ties_stay() -> None:
    """CloudWatch wants time order; lines of the same millisecond stay in the order they were written."""
    events = [(NOW_MS + ms, f"{n}") for n, ms in enumerate([5, 3, 5, 1, 3, 5, 0])]
    (batch,), _ = batches_of([chunk(events[:4]), chunk(events[4:], position=4)])
    assert [message for _, message in contents(batch)] == ["6", "3", "1", "4", "0", "2", "5"]
    assert list(batch.positions) == [6, 3, 1, 4, 0, 2, 5]


def test_ten_thousand_events_are_the_most() -> None:
    """25,001 small events are three requests."""
    batches, _ = batches_of([chunk([(NOW_MS, "x")] * 5000)] * 5 + [chunk([(NOW_MS, "x")])])
    assert [len(batch.events) for batch in batches] == [10_000, 10_000, 5001]


def test_a_mebibyte_is_the_most_to_the_byte() -> None:
    """Twenty-six bytes are reckoned for each event; one byte more starts another batch."""
    half = BATCH_BYTES // 2 - EVENT_OVERHEAD_BYTES
    exact, _ = batches_of([chunk([(NOW_MS, "x" * half), (NOW_MS, "y" * half)])])
    over, _ = batches_of([chunk([(NOW_MS, "x" * half), (NOW_MS, "y" * (half + 1))])])
    assert [batch.size_bytes for batch in exact] == [BATCH_BYTES]
    assert [len(batch.events) for batch in over] == [1, 1]


def test_streams_change_at_midnight() -> None:
    """Each event goes to the stream of its own UTC date, whatever the day it is delivered."""
    events = [(MIDNIGHT_MS + ms, str(ms)) for ms in (-1, 0, -DAY_MS, 1, -DAY_MS - 1)]
    batches, _ = batches_of([chunk(events)])
    assert {batch.stream: [message for _, message in contents(batch)] for batch in batches} == {
        "web-p-1-2026-02-28": [str(-DAY_MS - 1)],
        "web-p-1-2026-03-01": [str(-DAY_MS), "-1"],
        "web-p-1-2026-03-02": ["0", "1"],
    }


def test_without_dates_a_batch_spans_less_than_a_day() -> None:
    """One stream for all days still may not have 24 hours in one request."""
    events = [(NOW_MS - ms, str(ms)) for ms in (0, DAY_MS, 1, DAY_MS - 1, 3 * DAY_MS)]
    batches, _ = batches_of([chunk(events)], naming=UNDATED)
    assert {batch.stream for batch in batches} == {"web-p-1"}
    assert [[message for _, message in contents(batch)] for batch in batches] == [
        [str(3 * DAY_MS)],
        [str(DAY_MS), str(DAY_MS - 1), "1"],
        ["0"],
    ]


@pytest.mark.parametrize(
    ("days", "retention", "reason"),
    [
        (-14, None, ""),
        (-14.001, None, "too_old"),
        (-400, None, "too_old"),
        (2 / 24, None, ""),
        (2.001 / 24, None, "too_new"),
        (400, None, "too_new"),
        (-1, 1, ""),
        (-1.001, 1, "expired"),
        (-7.001, 7, "expired"),
        (-14.001, 7, "too_old"),
        (-14.001, 30, "too_old"),
        (-13, 30, ""),
    ],
)
def test_what_cloudwatch_takes_at_this_moment(days: float, retention: int | None, reason: str) -> None:
    """Fourteen days back, two hours ahead, and no further back than the group keeps."""
    at_ms = NOW_MS + round(days * DAY_MS)
    window = Window.at(NOW_MS, retention_days=retention)
    batches, collecting = batches_of([chunk([(at_ms, "x"), (NOW_MS, "now")])], window=window)
    assert outside(collecting) == ({reason: 1} if reason else {})
    assert sum(len(batch.events) for batch in batches) == (1 if reason else 2)
    assert collecting.outcasts() == []


def test_what_no_batch_may_hold_is_named_with_its_position() -> None:
    """The quarantine must be able to say which record it was."""
    events = [(NOW_MS, "a"), (0, "b"), (NOW_MS + DAY_MS, "c"), (-5, "d"), (NOW_MS, "e")]
    batches, collecting = batches_of([chunk(events, position=100)])
    assert [list(batch.positions) for batch in batches] == [[100, 104]]
    assert {each.reason: list(each.positions) for each in collecting.outcasts()} == {
        "too_old": [103, 101],  # in time order, as batches are
        "too_new": [102],
    }


@pytest.mark.parametrize("character", ["x", "é", "€", "😀", "\n", '"', "\x01"])
def test_an_oversize_event_is_split_at_characters(character: str) -> None:
    """Its parts follow each other, none is too large, and together they are the event."""
    text = "start " + character * (3 * MIB // len(character.encode())) + " end"
    batches, collecting = batches_of([chunk([(NOW_MS, "before"), (NOW_MS, text), (NOW_MS, "after")])])
    messages = [message for batch in batches for _, message in contents(batch)]
    assert messages[0] == "before"
    assert messages[-1] == "after"
    assert "".join(messages[1:-1]) == text
    assert collecting.split == len(messages) - 3
    assert all(judge(batch.events, now_ms=NOW_MS, retention_days=None) for batch in batches)


@pytest.mark.parametrize("length", [EVENT_BYTES - 1, EVENT_BYTES, EVENT_BYTES + 1])
def test_the_largest_event_is_not_split(length: int) -> None:
    """The limit is on the event's UTF-8, to the byte."""
    batches, collecting = batches_of([chunk([(NOW_MS, "x" * length)])])
    assert collecting.split == (length > EVENT_BYTES)
    assert sum(len(batch.events) for batch in batches) == 1 + (length > EVENT_BYTES)


def test_escapes_do_not_count() -> None:
    """Half a mebibyte of line breaks is a mebibyte of JSON, and one event."""
    batches, collecting = batches_of([chunk([(NOW_MS, "\n" * (EVENT_BYTES - 10))])])
    assert [len(batch.events) for batch in batches] == [1]
    assert collecting.split == 0
    assert batches[0].size_bytes == EVENT_BYTES - 10 + EVENT_OVERHEAD_BYTES


def test_what_was_taken_before_is_left_out() -> None:
    """The next attempt sends only what CloudWatch has not acknowledged."""
    events = [(NOW_MS, str(n)) for n in range(10)]
    collecting = StreamBatches(key=KEY, naming=DATED, taken=Ranges.of([0, 1, 2, 7]))
    batches = [
        *collecting.add(chunk(events[:5]), window=OPEN),
        *collecting.add(chunk(events[5:], position=5), window=OPEN),
    ]
    batches.extend(collecting.finish())
    assert [message for batch in batches for _, message in contents(batch)] == ["3", "4", "5", "6", "8", "9"]
    assert collecting.taken_before == 4


# Properties.

times = st.one_of(
    st.integers(NOW_MS - 1000, NOW_MS),
    st.integers(NOW_MS - 13 * DAY_MS, NOW_MS),
    st.sampled_from([MIDNIGHT_MS, MIDNIGHT_MS - 1, MIDNIGHT_MS + DAY_MS // 2]),
    st.integers(NOW_MS - 20 * DAY_MS, NOW_MS + DAY_MS),
)
sizes = st.one_of(st.integers(1, 50), st.integers(1, 400_000), st.integers(BATCH_BYTES // 2 - 60, BATCH_BYTES + 60))


@st.composite
def objects(draw: st.DrawFn) -> list[Records]:
    """An object's chunks; each message begins with its position, so that all are different."""
    wanted = draw(st.lists(st.tuples(times, sizes, st.sampled_from("x€\n")), max_size=14))
    events = []
    for position, (at, size, character) in enumerate(wanted):
        name = f"{position}:"
        events.append((at, name + character * (max(size - len(name), 0) // len(character.encode()))))
    cuts = sorted(draw(st.lists(st.integers(0, len(events)), max_size=3)))
    return [chunk(events[a:b], position=a) for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


@settings(max_examples=150)
@given(objects(), st.booleans())
def test_any_object_is_cut_within_every_limit_and_loses_nothing(chunks: list[Records], dated: bool) -> None:
    """Every event is in exactly one batch or named as outside, and CloudWatch would take each batch whole."""
    batches, collecting = batches_of(chunks, naming=DATED if dated else UNDATED)
    given = {
        position: (at, msgspec.json.decode(message, type=str))
        for records in chunks
        for position, at, message in zip(records.positions, records.times, records.messages, strict=True)
    }
    sent: dict[int, list[tuple[int, str]]] = {}
    for batch in batches:
        kept, rejections = judge(batch.events, now_ms=NOW_MS, retention_days=None)
        assert len(kept) == len(batch.events) <= BATCH_EVENTS
        assert not (rejections.too_old_end or rejections.expired_end or rejections.too_new_start)
        exact = sum(len(message.encode()) + EVENT_OVERHEAD_BYTES for _, message in kept)
        assert exact <= BATCH_BYTES
        if dated:
            (day,) = {at // DAY_MS for at, _ in kept}
            assert batch.stream == DATED.name(KEY, day=day)
        for position, event in zip(batch.positions, kept, strict=True):
            sent.setdefault(position, []).append(event)
    # What was split is whole again when put together in the order it was sent in.
    joined = {position: (events[0][0], "".join(text for _, text in events)) for position, events in sent.items()}
    assert all(len({at for at, _ in events}) == 1 for events in sent.values())
    assert collecting.split == sum(len(events) - 1 for events in sent.values())
    out = {position for outcasts in collecting.outcasts() for position in outcasts.positions}
    assert joined == {position: event for position, event in given.items() if position not in out}
    assert out == {position for position, (at, _) in given.items() if OPEN.reason(at)}


@settings(max_examples=60)
@given(st.lists(times, max_size=60), st.booleans())
def test_ties_stay_in_order_within_a_stream(times: list[int], dated: bool) -> None:
    """Within a batch, and so within a stream of a small object, equal times keep the order of the file."""
    batches, _ = batches_of(
        [chunk([(at, f"{n:03}") for n, at in enumerate(times)])], naming=DATED if dated else UNDATED
    )
    by_stream: dict[str, list[tuple[int, str]]] = {}
    for batch in batches:
        by_stream.setdefault(batch.stream, []).extend(contents(batch))
    assert all(events == sorted(events) for events in by_stream.values())


@given(st.data())
def test_cuts_are_whole_legal_and_as_long_as_may_be(data: st.DataObject) -> None:
    """Each range ends only where the next event would break a limit."""
    count = data.draw(st.integers(0, 40))
    times = sorted(data.draw(st.lists(st.integers(0, 3 * DAY_MS), min_size=count, max_size=count)))
    sizes = data.draw(
        st.lists(st.one_of(st.integers(3, EVENT_BYTES + 2), st.integers(3, 99)), min_size=count, max_size=count)
    )
    ranges = list(cut(times, sizes))
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges)][: len(ranges)]
    assert not count or ranges[-1][1] == count

    def legal(start: int, end: int) -> bool:
        weight = sum(sizes[start:end]) + TOKEN_OVERHEAD_BYTES * (end - start)
        return weight <= BATCH_BYTES and end - start <= BATCH_EVENTS and times[end - 1] - times[start] < DAY_MS

    assert all(start < end and legal(start, end) for start, end in ranges)
    assert not any(legal(start, end + 1) for (start, end), _ in pairwise(ranges))


@given(st.text(st.sampled_from("ax é€😀\n\0"), max_size=60), st.integers(4, 20))
def test_parts_of_a_text_are_the_text(text: str, most_bytes: int) -> None:
    """Nothing is cut away, no character is halved, and no part could have been longer."""
    parts = list(split(text, most_bytes=most_bytes))
    assert "".join(parts) == text
    assert all(0 < len(part.encode()) <= most_bytes for part in parts)
    assert all(len((part + after[0]).encode()) > most_bytes for part, after in pairwise(parts))


def test_the_repr_tells_how_much_waits() -> None:
    """What a stuck delivery shows in a debugger."""
    collecting: Any = StreamBatches(key=KEY, naming=DATED)
    assert list(collecting.add(chunk([(NOW_MS, "a")]), window=OPEN)) == []
    assert repr(collecting) == "<StreamBatches of web/p-1, 1 events waiting>"

"""An object's pieces become the same records whatever the framing and however they are cut, and one bad record costs
itself only.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logfanout.errors import ObjectCorrupt, ObjectRefused
from logfanout.pipeline._wires import COLLECTOR_FIELDS
from logfanout.pipeline.records import CHUNK_BYTES, MAX_RECORD_BYTES, NOTHING_YET, RecordReader, Records

UNTIMED_MS = 1_772_452_800_000  # the object's LastModified
STAMP, STAMP_MS = "2026-03-02T11:59:58.123456789Z", 1_772_452_798_123
PIECE = 1024 * 1024


@dataclass
class Read:
    """What a whole object said."""

    events: list[tuple[int, str]] = field(default_factory=list)
    bad: dict[int, bytes] = field(default_factory=dict)
    read: int = 0
    skipped: int = 0
    untimed: int = 0

    @property
    def messages(self) -> list[str]:
        return [message for _, message in self.events]


def read_into(found: Read, pieces: Iterable[bytes], *, chunk_bytes: int = 1) -> None:
    """Read *pieces*, by default each as it comes; what is found before an error stays in *found*."""
    reader = RecordReader(name="s3://b/k", untimed_ms=UNTIMED_MS, chunk_bytes=chunk_bytes)
    steps: list[Callable[[], Iterator[Records]]] = [partial(reader.feed, piece) for piece in pieces]
    for step in [*steps, reader.finish]:
        for records in step():
            if records is NOTHING_YET:
                continue
            assert len(records.times) == len(records.messages) == len(records.sizes)
            assert records.read == len(records.times) + records.skipped + len(records.unreadable) > 0
            for at_ms, token, size in zip(records.times, records.messages, records.sizes, strict=True):
                message = json.loads(bytes(token))
                assert message
                assert isinstance(message, str)
                assert len(message.encode()) + 2 <= size == len(bytes(token))
                found.events.append((at_ms, message))
            found.bad |= {unreadable.position: unreadable.text for unreadable in records.unreadable}
            found.read += records.read
            found.skipped += records.skipped
            found.untimed += records.untimed
    assert repr(reader).startswith("<RecordReader s3://b/k at record ")


def read(*pieces: bytes, chunk_bytes: int = 1) -> Read:
    found = Read()
    read_into(found, pieces, chunk_bytes=chunk_bytes)
    return found


def read_bytewise(data: bytes) -> Read:
    return read(*(data[at : at + 1] for at in range(len(data))))


def record(message: Any = "hello", **others: Any) -> dict[str, Any]:
    return {"message": message, "timestamp": STAMP, **others}


# Framings.


def lines(values: Sequence[str]) -> str:
    return "".join(value + "\n" for value in values)


def array(values: Sequence[str]) -> str:
    return "[" + ",".join(values) + "]"


FRAMINGS: dict[str, Callable[[Sequence[str]], str]] = {
    "lines": lines,
    "lines without the last newline": "\n".join,
    "lines with CRLF": lambda values: "".join(value + "\r\n" for value in values),
    "lines with blank ones": lambda values: "\n\n" + "".join(value + "\n \n" for value in values),
    "array on one line": array,
    "array on one line with a newline": lambda values: array(values) + "\n",
    "array with spaces": lambda values: "[ " + ", ".join(values) + " ]",
    "array, pretty": lambda values: "[\n" + ",\n".join("  " + value for value in values) + "\n]\n",
    "array, a record a line": lambda values: "[" + "\n,".join(values) + "]",
    "an array a line": lambda values: lines([array([value]) for value in values]),
    "arrays of two": lambda values: lines([array(values[at : at + 2]) for at in range(0, len(values), 2)]),
    "objects without anything between": "".join,
    "objects with spaces between": " ".join,
    "arrays and lines": lambda values: array(values[::2]) + "\n" + lines(values[1::2]),
}
each_framing = pytest.mark.parametrize("framing", FRAMINGS)


@each_framing
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
def test_each_framing_holds_the_same_records(framing: str, bom: bytes) -> None:
    """However records are put behind each other, each is read once."""
    values = [json.dumps(record(f"line {n}")) for n in range(6)]
    data = bom + FRAMINGS[framing](values).encode()
    expected = [(STAMP_MS, f"line {n}") for n in range(6)]
    assert sorted(read(data).events) == expected
    assert sorted(read_bytewise(data).events) == expected
    assert read(data).bad == {}


@each_framing
@pytest.mark.parametrize("chunk_bytes", [1, 50, 200, 1000, CHUNK_BYTES])
@pytest.mark.parametrize("piece_bytes", [7, 64, 130])
def test_chunks_of_any_size_hold_the_same_records(framing: str, chunk_bytes: int, piece_bytes: int) -> None:
    """Whether one piece makes a chunk, or it takes many to make one."""
    values = [json.dumps(record(f"line {n}"), separators=(",", ":")) for n in range(30)]
    data = FRAMINGS[framing](values).encode()
    pieces = [data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes)]
    assert read(*pieces, chunk_bytes=chunk_bytes) == read(data)


def test_pretty_printed_arrays_are_read() -> None:
    """Fields on lines of their own make no difference, whatever the indentation."""
    values = [record(f"line {n}", kubernetes={"labels": [{"a": "}"}, {}]}) for n in range(5)]
    for indent in (0, 1, 2, "\t"):
        data = json.dumps(values, indent=indent).encode()
        assert read(data).messages == read_bytewise(data).messages == [f"line {n}" for n in range(5)]


def test_pretty_printed_objects_are_read() -> None:
    """So are objects that follow each other with nothing around them."""
    for between in ("", "\n", "\r\n\r\n"):
        data = between.join(json.dumps(record(f"line {n}", kubernetes={"a": {}}), indent=2) for n in range(5)).encode()
        assert read(data).messages == read_bytewise(data).messages == [f"line {n}" for n in range(5)]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n \t\n", b"[]", b"[]\n[]\n", b"[ ]\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf[]"]
)
def test_an_object_may_hold_no_record(data: bytes) -> None:
    """An empty object is nothing to complain of."""
    assert read(data).read == read_bytewise(data).read == 0


@pytest.mark.parametrize(
    "data",
    [
        b"hello, world\nthis is no JSON\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"42\n43\n",
        b'"text"\n',
        b"null",
        b"{'python': 'repr'}\n" * 3,
        b"[1, 2, 3]",
        b"{",
        b'{"message": "cut o',
        b"\x1f",
        b"\0" * 5000,
        b"no JSON\n" * 5000,
    ],
)
def test_an_object_without_one_readable_record_is_corrupt(data: bytes) -> None:
    """It is something else; counting its lines as bad records would lose what it is."""
    with pytest.raises(ObjectCorrupt, match="s3://b/k"):
        read(data)


def test_what_is_no_log_is_given_up_early() -> None:
    """A gigabyte of something else is not split to its end, whether or not it begins well."""
    good = lines([json.dumps(record(f"line {n}")) for n in range(5)]).encode()
    for beginning, text in itertools.product((b"", good), (b"no JSON\n", b"[" + b"1," * 1000)):
        for chunk_bytes in (1, CHUNK_BYTES):
            found = Read()
            with pytest.raises(ObjectCorrupt, match=r"of the first 1\d{3} can be read"):
                read_into(found, [beginning, *[text * 1000] * 1000], chunk_bytes=chunk_bytes)
            assert found.read < 2000
            assert found.messages == ([f"line {n}" for n in range(5)] if beginning else [])


def test_a_record_in_a_hundred_is_worth_reading_on() -> None:
    """What is found among much else is delivered, and what is not goes to its own place."""
    text = json.dumps(record("found")).encode() + b"\n" + b"no JSON\n" * 99
    found = read(text * 30)
    assert found.messages == ["found"] * 30
    assert len(found.bad) == 30 * 99


@pytest.mark.parametrize("cut", [1, 20, 60, 100])
def test_an_array_that_is_not_closed_is_corrupt(cut: int) -> None:
    """What came before is read all the same."""
    values = [json.dumps(record(f"line {n}")) for n in range(9)]
    data = array(values).encode()[:-cut]
    whole = json.loads(data[: data.rindex(b"}") + 1] + b"]") if cut == 1 else None
    found = Read()
    with pytest.raises(ObjectCorrupt, match="inside its JSON array"):
        read_into(found, [data])
    assert found.messages == [f"line {n}" for n in range(len(found.messages))]
    assert len(found.messages) >= 7
    assert whole is None or len(whole) == len(found.messages)


@given(
    count=st.integers(1, 12),
    share=st.floats(0, 1),
    in_array=st.booleans(),
    chunk_bytes=st.sampled_from([1, 300, 2**20]),
)
def test_what_cannot_be_read_on_gives_out_its_whole_records(
    count: int, share: float, in_array: bool, chunk_bytes: int
) -> None:
    """Wherever its bytes end: every record that is whole, and nothing of the one that is cut off."""
    values = [json.dumps(record(f"line {n}")) for n in range(count)]
    ends = list(accumulate(len(value) + 1 for value in values))  # each behind what follows it
    data = ("[" + ",".join(values) + "," if in_array else "\n".join(values) + "\n").encode()
    cut = round(share * len(data))
    reader = RecordReader(name="s3://b/k", untimed_ms=UNTIMED_MS, chunk_bytes=chunk_bytes)
    pieces = [data[at : min(at + 100, cut)] for at in range(0, cut, 100)]
    found = [each for piece in pieces for each in reader.feed(piece)] + list(reader.stop())
    messages = [json.loads(bytes(token)) for records in found for token in records.messages]
    assert messages == [f"line {n}" for n in range(len(messages))]
    assert len(messages) == sum(end - 1 + in_array <= cut for end in ends)
    assert not any(records.unreadable for records in found)


# Messages.


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        'quotes " and \\ backslashes \\" both',
        '},{"message":"injected"},{"',
        "\n\r\t\0\x1f\x7f",
        "}\n{",
        "][",
        "€ 😀 \u2028",
        " ",
        '"\n"',
    ],
)
@pytest.mark.parametrize("ascii", [True, False])
def test_a_string_is_sent_as_it_is(message: str, ascii: bool) -> None:  # noqa: A002  json's own word
    """Only the message goes out, and nothing in it is taken for framing."""
    values = [json.dumps(record(message), ensure_ascii=ascii), json.dumps(record("next"))]
    for framing in FRAMINGS.values():
        data = framing(values).encode()
        assert read(data).messages == read_bytewise(data).messages == [message, "next"]


@pytest.mark.parametrize(
    "text", ["17", "-0", "1.50", "1e5", "true", "null", "[]", "{}", '["a", {"b" :1}]', '{"b":"\\ud83d"}']
)
def test_another_json_value_is_sent_as_its_text(text: str) -> None:
    """Vector's remap may leave anything in ``message``; it is sent as it was written."""
    data = f'{{"message":{text}}}\n{{"message":"next"}}\n'.encode()
    got = read(data).messages
    assert got[1:] == ["next"]
    assert got[0] == (text if "ud83d" not in text else '{"b":"\N{REPLACEMENT CHARACTER}"}')


def test_a_record_without_message_sends_itself() -> None:
    """Less what the collector added, which is not the tenant's."""
    collected = dict.fromkeys(COLLECTOR_FIELDS, "x") | {"level": "info", "n": [1, {"a": None}], "€": "\n"}
    data = lines([json.dumps(collected), json.dumps(record("next")), "{}", json.dumps({"timestamp": 1})]).encode()
    first, *others = read(data).messages
    assert json.loads(first) == {"level": "info", "n": [1, {"a": None}], "€": "\n"}
    assert others == ["next", "{}", "{}"]


def test_an_empty_message_is_skipped_and_counted() -> None:
    """CloudWatch takes no empty event."""
    found = read(lines([json.dumps(record(text)) for text in ("a", "", "b", "", "")]).encode())
    assert (found.messages, found.skipped, found.read) == (["a", "b"], 3, 5)
    assert read(b'{"message":""}').skipped == 1


@pytest.mark.parametrize("stamp", [None, True, "soon", "", [1], {}, 1e300, 10**30, 10**4299])
def test_without_a_time_it_is_the_objects(stamp: Any) -> None:
    """A record whose time cannot be told is delivered, and counted."""
    values = [json.dumps(record("a") | {"timestamp": stamp}), json.dumps(record("b")), '{"message":"c"}']
    for framing in FRAMINGS.values():
        found = read(framing(values).encode())
        assert sorted(found.events) == sorted([(UNTIMED_MS, "a"), (STAMP_MS, "b"), (UNTIMED_MS, "c")])
        assert found.untimed == 2


def test_numbers_beyond_all_bounds_are_no_accident() -> None:
    """An integer of more digits than Python reads is text to us where it is a message, and no time where it is one."""
    digits = "9" * 6000
    found = read(
        f'{{"message":{digits},"timestamp":{digits},"n":{digits}}}\n{{"message":"b","timestamp":1e999}}'.encode()
    )
    assert found.events == [(UNTIMED_MS, digits), (UNTIMED_MS, "b")]


def test_of_a_name_given_twice_the_last_counts() -> None:
    """As JSON readers have it, and the same on the short way and on the exact one."""
    data = b'{"message":"a","message":"b","timestamp":1,"timestamp":"' + STAMP.encode() + b'"}'
    assert read(data).events == [(STAMP_MS, "b")]
    assert read(data + b"\nbad\n").events == [(STAMP_MS, "b")]


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        (b'{"message":"m","timestamp":"' + STAMP.encode() + b'","x":"\xff"}', STAMP_MS),
        (b'{"\xff":1,"message":"m","timestamp":"' + STAMP.encode() + b'"}', STAMP_MS),
        (b'{"message":"m","timestamp":"2026-03-02T\xff"}', UNTIMED_MS),
        (b'{"message":"m","timestamp":["\xff"]}', UNTIMED_MS),
    ],
)
def test_a_field_that_is_not_utf_8_costs_no_line(text: bytes, at_ms: int) -> None:
    """Nobody is sent it; and the same on the short way and on the exact one."""
    assert read(text + b"\n").events == [(at_ms, "m")]
    assert read(text + b"\nbad\n").events == [(at_ms, "m")]


def test_records_without_message_are_read_alike_alone_and_among_others() -> None:
    """A chunk that holds one takes another way; what it says is the same."""
    values = [
        record("m"),
        {"level": "info", "n": 1.50, "€": [], "timestamp": STAMP, "pod_name": "p"},
        {"message": None, "x": "\n", "timestamp": 1_772_452_798},
        {"timestamp": {"at": 1}, "x": {}},
        {"message": "", "x": 1},
        {},
    ]
    texts = [json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values]
    for framing in FRAMINGS.values():
        alone = [event for text in texts for event in read(framing([text]).encode()).events]
        assert sorted(read(framing(texts).encode()).events) == sorted(alone)
        assert sorted(read(framing([*texts, "{bad: 1}"]).encode()).events) == sorted(alone)


def test_what_is_sent_whole_must_be_utf_8() -> None:
    """A record without a message is its own message."""
    found = read(b'{"message":"m"}\n{"x":"\xff"}\n{"\xff":1}\n')
    assert (found.messages, sorted(found.bad)) == (["m"], [1, 2])


def test_half_a_surrogate_pair_is_replaced() -> None:
    """JSON's grammar allows it, UTF-8 and CloudWatch do not: the rest of the message is worth having."""
    values = [
        r'{"message":"a\ud83db","n":1}',
        r'{"message":"\udc00\ud83d\ude00"}',
        r'{"\ud800":"x"}',
        r'{"message":"c","x":"\ud800"}',
    ]
    for framing in FRAMINGS.values():
        data = framing(values).encode()
        expected = [
            "a\N{REPLACEMENT CHARACTER}b",
            "\N{REPLACEMENT CHARACTER}\N{GRINNING FACE}",
            '{"\N{REPLACEMENT CHARACTER}":"x"}',
            "c",
        ]
        assert sorted(read(data).messages) == sorted(read_bytewise(data).messages) == sorted(expected)


# Bad records.

BAD_LINES = [
    b"not JSON",
    b'{"message": "cut o',
    b'{"message": "cut",',
    b'{"message": {"cut": [',
    b"{bad: 1}",
    b"{'message': 'x'}",
    b'{"message": 01}',
    b'{"message": NaN}',
    b'{"message": "\xff\xfe"}',
    b'{"message": "\xed\xa0\x80"}',
    b'{"message": "tab\tinside"}',
    b'{"message": "\\x41"}',
    b'{"message": "x"]',
    b'"only a string"',
    b"42",
    b"null",
    b"}",
    b"]",
    b"\0\0\0",
    b'{"message":"x","d":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"message":' + b'{"d":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    b'{"timestamp":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"message":"\\ud83d","d":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
]
BAD_ELEMENTS = [
    b"42",
    b"null",
    b'"text"',
    b'"text with a ] and , and }"',
    b'"\\"],"',
    b"[1, 2]",
    b'[{"message":"nested"}]',
    b"{bad: 1}",
    b'{"message": 01}',
    b'{"message": "\xff\xfe"}',
    b'{"message": "\\x41"}',
    b'{"message": "x"]',
    b'{"message":"x","d":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"message":"\\ud83d","d":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
]


@pytest.mark.parametrize("bad", BAD_LINES, ids=lambda bad: repr(bad[:30]))
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_bad_line_costs_itself_only(bad: bytes, at: int) -> None:
    """The lines around it are delivered, and its position is known."""
    good = [json.dumps(record(f"line {n}")).encode() for n in range(4)]
    data = b"\n".join([*good[:at], bad, *good[at:]]) + b"\n"
    for found in (read(data), read(data[:-1])):
        assert found.messages == [f"line {n}" for n in range(4)]
        assert list(found.bad) == [at]
        assert found.bad[at].strip() == bad.strip()
        assert found.read == 5


@pytest.mark.parametrize("bad", BAD_ELEMENTS, ids=lambda bad: repr(bad[:30]))
@pytest.mark.parametrize("between", [b",", b",\n  "])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_bad_element_costs_itself_only(bad: bytes, between: bytes, at: int) -> None:
    """Inside an array too, on one line or on many."""
    good = [json.dumps(record(f"line {n}")).encode() for n in range(4)]
    data = b"[" + between.join([*good[:at], bad, *good[at:]]) + b"]\n"
    found = read(data)
    assert found.messages == [f"line {n}" for n in range(4)]
    assert found.bad == {at: bad}


@pytest.mark.parametrize("depth", range(150, 1100, 50))
def test_any_depth_is_read_or_costs_itself_only(depth: int) -> None:
    """Around the depth where readers give up, each in its own place, nothing breaks."""
    nested = "[" * depth + "]" * depth
    bad = [
        f'{{"message":"x","d":{nested}}}',
        f'{{"message":"\\ud800","d":{nested}}}',
        f'{{"message":["\\ud800",{nested}]}}',
        f'{{"d":{nested}}}',
        f'{{"message":"x","timestamp":{nested}}}',
    ]
    found = read(lines([json.dumps(record("a")), *bad, json.dumps(record("z"))]).encode())
    assert (found.messages[0], found.messages[-1], found.read) == ("a", "z", 7)


def test_a_bom_may_stand_at_every_member() -> None:
    """Files that each began with one were put behind each other."""
    member = b"\xef\xbb\xbf" + lines([json.dumps(record("a")), json.dumps(record("b"))]).encode()
    assert read(member * 3).messages == read_bytewise(member * 3).messages == ["a", "b"] * 3


# Size.


@pytest.mark.parametrize("framing", ["lines", "array on one line", "objects without anything between"])
def test_a_record_of_16_mib_is_read_and_a_larger_one_refused(framing: str) -> None:
    """The limit is on one record, to the byte, and however it arrives."""
    for excess in (0, 1):
        value = '{"message":"' + "x" * (MAX_RECORD_BYTES - 14 + excess) + '"}'
        data = FRAMINGS[framing]([json.dumps(record("first")), value, json.dumps(record("last"))]).encode()
        for pieces in ([data], [data[at : at + PIECE] for at in range(0, len(data), PIECE)]):
            if excess:
                with pytest.raises(ObjectRefused, match=str(MAX_RECORD_BYTES)):
                    read(*pieces)
            else:
                assert [len(message) for message in read(*pieces).messages] == [5, MAX_RECORD_BYTES - 14, 4]


def test_a_record_without_end_is_refused_before_it_fills_memory() -> None:
    """Nothing more is asked for once the limit is passed."""
    pieces = iter([b'{"message":"' + b"x" * PIECE, *[b"x" * PIECE] * 100])
    with pytest.raises(ObjectRefused):
        read(*[next(pieces) for _ in range(18)])
    with pytest.raises(ObjectRefused):
        read(*[b"[" + b"1" * PIECE, *[b"1" * PIECE] * 17])


@pytest.mark.parametrize("text", [b"{", b"[", b'{"a":[', b"[{}", b"[" + b"{" * 9, b'"a"'], ids=repr)
def test_brackets_without_end_are_no_work_for_long(text: bytes) -> None:
    """Four mebibytes of them are no records; none is looked at by itself."""
    many = text * (4 * PIECE // len(text))
    for beginning in (b"", b"["):
        with pytest.raises(ObjectCorrupt):
            read(beginning, *[many[at : at + PIECE] for at in range(0, len(many), PIECE)], text)


def test_a_record_without_end_is_looked_at_in_turns() -> None:
    """Its brackets are counted a quarter of a million at a time."""
    reader = RecordReader(name="s3://b/k", untimed_ms=UNTIMED_MS)
    found = list(reader.feed(b'[{"a":[' + b"{}," * 500_000))
    assert all(records is NOTHING_YET for records in found)
    assert len(found) >= 4


def test_brackets_behind_each_other_are_told_apart() -> None:
    """Where one value ends and the next begins, whatever stands between."""
    found = read(
        b'{"message":"a","x":[[{}]]}{"message":"b","x":{"y":{}}}{"message":"c","x":[[1]]}\n]]{"message":"d"}\n'
    )
    assert (found.messages, found.bad) == (["a", "b", "c"], {3: b']]{"message":"d"}'})


def test_large_pieces_are_read_in_linear_time() -> None:
    """A hundred thousand records in one piece, every framing the fast way or not."""
    values = [json.dumps({"message": f"line {n} }},{{"}) for n in range(50_000)]
    for framing in ("lines", "array on one line", "array, pretty"):
        data = FRAMINGS[framing](values).encode()
        pieces = [data[at : at + PIECE // 4] for at in range(0, len(data), PIECE // 4)]
        assert len(read(*pieces).events) == 50_000


# Properties.

HOSTILE = st.text(st.sampled_from('{}[]",:\\\n\r\t a€😀\0'), max_size=12)
strings = st.one_of(
    HOSTILE, st.sampled_from(['},{"', '"}\n{"', "", "\\"]), st.text(st.characters(codec="utf-8"), max_size=12)
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**18), 10**18), strings),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(strings, inner, max_size=3)),
    max_leaves=4,
)
timestamps: st.SearchStrategy[Any] = st.one_of(
    st.just(STAMP),
    st.integers(1_600_000_000, 1_900_000_000).map(lambda s: s * 1000),
    st.sampled_from(["2026-03-02T11:59:58.5+01:00", "1772452798", "never", None, True, []]),
)
records = st.one_of(
    st.fixed_dictionaries({"message": strings, "timestamp": st.just(STAMP)}),
    st.fixed_dictionaries(
        {},
        optional={
            "message": st.one_of(strings, json_values),
            "timestamp": timestamps,
            "kubernetes": json_values,
            "x": json_values,
        },
    ),
)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[dict[str, Any]], bytes]:
    """Records, and an object that holds them in one of the framings."""
    values = draw(st.lists(records, max_size=8))
    ascii_only, spaced = draw(st.booleans()), draw(st.booleans())
    separators = (", ", ": ") if spaced else (",", ":")
    texts = [json.dumps(value, ensure_ascii=ascii_only, separators=separators) for value in values]
    framing = FRAMINGS[draw(st.sampled_from([name for name in FRAMINGS if name != "arrays and lines"]))]
    bom = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return values, bom + framing(texts).encode()


@st.composite
def pieces_of(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """*data* cut anywhere, in the middle of characters too."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


chunk_sizes = st.sampled_from([1, 20, 60, 200])


def meant(value: dict[str, Any]) -> Any:
    """What a record's message says: a string, or a JSON value."""
    return value.get("message", {name: v for name, v in value.items() if name not in COLLECTOR_FIELDS})


@settings(max_examples=300)
@given(st.data(), written())
def test_any_split_into_pieces_gives_the_same_records(
    data: st.DataObject, given: tuple[list[dict[str, Any]], bytes]
) -> None:
    """Every record is read once, in order, with its own message, in every framing and however it is cut."""
    values, stored = given
    found = read(*data.draw(pieces_of(stored)), chunk_bytes=data.draw(chunk_sizes))
    assert found == read(stored)
    assert found.read == len(values)
    assert found.bad == {}
    sent = [meant(value) for value in values if meant(value) != ""]
    assert found.skipped == len(values) - len(sent)
    for message, wanted in zip(found.messages, sent, strict=True):
        assert message == wanted if isinstance(wanted, str) else json.loads(message) == wanted


@settings(max_examples=200)
@given(
    st.data(),
    st.lists(st.sampled_from(BAD_LINES[:-4]), min_size=1, max_size=4),
    st.lists(HOSTILE.filter(bool), min_size=5, max_size=8),
)
def test_bad_lines_anywhere_cost_themselves_only(data: st.DataObject, bad: list[bytes], messages: list[str]) -> None:
    """However the object is cut, the good ones are read and the bad ones keep their positions."""
    bad_at = sorted(data.draw(st.sets(st.integers(0, len(messages) - 1), min_size=len(bad), max_size=len(bad))))
    rows: list[bytes] = []
    positions: dict[int, bytes] = {}
    for n, message in enumerate(messages):
        if n in bad_at:  # each is followed by a good one: two that are cut off cannot be told apart
            text = bad[bad_at.index(n)]
            positions[len(rows)] = text
            rows.append(text)
        rows.append(json.dumps(record(message)).encode())
    found = read(*data.draw(pieces_of(b"\n".join(rows) + b"\n")), chunk_bytes=data.draw(chunk_sizes))
    assert found.messages == messages
    assert {at: text.strip() for at, text in found.bad.items()} == positions


@settings(max_examples=200)
@given(
    st.data(),
    st.lists(
        st.one_of(st.sampled_from(BAD_ELEMENTS[:-2]), HOSTILE.map(lambda m: json.dumps(record(m)).encode())),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([b",", b", ", b",\n "]),
)
def test_bad_elements_anywhere_cost_themselves_only(data: st.DataObject, elements: list[bytes], between: bytes) -> None:
    """In an array, too, each element is read or bad in its own place."""
    elements = [*elements, json.dumps(record("last")).encode()]
    pieces = data.draw(pieces_of(b"[" + between.join(elements) + b"]"))
    found = read(*pieces, chunk_bytes=data.draw(chunk_sizes))
    assert found.bad == {at: text for at, text in enumerate(elements) if text in BAD_ELEMENTS}
    good = [json.loads(text)["message"] for text in elements if text not in BAD_ELEMENTS]
    assert found.messages == [message for message in good if message]
    assert found.read == len(elements)


SHARDS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b'"',
    b"\n",
    b"\\",
    b" ",
    b":",
    b"1",
    b"\xff",
    b"\xef\xbb\xbf",
    b'{"message":"m"}',
    b'{"message":"m","x":"\xff"}',
    b'{"message":"m","timestamp":"\xff"}',
    b'{"message":"',
    b'"}',
    b'},{"',
    b'"x"',
    b"null",
    b"\r",
]


@settings(max_examples=1500)
@given(st.data(), st.lists(st.sampled_from(SHARDS), max_size=14).map(b"".join))
@example(None, b'{"message":"m"}],[{"message":"m"}')
def test_any_bytes_are_read_alike_however_they_are_cut(data: Any, stored: bytes) -> None:
    """Hostile bytes give the same records, or the same refusal, in one piece and in many; never another error."""
    pieces = data.draw(pieces_of(stored)) if data else [stored[:9], stored[9:]]
    chunk_bytes = data.draw(chunk_sizes) if data else 5
    bytewise = [stored[at : at + 1] for at in range(len(stored))]
    outcomes = []
    for cut, enough in (([stored], 1), (pieces, chunk_bytes), (bytewise, 1), (bytewise, chunk_bytes)):
        found, refused = Read(), ""
        try:
            read_into(found, cut, chunk_bytes=enough)
        except (ObjectCorrupt, ObjectRefused) as error:
            refused = str(error)
        outcomes.append((found, refused))
    assert outcomes == [outcomes[0]] * len(outcomes)

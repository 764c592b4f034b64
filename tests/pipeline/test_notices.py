"""An SQS body is read as whatever envelope it came in, and nothing in it can stop a worker."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.errors import NoticeUnreadable
from logfanout.pipeline.notices import parse, render
from logfanout.ports import ObjectRef

KEY = "acme/c1/web/pod-1/20260302-120000.json.gz"
EVENT_MS = 1_772_452_800_123  # 2026-03-02T12:00:00.123Z


def s3_record(key: str = KEY, **changes: Any) -> dict[str, Any]:
    """One entry of ``Records`` as S3 writes it; *key* is URL-encoded."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-03-02T12:00:00.123Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": "central-logs", "arn": "arn:aws:s3:::central-logs"},
            "object": {"key": key, "size": 4711, "eTag": "0", "sequencer": "0A1B"},
        },
    } | changes


def s3_event(*records: Any) -> str:
    return json.dumps({"Records": list(records)})


def in_sns(body: str) -> str:
    """*body* as SNS hands it to SQS when raw delivery is off."""
    return json.dumps({"Type": "Notification", "MessageId": "0", "TopicArn": "arn:aws:sns:…", "Message": body})


def event_bridge(key: str = KEY, *, kind: str = "Object Created", **changes: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "detail-type": kind,
        "source": "aws.s3",
        "time": "2026-03-02T12:00:00Z",
        "detail": {
            "version": "0",
            "bucket": {"name": "central-logs"},
            "object": {"key": key, "size": 4711, "version-id": "v1"},
        },
    } | changes


def keys(body: str) -> list[str]:
    return [ref.key for ref in parse(body)]


@pytest.mark.parametrize("wrapped", [str, in_sns, lambda body: in_sns(in_sns(body))], ids=["raw", "sns", "sns twice"])
def test_an_s3_event_is_read_in_any_envelope(wrapped: Any) -> None:
    """SNS's envelope, SNS's raw delivery and S3 itself say the same."""
    expected = ObjectRef(bucket="central-logs", key=KEY, size_bytes=4711, sequencer="0A1B", event_ms=EVENT_MS)
    assert parse(wrapped(s3_event(s3_record()))) == (expected,)


@pytest.mark.parametrize("wrapped", [str, in_sns], ids=["raw", "sns"])
def test_event_bridge_is_read_in_any_envelope(wrapped: Any) -> None:
    """EventBridge's "Object Created" names the same object in other words."""
    expected = ObjectRef(
        bucket="central-logs", key=KEY, size_bytes=4711, version_id="v1", event_ms=EVENT_MS - EVENT_MS % 1000
    )
    assert parse(wrapped(json.dumps(event_bridge()))) == (expected,)


@pytest.mark.parametrize("wrapped", [str, in_sns, lambda body: in_sns(in_sns(body))], ids=["raw", "sns", "sns twice"])
def test_the_test_event_announces_nothing(wrapped: Any) -> None:
    """S3's own TestEvent, sent when a notification is set up, is acknowledged in every envelope."""
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "…", "Bucket": "central-logs"})
    assert parse(wrapped(body)) == ()


def test_several_records_keep_their_order() -> None:
    """A message may announce many objects; they are read as listed."""
    assert keys(s3_event(*(s3_record(f"t/c/a/p/{n}") for n in range(25)))) == [f"t/c/a/p/{n}" for n in range(25)]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a+b/c", "a b/c"),
        ("a%2Fb", "a/b"),
        ("a%2Bb", "a+b"),
        ("a%252Fb", "a%2Fb"),
        ("%E2%82%AC/%F0%9F%98%80", "€/😀"),
        ("€/raw", "€/raw"),
        ("100%", "100%"),
        ("a%zz", "a%zz"),
    ],
)
def test_keys_are_url_decoded(encoded: str, key: str) -> None:
    """S3 sends keys as a form would: + for a space, %XX for the rest; once, not twice."""
    assert keys(s3_event(s3_record(encoded))) == [key]


def test_event_bridge_keys_are_not_encoded() -> None:
    """EventBridge sends a key as it is, plus signs and percent signs included."""
    assert keys(json.dumps(event_bridge("a+b%2Fc"))) == ["a+b%2Fc"]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2", "2.99", None])
def test_versions_2_are_read(version: str | None) -> None:
    """Minor versions only add fields."""
    assert keys(s3_event(s3_record(eventVersion=version))) == [KEY]


@pytest.mark.parametrize("version", ["3.0", "1.0", "20", "", 2.1, ["2.1"], True])
def test_other_versions_are_not_guessed_at(version: Any) -> None:
    """A new major version may mean something else by the same fields."""
    with pytest.raises(NoticeUnreadable, match=r"2\.x"):
        parse(s3_event(s3_record(eventVersion=version)))


@pytest.mark.parametrize(
    "name",
    ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy", "s3:ObjectCreated:Post"],
)
def test_every_kind_of_creation_counts(name: str) -> None:
    """However an object was made, it is there to be delivered."""
    assert keys(s3_event(s3_record(eventName=name))) == [KEY]


def test_other_events_announce_nothing() -> None:
    """Removals that share the topic are acknowledged, and do not hide the creations beside them."""
    removed = s3_record("gone", eventName="ObjectRemoved:Delete")
    assert keys(s3_event(removed, s3_record(), {"eventName": "LifecycleExpiration:Delete"})) == [KEY]
    assert parse(json.dumps(event_bridge(kind="Object Deleted"))) == ()


def test_a_version_id_is_kept() -> None:
    """A versioned bucket's notice names the version, and that one is read."""
    record = s3_record()
    record["s3"]["object"]["versionId"] = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
    assert parse(s3_event(record))[0].version_id == "096fKKXTRTtl3on89fVO.nfljtsv6qko"


@pytest.mark.parametrize("time", ["", "now", "2026-13-01T00:00:00Z", 17, None, "9999-12-31T23:59:59-23:59"])
def test_an_unreadable_event_time_is_no_reason_to_refuse(time: Any) -> None:
    """The event's time is for the lag only."""
    assert parse(s3_event(s3_record(eventTime=time)))[0].event_ms == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        '{"Records": []}',
        '{"Records": {}}',
        '{"Records": [null]}',
        '{"Records": [{"s3": {"bucket": {"name": ""}, "object": {"key": "k"}}}]}',
        '{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": ""}}}]}',
        '{"Records": [{"s3": {"bucket": {"name": 1}, "object": {"key": "k"}}}]}',
        '{"Type": "Notification", "Message": "hello"}',
        '{"Type": "Notification", "Message": {"Records": []}}',
        '{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}',
        '{"source": "aws.ec2", "detail-type": "Object Created", "detail": {}}',
        '{"Type": "Notification"}',
        "\ud800",
        '"\\ud800"',
    ],
)
def test_what_is_no_s3_event_is_refused(body: str) -> None:
    """Whatever else lands on the queue is unreadable, and never an accident of ours."""
    with pytest.raises(NoticeUnreadable):
        parse(body)


def test_a_key_that_is_no_text_is_refused() -> None:
    """Percent signs that decode to no UTF-8 name no object."""
    with pytest.raises(NoticeUnreadable, match="UTF-8"):
        parse(s3_event(s3_record("%FF%FE")))


def test_envelopes_end_somewhere() -> None:
    """An envelope in an envelope in an envelope is hostile."""
    body = s3_event(s3_record())
    for _ in range(3):
        body = in_sns(body)
    with pytest.raises(NoticeUnreadable, match="envelopes"):
        parse(body)


@pytest.mark.parametrize("depth", [900, 1023, 50_000])
@pytest.mark.parametrize(
    "field", ["eventVersion", "eventTime", "eventName", "s3", "versionId", "size", "key", "Records"]
)
def test_values_nested_deep_do_no_harm(depth: int, field: str) -> None:
    """A message cannot take a worker down by nesting deeper than Python recurses."""
    nested = "[" * depth + "]" * depth
    body = s3_event(s3_record(versionId="v")).replace(f'"{field}": ', f'"{field}": {nested}, "{field}2": ', 1)
    try:
        parse(body)
    except NoticeUnreadable as refused:
        assert len(str(refused)) < 500


# Properties.

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
refs = st.builds(
    ObjectRef,
    bucket=texts,
    key=st.one_of(texts, st.text(st.sampled_from('a/+% &=?#€😀\\"\n'), min_size=1, max_size=30)),
    size_bytes=st.integers(0, 5 * 2**40),
    version_id=st.one_of(st.just(""), texts),
    sequencer=st.one_of(st.just(""), texts),
    event_ms=st.integers(0, 253_402_300_799_999),  # to the end of the year 9999
)


@given(st.lists(refs, min_size=1, max_size=5))
def test_what_is_rendered_is_read_again(given: list[ObjectRef]) -> None:
    """A dead letter names exactly the objects it was made for."""
    assert parse(render(given)) == tuple(given)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Every place in a JSON *value*."""
    below = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(), *((key, *path) for key, inner in below for path in paths(inner))]


@st.composite
def damaged_events(draw: st.DrawFn) -> str:
    """Real events in which some places hold what does not belong there."""
    event: Any = draw(st.sampled_from([{"Records": [s3_record(), s3_record("a+b")]}, event_bridge()]))
    event = copy.deepcopy(event)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([path for path in paths(event) if path]))
        place = event
        for step in way:
            place = place[step]
        place[last] = draw(json_values)
    body = json.dumps(event)
    return in_sns(body) if draw(st.booleans()) else body


@given(st.one_of(damaged_events(), json_values.map(json.dumps), st.text()))
def test_any_body_is_read_or_refused(body: str) -> None:
    """No body makes the reader fail in another way, and what it reads can be written down again."""
    try:
        found = parse(body)
    except NoticeUnreadable:
        return
    assert not found or parse(render(found)) == found

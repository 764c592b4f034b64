"""Which objects, and which times, somebody means who writes them down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.ports import ObjectRef
from logfanout.sweeping.reach import Reach, moment_ms
from logfanout.testing.clock import NOON_MS


def held(uri: str, *keys: str, bucket: str = "logs") -> list[str]:
    reach = Reach.parse(uri)
    return [key for key in keys if reach.holds(ObjectRef(bucket=bucket, key=key, size_bytes=1))]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://logs", ["acme/1", "acme-corp/1", "acme", "b/1"]),
        ("s3://logs/", ["acme/1", "acme-corp/1", "acme", "b/1"]),
        ("s3://logs/acme/", ["acme/1"]),
        ("s3://logs/acme", ["acme/1", "acme"]),
        ("s3://logs/acme*", ["acme/1", "acme-corp/1", "acme"]),
        ("s3://logs/*", ["acme/1", "acme-corp/1", "acme", "b/1"]),
        ("s3://logs/acme/1", ["acme/1"]),
    ],
)
def test_a_path_means_what_lies_below_it(uri: str, expected: list[str]) -> None:
    """Never a neighbour whose name begins alike, unless an open end is asked for."""
    assert held(uri, "acme/1", "acme-corp/1", "acme", "b/1") == expected
    assert held(uri, "acme/1", bucket="other") == []


def test_folder_markers_are_no_objects() -> None:
    """Some tools make them: an empty object for each folder."""
    reach = Reach.parse("s3://logs/acme/")
    assert not reach.holds(ObjectRef(bucket="logs", key="acme/c1/", size_bytes=0))
    assert reach.holds(ObjectRef(bucket="logs", key="acme/c1/", size_bytes=1))
    assert reach.holds(ObjectRef(bucket="logs", key="acme/c1", size_bytes=0))


@pytest.mark.parametrize(
    "uri", ["", "logs", "s3:/logs", "http://logs/", "s3://", "s3://Logs/", "s3://logs/" + "x" * 1025]
)
def test_what_names_no_place_is_refused(uri: str) -> None:
    """With a sentence for whoever wrote it."""
    with pytest.raises(ValueError, match=r"must be|names no bucket|has a path"):
        Reach.parse(uri)


@given(st.text(max_size=30))
def test_a_reach_is_written_as_it_is_read(path: str) -> None:
    """What is shown to go on with means the same again."""
    reach = Reach.parse(f"s3://logs/{path}")
    assert Reach.parse(str(reach)) == reach


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02", NOON_MS - 12 * 3_600_000),
        ("2026-03-02T12:00", NOON_MS),
        ("2026-03-02T12:00:00Z", NOON_MS),
        ("2026-03-02T13:00:00.250+01:00", NOON_MS + 250),
        ("90s", NOON_MS - 90_000),
        ("15m", NOON_MS - 15 * 60_000),
        ("36h", NOON_MS - 36 * 3_600_000),
        ("14d", NOON_MS - 14 * 86_400_000),
        ("999999d", 0),
    ],
)
def test_a_time_may_be_one_or_an_age(text: str, expected: int) -> None:
    """Without a zone it is UTC."""
    assert moment_ms(text, now_ms=NOON_MS) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "36", "36 h", "1.5h", "2026-13-01", "-1h", "٣h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what could be written instead."""
    with pytest.raises(ValueError, match="write 2026"):
        moment_ms(text, now_ms=NOON_MS)

"""Which objects somebody means who writes them down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.ports import ObjectRef
from logfanout.sweeping.reach import Reach


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

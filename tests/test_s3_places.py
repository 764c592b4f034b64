"""Is an s3:// URI understood, or refused in words that help?"""

import pytest

from logfanout.ports import ObjectRef
from logfanout.s3_places import MOST_PREFIX_BYTES, S3Place, object_at


@pytest.mark.parametrize(
    ("uri", "bucket", "prefix"),
    [
        ("s3://logs", "logs", ""),
        ("s3://logs/", "logs", ""),
        ("s3://logs/a", "logs", "a/"),
        ("s3://logs/a/b/", "logs", "a/b/"),
        ("s3://my.logs-1/q?x=1#y/é/", "my.logs-1", "q?x=1#y/é/"),
    ],
)
def test_a_place_is_a_bucket_and_a_prefix(uri: str, bucket: str, prefix: str) -> None:
    """A prefix ends with a slash, or "a" would hold "ab" too."""
    assert S3Place.parse(uri) == S3Place(bucket=bucket, prefix=prefix)
    assert S3Place.parse(str(S3Place.parse(uri))) == S3Place.parse(uri)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "must be s3://"),
        ("bucket/prefix", "must be s3://"),
        ("https://bucket/prefix", "must be s3://"),
        ("s3:///prefix", "names no bucket"),
        ("s3://Bucket/prefix", "names no bucket"),
        ("s3://ab", "names no bucket"),
        ("s3://b_b/prefix", "names no bucket"),
        ("s3://bucket/pre\nfix", "cannot be read"),
        ("s3://bucket/" + "é" * (MOST_PREFIX_BYTES // 2) + "/", "more than"),
    ],
)
def test_what_is_no_place_is_refused(uri: str, why: str) -> None:
    """With a reason."""
    with pytest.raises(ValueError, match=why):
        S3Place.parse(uri)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("s3://bucket", "name a prefix too"),
        ("s3://bucket/", "name a prefix too"),
        ("s3://bucket//", "name a prefix too"),
        ("s3://bucket/a//b/", "empty or dotted"),
        ("s3://bucket/../a/", "empty or dotted"),
        ("bucket", "must be s3://"),
    ],
)
def test_a_place_for_what_is_no_log_must_be_below_a_prefix(uri: str, why: str) -> None:
    """A whole bucket so named may be the one with the logs: none of them would be delivered."""
    with pytest.raises(ValueError, match=why):
        S3Place.parse_below_a_prefix(uri)
    assert S3Place.parse_below_a_prefix("s3://bucket/a/b").prefix == "a/b/"


def test_a_place_holds_what_is_below_it() -> None:
    """And nothing beside it."""
    place = S3Place.parse("s3://logs/a/")
    assert place.holds(ObjectRef(bucket="logs", key="a/x", size_bytes=0))
    assert S3Place.parse("s3://logs").holds(ObjectRef(bucket="logs", key="x", size_bytes=0))
    assert not place.holds(ObjectRef(bucket="logs", key="ab/x", size_bytes=0))
    assert not place.holds(ObjectRef(bucket="logs2", key="a/x", size_bytes=0))


def test_an_object_is_a_bucket_and_a_key() -> None:
    """The key as it is; a bucket alone names none."""
    assert object_at("s3://logs/a b/é%2F") == ObjectRef(bucket="logs", key="a b/é%2F", size_bytes=0)
    for uri in ("s3://logs", "s3://logs/", "logs/key", "s3:///key"):
        with pytest.raises(ValueError, match=r"must be s3://bucket/key|names no bucket"):
            object_at(uri)

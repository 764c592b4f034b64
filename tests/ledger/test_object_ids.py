"""Is an object told from every other, and from its own next writing?"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from logfanout.ledger.object_ids import object_id
from logfanout.ports import ObjectRef

REF = ObjectRef(
    bucket="logs", key="t/c/a/p/1.json.gz", size_bytes=9, version_id="v1", sequencer="0055AED6DCD90281E5", event_ms=1
)


@pytest.mark.parametrize("change", [{"bucket": "b"}, {"key": "k"}, {"version_id": "v2"}, {"sequencer": "00"}])
def test_another_object_has_another_id(change: dict[str, str]) -> None:
    """And so has another writing of the same key."""
    assert object_id(replace(REF, **change)) != object_id(REF)


def test_the_same_notification_twice_has_the_same_id() -> None:
    """S3's sequencer says so, whatever the two say of the time."""
    assert object_id(replace(REF, event_ms=2)) == object_id(REF)


@pytest.mark.parametrize("version", ["", "null"])
def test_a_notice_without_a_sequencer_goes_by_its_time_and_size(version: str) -> None:
    """Every writing of a key in a bucket without versions is called null: that tells nothing apart."""
    bare = replace(REF, version_id=version, sequencer="")
    assert object_id(bare) == object_id(replace(bare))
    assert len({object_id(bare), object_id(replace(bare, event_ms=2)), object_id(replace(bare, size_bytes=8))}) == 3


@given(st.text(), st.text(), st.text(), st.text())
def test_no_key_reaches_anothers_id(bucket: str, key: str, other_bucket: str, other_key: str) -> None:
    """No separator in a key moves the border between two fields."""
    one = object_id(ObjectRef(bucket=bucket, key=key, size_bytes=0))
    other = object_id(ObjectRef(bucket=other_bucket, key=other_key, size_bytes=0))
    assert (one == other) == ((bucket, key) == (other_bucket, other_key))


@pytest.mark.parametrize("key", ["", "\ud800", "\0", "k" * 100_000])
def test_an_id_has_one_length(key: str) -> None:
    """Hostile keys cost no more than others."""
    assert re.fullmatch("[0-9a-f]{40}", object_id(replace(REF, key=key)))

"""A change says what becomes of each field, and leaves the others."""

from typing import Any

from logfanout.roster.changes import applied, replacing, switching
from logfanout.testing.clock import NOON_MS

NOON = "2026-03-02T12:00:00Z"
ROLE = "arn:aws:iam::111122223333:role/r"


def test_a_new_row_says_when_it_was_made(group: dict[str, Any]) -> None:
    """And is enabled by saying nothing of it."""
    fields = {name: group[name] for name in ("log_distribution_role_arn", "log_group_name")}
    assert applied(replacing("acme", "cloudwatch", fields, now_ms=NOON_MS), None) == group | {
        "created_at": NOON,
        "updated_at": NOON,
    }


def test_a_replaced_row_says_no_more_than_it_was_told() -> None:
    """A filter nobody repeats is gone; so it can be read off the command line what a row says."""
    before = {
        "tenant_id": "acme",
        "type": "s3",
        "bucket_name": "old",
        "bucket_prefix": "a/",
        "bucket_owner": "111122223333",
        "desired_logs": ["web"],
        "groups": ["api"],
        "target_region": "eu-west-1",
        "ttl": 1,
    }
    after = applied(replacing("acme", "s3", {"bucket_name": "new"}, now_ms=NOON_MS), before)
    assert after == {
        "tenant_id": "acme",
        "type": "s3",
        "bucket_name": "new",
        "created_at": NOON,
        "updated_at": NOON,
    }


def test_what_others_decided_stays() -> None:
    """Who disabled it, which id was agreed on, when it was made, and what other programs keep there."""
    kept = {"enabled": False, "external_id": "theirs", "created_at": "2025-01-01T00:00:00Z", "billing": {"code": 7}}
    change = replacing(
        "acme", "cloudwatch", {"log_group_name": "/g", "log_distribution_role_arn": ROLE}, now_ms=NOON_MS
    )
    after = applied(change, kept | {"session_tags": True})
    assert after is not None
    assert {name: after.get(name) for name in kept} == kept
    assert "session_tags" not in after


def test_what_others_decided_can_be_said_anew() -> None:
    """By saying it."""
    before = {"enabled": False, "external_id": "theirs"}
    told = applied(replacing("a", "cloudwatch", {"enabled": True, "external_id": "new"}, now_ms=NOON_MS), before)
    gone = applied(replacing("a", "cloudwatch", {}, removes=["external_id"], now_ms=NOON_MS), before)
    assert told is not None
    assert gone is not None
    assert (told["enabled"], told["external_id"]) == (True, "new")
    assert "external_id" not in gone


def test_a_switch_changes_one_field_and_makes_no_row(bucket: dict[str, Any]) -> None:
    """Half a row would be refused as long as it stood there."""
    change = switching("acme", "s3", enabled=False, now_ms=NOON_MS)
    assert applied(change, bucket) == bucket | {"enabled": False, "updated_at": NOON}
    assert applied(change, None) is None


def test_a_change_hides_what_it_sets_in_tracebacks() -> None:
    """An external id may be in it."""
    change = replacing("acme", "cloudwatch", {"external_id": "chosen-id"}, now_ms=NOON_MS)
    assert "chosen-id" not in repr(change)

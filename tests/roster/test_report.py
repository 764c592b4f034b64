"""Rows are told in full, but for what nobody may see, and without moving a cursor."""

import json
from typing import Any

import msgspec

from logfanout.roster import report
from logfanout.roster.changes import replacing
from logfanout.roster.commands import Changed, foreseen
from logfanout.roster.entries import Reading
from logfanout.testing.clock import NOON_MS

SECRET = "chosen-id"
GROUP = "log group /platform/acme of account 111122223333 in eu-west-1"


def as_json(row: dict[str, Any]) -> str:
    """Return *row* as it is printed."""
    return msgspec.json.encode(row).decode()


def test_the_list_is_a_line_a_row(reading: Reading, group: dict[str, Any], bucket: dict[str, Any]) -> None:
    """In columns; a reason stands where the destination would."""
    rows = [
        group,
        bucket | {"enabled": False},
        {"tenant_id": "meadow", "type": "s3"},
        {"tenant_id": "meadow", "type": "s3", "ttl": 1},
    ]
    assert report.listing([reading.entry(row) for row in rows]).splitlines() == [
        f"acme    cloudwatch  enabled   {GROUP}",
        "acme    s3          disabled  bucket acme-archive in eu-west-1 under ROSA/cluster-logs/",
        "meadow  s3          refused: tenant 'meadow', row 's3': bucket_name must be a bucket's name",
        "meadow  s3          expired   refused: tenant 'meadow', row 's3': bucket_name must be a bucket's name",
    ]


def test_hostile_rows_stay_on_their_line(reading: Reading, bucket: dict[str, Any]) -> None:
    """Names, types, prefixes and fields come from a table that others write to."""
    rows = [
        bucket | {"tenant_id": "\x1b[2Jx"},
        bucket | {"type": "s3\n"},
        bucket | {"bucket_prefix": "a\u202eb", "no\x1bte": "\x1b[31m", "deep": {"\x9b": ["\x9b"]}},
    ]
    entries = [reading.entry(row) for row in rows]
    told = [report.listing(entries), *map(report.sheet, entries)]
    assert all(line.isprintable() for text in told for line in text.splitlines())
    assert len(told[0].splitlines()) == len(rows)


def test_programs_get_the_same(reading: Reading, group: dict[str, Any]) -> None:
    """What is not there is null."""
    assert json.loads(as_json(report.entry_row(reading.entry(group)))) == {
        "tenant": "acme",
        "type": "cloudwatch",
        "state": "enabled",
        "to": GROUP,
        "refused": None,
    }


def test_a_sheet_has_every_field_but_the_external_id(reading: Reading, group: dict[str, Any]) -> None:
    """Of that only whether it is set, under whatever spelling, however deep."""
    row = group | {
        "external_id": SECRET,
        "ExternalId": SECRET,
        "old": {"external-id": SECRET},
        "n": {"b", "a"},
        "x": b"y",
    }
    entry = reading.entry(row)
    people, programs = report.sheet(entry), as_json(report.sheet_row(entry))
    assert SECRET not in people + programs
    assert "  external_id                set" in people.splitlines()
    assert '  n                          ["a","b"]' in people.splitlines()
    fields = json.loads(programs)["fields"]
    assert fields.keys() == row.keys()
    assert (fields["external_id"], fields["old"], fields["n"]) == ("set", {"external-id": "set"}, ["a", "b"])


def test_an_external_id_that_is_not_set_is_told_too(
    reading: Reading, group: dict[str, Any], bucket: dict[str, Any]
) -> None:
    """Where there could be one."""
    assert report.sheet_row(reading.entry(group))["fields"]["external_id"] == "not set"
    assert report.sheet_row(reading.entry(group | {"external_id": None}))["fields"]["external_id"] == "not set"
    assert "external_id" not in report.sheet_row(reading.entry(bucket))["fields"]


def test_a_change_is_told_by_the_names_of_fields(reading: Reading, group: dict[str, Any]) -> None:
    """Values may be secrets, and are in ``show``."""
    entry = reading.entry(group)
    lines = [
        report.changed_line(Changed(entry=entry, created=created, fields=fields))
        for created, fields in ((True, ["type"]), (False, ["external_id", "ttl"]), (False, []))
    ]
    assert lines == [
        f"acme  cloudwatch  created; now enabled  {GROUP}",
        f"acme  cloudwatch  changed (external_id, ttl); now enabled  {GROUP}",
        f"acme  cloudwatch  as it was; now enabled  {GROUP}",
    ]
    row = report.changed_row(Changed(entry=entry, created=False, fields=["ttl"]), seen_within_seconds=72)
    assert (row["created"], row["changed"], row["seen_within_seconds"]) == (False, ["ttl"], 72)


def test_a_plan_says_all_that_would_be_written(reading: Reading) -> None:
    """But for the external id."""
    fields = {
        "log_distribution_role_arn": "arn:aws:iam::111122223333:role/r",
        "log_group_name": "/platform/acme",
        "external_id": SECRET,
    }
    change = replacing("acme", "cloudwatch", fields, now_ms=NOON_MS)
    entry = foreseen(change, reading=reading)
    people, programs = report.plan(change, entry), as_json(report.plan_row(change, entry))
    assert SECRET not in people + programs
    assert "  external_id                set" in people.splitlines()
    assert people.endswith("Nothing was written.")
    told = json.loads(programs)
    assert told["would_set"]["log_group_name"] == "/platform/acme"
    assert told["would_set_if_absent"] == {"created_at": "2026-03-02T12:00:00Z"}
    assert "desired_logs" in told["would_remove"]

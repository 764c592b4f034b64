"""How a replay is told: what is asked for again means the same, and no key moves a terminal's cursor."""

import shlex
import subprocess

import pytest

from logfanout.ports import ObjectRef
from logfanout.sweeping.reach import Reach
from logfanout.sweeping.replay import Asked, Totals
from logfanout.sweeping.replay_report import going_on, listed_line, listed_row, summary, summary_row
from logfanout.sweeping.sweep import Done
from logfanout.testing.clock import NOON_MS

REF = ObjectRef(bucket="logs", key="acme/c1/web/pod-1/a.gz", size_bytes=1234, event_ms=NOON_MS)


def test_an_object_is_listed_on_a_line() -> None:
    """When, how large, whose, which."""
    assert listed_line(REF, tenant="acme").split() == ["2026-03-02T12:00:00Z", "1,234", "acme", REF.uri]
    assert "(no tenant)" in listed_line(REF, tenant="")


def test_an_object_is_listed_as_a_row() -> None:
    """The same for programs."""
    assert listed_row(REF, tenant="") == {
        "object": REF.uri,
        "tenant": None,
        "size_bytes": 1234,
        "last_modified": "2026-03-02T12:00:00Z",
    }


def test_no_key_moves_the_cursor() -> None:
    """Whoever writes to the bucket chooses it."""
    hostile = ObjectRef(bucket="logs", key="acme/\x1b[2J\n\r\u202e", size_bytes=0)
    told = Totals(objects=1, failures=[Done(ref=hostile, reason="bad_key", detail="\x1b[2J")], done_up_to=hostile.key)
    asked = Asked(reach=Reach.parse("s3://logs"))
    lines = [
        listed_line(hostile, tenant="\x1b"),
        *summary(told, events={}, seconds=1).split("\n"),
        going_on(told, asked),
    ]
    assert all(line.isprintable() for line in lines)


def test_many_failures_are_cut_short_for_people_only() -> None:
    """A program gets them all."""
    told = Totals(objects=30, failures=[Done(ref=REF, reason="object_gone", detail="gone")] * 30, done=1, listed=True)
    text = summary(told, events={"delivered": 12_345}, seconds=1.25)
    assert text.startswith("1 of 30 objects delivered, 30 failed, in 1.2 s; events: 12,345 delivered.\n")
    assert text.count("object_gone") == 20
    assert text.endswith("and 10 more; --json lists them all")
    row = summary_row(told, events={"delivered": 12_345}, seconds=1.25)
    assert len(row["failures"]) == row["failed"] == 30
    assert (row["stopped"], row["continue_after"]) == (False, None)


def test_only_a_stopped_replay_has_somewhere_to_go_on() -> None:
    """Behind the last key up to which nothing was left."""
    row = summary_row(Totals(stopped=True, done_up_to="a"), events={}, seconds=0)
    assert row["continue_after"] == "a"


def test_the_command_line_has_all_that_was_asked() -> None:
    """And where to begin."""
    asked = Asked(
        reach=Reach.parse("s3://logs/acme*"),
        since_ms=NOON_MS,
        until_ms=NOON_MS + 1,
        tenants=("acme", "a b"),
        after="earlier",
        skip_delivered=True,
    )
    assert shlex.split(going_on(Totals(done_up_to="acme/o'clock"), asked)) == [
        *("logfanout", "replay", "s3://logs/acme*"),
        *("--since", "2026-03-02T12:00:00Z", "--until", "2026-03-02T12:00:00.001Z"),
        *("--tenant", "acme", "--tenant", "a b", "--skip-delivered", "--after=acme/o'clock"),
    ]


@pytest.mark.process
@pytest.mark.parametrize("key", ["--json", "a b", "it's", "\x1b[2J\\x41", "é\n'\\", "日本\u202e"])
def test_a_shell_reads_the_key_as_it_is(key: str) -> None:
    """Whatever is in it."""
    line = going_on(Totals(done_up_to=key), Asked(reach=Reach.parse("s3://logs")))
    script = line.replace("logfanout replay", "printf '%s|'", 1)
    told = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True, timeout=10).stdout.decode()
    assert told == f"s3://logs/|--after={key}|"

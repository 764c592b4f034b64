"""A letter says whose it is and why it is there, whatever is lacking in it."""

import pytest

from logfanout.letters.letter import NO_REASON, Chosen, Letter, Told, told
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import ObjectRef
from logfanout.testing.clock import NOON_MS
from logfanout.testing.world import notice

LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")
REFS = [ObjectRef(bucket="logs", key=f"acme/c1/web/pod-1/{name}", size_bytes=1) for name in ("a.gz", "b c.gz")]


def letter(body: str, **said: str) -> Letter:
    attributes = {f"logfanout.{name}": value for name, value in said.items()}
    return Letter(id="m-1", receipt="r", body=body, attributes=attributes, sent_ms=NOON_MS)


def test_a_letter_of_the_workers_says_everything() -> None:
    """What was written on it, and what its notification announces."""
    said = {"reason": "access_denied", "detail": "PutLogEvents: no", "tenant": "acme", "receive_count": "5"}
    given = letter(notice(*REFS, sent_ms=NOON_MS), **said)
    assert told(given, layout=LAYOUT) == Told(
        letter=given,
        objects=("s3://logs/acme/c1/web/pod-1/a.gz", "s3://logs/acme/c1/web/pod-1/b c.gz"),
        **said,
    )


def test_one_that_sqs_moved_says_whose_it_is_by_its_key() -> None:
    """Nobody gave a reason: its receives ran out."""
    found = told(letter(notice(*REFS, sent_ms=NOON_MS)), layout=LAYOUT)
    assert (found.reason, found.tenant, found.detail, found.receive_count) == (NO_REASON, "acme", "", "")


@pytest.mark.parametrize("body", ["", "no JSON", "[" * 10_000, '{"Records": [{}]}'])
def test_a_body_that_cannot_be_read_is_no_obstacle(body: str) -> None:
    """A dash stands for what the worker did not know either."""
    found = told(letter(body, reason="bad_message", tenant="-"), layout=LAYOUT)
    assert (found.reason, found.tenant, found.objects) == ("bad_message", "", ())


def test_a_key_that_names_nobody_is_nobodys() -> None:
    """Its object is told all the same."""
    stray = ObjectRef(bucket="logs", key="stray.gz", size_bytes=1)
    found = told(letter(notice(stray, sent_ms=NOON_MS)), layout=LAYOUT)
    assert (found.tenant, found.objects) == ("", ("s3://logs/stray.gz",))


@pytest.mark.parametrize(
    ("chosen", "takes"),
    [
        (Chosen(), True),
        (Chosen(reasons=frozenset({"bad_key", "object_gone"})), True),
        (Chosen(reasons=frozenset({"object_gone"})), False),
        (Chosen(reasons=frozenset({"bad_key"}), tenants=frozenset({"other"})), False),
        (Chosen(tenants=frozenset({"acme"}), ids=frozenset({"m-1"})), True),
        (Chosen(ids=frozenset({"m-2"})), False),
    ],
)
def test_each_filter_must_let_a_letter_through(chosen: Chosen, takes: bool) -> None:
    """Values of one filter are alternatives, filters are not."""
    found = told(letter(notice(*REFS, sent_ms=NOON_MS), reason="bad_key"), layout=LAYOUT)
    assert chosen.takes(found) is takes
    assert chosen.everything is (chosen == Chosen())

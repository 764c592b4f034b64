"""Pods, and what must arrive of what they wrote."""

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from logfanout.demo import pods
from logfanout.demo.pods import Event, Line

NOW_NS = 1_756_553_221_564_974_123


def some_lines(seed: int, count: int, *, number: int = 0) -> tuple[Line, ...]:
    rng = Random(seed)
    of = pods.pod("harbor", number=number, rng=rng)
    return pods.lines(of, count, until_ns=NOW_NS, rng=rng, speak=pods.imitate)


def test_the_same_seed_writes_the_same() -> None:
    """A run can be repeated: pods and lines follow from the seed and the moment alone."""
    assert pods.pod("harbor", number=3, rng=Random(5)) == pods.pod("harbor", number=3, rng=Random(5))
    assert some_lines(5, 50) == some_lines(5, 50)
    assert some_lines(5, 50) != some_lines(6, 50)


@given(st.integers(0, 1000), st.integers(1, 200))
def test_lines_are_in_order_and_not_from_the_future(seed: int, count: int) -> None:
    """The last line is of now, no earlier one is later."""
    at = [line.at_ns for line in some_lines(seed, count)]
    assert len(at) == count
    assert at == sorted(at)
    assert at[-1] == NOW_NS


def test_some_lines_share_their_time() -> None:
    """Order within a millisecond is what an unstable sort loses."""
    at = [line.event.at_ms for line in some_lines(1, 500)]
    assert len(set(at)) < len(at)


def test_milliseconds_are_cut() -> None:
    """Half a millisecond and more is not the next one."""
    assert Line(1_999_999, "x").event == Event(1, "x")


def test_an_object_arrives_as_its_json_text() -> None:
    """Compact, UTF-8 as it is, its keys in the order in which Vector writes them."""
    line = Line(0, {"z": None, "a": {"note": "caf\u00e9 \U0001f389", "tls": True}})
    assert line.event.text == '{"a":{"note":"caf\u00e9 \U0001f389","tls":true},"z":null}'


def test_every_application_and_cluster_takes_its_turn() -> None:
    """A tenant's pods cover all there is."""
    rng = Random(0)
    made = [pods.pod("harbor", number=n, rng=rng) for n in range(2 * len(pods.APPLICATIONS))]
    assert {one.application for one in made} == set(pods.APPLICATIONS)
    assert {one.cluster for one in made} == {"harbor-prod", "harbor-stage"}
    assert len({one.name for one in made}) == len(made)


def test_quoted_lines_come_in_order_and_again() -> None:
    """A short file speaks for many objects."""
    rng = Random(0)
    of = pods.pod("harbor", number=0, rng=rng)
    written = pods.lines(of, 5, until_ns=NOW_NS, rng=rng, speak=pods.quote(["a", "b"]))
    assert [line.message for line in written] == ["a", "b", "a", "b", "a"]


def test_unreadable_lines_are_left_out() -> None:
    """Blank lines deliver nothing, and Vector throws away what is over its limit."""
    longest = "x" * pods.LONGEST_LINE_BYTES
    given_lines = ["a\r\n", "\n", "  \n", longest, longest + "x", "\u00e9" * pods.LONGEST_LINE_BYTES, "last"]
    assert list(pods.readable(iter(given_lines))) == ["a", "  ", longest, "last"]


def test_a_naive_search_for_the_message_is_misled() -> None:
    """Annotations hold JSON in strings, with a message of their own."""
    of = pods.pod("harbor", number=0, rng=Random(0))
    assert "message" in json.loads(of.annotations["k8s.v1.cni.cncf.io/network-status"])[0]

"""Whatever can go wrong with a delivery is seen, and nothing else is."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.demo.audit import Expectation, Finding, Place, Report, Sighting, compare, percentile
from logfanout.demo.pods import Event

HARBOR = Place("100000000001", "us-east-1", "/platform/harbor")
MEADOW = Place("100000000002", "eu-west-1", "/platform/meadow")

events = st.builds(Event, st.integers(0, 5), st.text(max_size=2))
written_events = st.lists(events, min_size=1, max_size=12)


def expected(name: str, place: Place, written: list[Event], *, put_ms: int = 1000) -> Expectation:
    one = Expectation(tenant=name, place=place, objects=1)
    for event in written:
        one.put_ms[event].append(put_ms)
    return one


def found(place: Place, there: list[Event], *, ingested_ms: int = 1500) -> Finding:
    return Finding(place=place, sightings=[Sighting(event, ingested_ms) for event in there])


def one(number: int, owner: str = "harbor") -> Event:
    return Event(number, f"{owner} {number}")


@pytest.fixture
def harbor() -> list[Event]:
    return [one(n) for n in range(5)]


@pytest.fixture
def meadow() -> list[Event]:
    return [one(n, "meadow") for n in range(5)]


def compared(harbor: list[Event], meadow: list[Event], *findings: Finding) -> Report:
    return compare([expected("harbor", HARBOR, harbor), expected("meadow", MEADOW, meadow)], findings)


def wrongs(report: Report) -> list[tuple[int, int, int, int]]:
    return [(row.missing, row.twice, row.astray, row.unknown) for row in report.rows]


@given(written_events, written_events, st.randoms(use_true_random=False))
def test_what_was_written_and_arrived_is_clean(harbor: list[Event], meadow: list[Event], rng: Random) -> None:
    """Order does not matter, repetitions in the input are not repetitions of ours."""
    there = rng.sample(harbor, len(harbor))
    report = compared(harbor, meadow, found(HARBOR, there), found(MEADOW, meadow))
    assert report.clean
    assert report.samples == ()
    assert [row.delivered for row in report.rows] == [len(harbor), len(meadow)]


@given(written_events, st.data())
def test_each_lost_event_is_missing(harbor: list[Event], data: st.DataObject) -> None:
    """However often a line was written, one that is not there is missed."""
    lost = data.draw(st.integers(0, len(harbor) - 1))
    there = harbor[:lost] + harbor[lost + 1 :]
    (row,) = compare([expected("harbor", HARBOR, harbor)], [found(HARBOR, there)]).rows
    assert (row.missing, row.delivered, row.clean) == (1, len(harbor) - 1, False)


@given(written_events, st.data())
def test_each_repetition_is_seen(harbor: list[Event], data: st.DataObject) -> None:
    """Once more than written is twice, even where it was written several times."""
    again = data.draw(st.sampled_from(harbor))
    (row,) = compare([expected("harbor", HARBOR, harbor)], [found(HARBOR, [*harbor, again])]).rows
    assert (row.twice, row.missing, row.delivered) == (1, 0, len(harbor))


def test_a_tenant_that_got_nothing_misses_everything(harbor: list[Event], meadow: list[Event]) -> None:
    """No group at all is no reason not to count."""
    report = compared(harbor, meadow, found(HARBOR, harbor))
    assert wrongs(report) == [(0, 0, 0, 0), (5, 0, 0, 0)]
    assert math.isnan(report.rows[1].lag_p50_ms)


def test_an_event_in_another_tenants_group_is_astray(harbor: list[Event], meadow: list[Event]) -> None:
    """It counts against the tenant whose secret it was, and is missing there too."""
    report = compared(harbor, meadow, found(HARBOR, harbor[1:]), found(MEADOW, [*meadow, harbor[0]]))
    assert wrongs(report) == [(1, 0, 1, 0), (0, 0, 0, 0)]
    assert any("harbor: astray" in sample for sample in report.samples)


def test_a_copy_in_another_account_is_astray_though_nothing_is_missing(
    harbor: list[Event], meadow: list[Event]
) -> None:
    """Delivered rightly and leaked as well is not clean."""
    report = compared(harbor, meadow, found(HARBOR, harbor), found(MEADOW, [*meadow, harbor[0]]))
    assert wrongs(report) == [(0, 0, 1, 0), (0, 0, 0, 0)]


@pytest.mark.parametrize(
    "elsewhere",
    [
        HARBOR._replace(region="eu-west-1"),
        HARBOR._replace(account="999999999999"),
        HARBOR._replace(group="/platform/other"),
    ],
)
def test_the_right_account_is_not_enough(harbor: list[Event], meadow: list[Event], elsewhere: Place) -> None:
    """The region and the group must be right as well."""
    report = compared(harbor, meadow, found(elsewhere, harbor), found(MEADOW, meadow))
    assert wrongs(report) == [(5, 0, 5, 0), (0, 0, 0, 0)]


def test_an_altered_event_is_missing_and_unknown(harbor: list[Event], meadow: list[Event]) -> None:
    """A cut message and a rounded millisecond are both something nobody wrote."""
    cut, rounded = Event(0, "harbor"), Event(2, "harbor 1")
    report = compared(harbor, meadow, found(HARBOR, [cut, rounded, *harbor[2:]]), found(MEADOW, meadow))
    assert wrongs(report)[0] == (2, 0, 0, 2)


def test_what_was_to_be_withheld_is_unknown(harbor: list[Event]) -> None:
    """A filter that opens is as bad as a message that changes."""
    one_tenant = expected("harbor", HARBOR, harbor)
    one_tenant.withheld = 1
    (row,) = compare([one_tenant], [found(HARBOR, [*harbor, one(9)])]).rows
    assert (row.written, row.withheld, row.unknown, row.clean) == (6, 1, 1, False)


def test_strange_events_in_strange_groups_are_not_clean(harbor: list[Event], meadow: list[Event]) -> None:
    """Even what belongs to no tenant, in a group of none, was written by somebody."""
    stray = found(Place("999999999999", "us-east-1", "/other"), [Event(1, "what is this")])
    report = compared(harbor, meadow, found(HARBOR, harbor), found(MEADOW, meadow), stray)
    assert (report.unclaimed, report.clean) == (1, False)


def test_lag_is_from_put_to_ingestion() -> None:
    """Equal events of two objects are paired early with early."""
    same = Event(1, "same")
    one_tenant = expected("harbor", HARBOR, [same], put_ms=1000)
    one_tenant.put_ms[same].append(2000)
    sightings = [Sighting(same, 2600), Sighting(same, 1100)]
    (row,) = compare([one_tenant], [Finding(place=HARBOR, sightings=sightings)]).rows
    assert (row.lag_p50_ms, row.lag_p99_ms) == (100, 600)


def test_percentiles_are_values_that_occurred() -> None:
    """The nearest rank, so that no lag is shown that nobody had."""
    hundred = list(range(1, 101))
    assert [percentile(hundred, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([7], 0.99) == 7
    assert math.isnan(percentile([], 0.5))

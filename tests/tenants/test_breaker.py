"""When does a destination that refused get another try, and who makes it?"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import REGISTRY

from logfanout.errors import AccessRefused
from logfanout.tenants import breaker
from logfanout.tenants.breaker import Admission, Breakers, Parked, Pass, Probe
from logfanout.tenants.log_groups import CloudWatchDestination

DENIED = AccessRefused("role customer of account 111122223333: AccessDenied")


@dataclass(frozen=True)
class Somewhere:
    """A destination as small as can be."""

    name: str
    tenant: str = "breaker-test"


HERE = Somewhere("here")


def unjittered() -> Breakers:
    """Breakers that wait as long as they may."""
    return Breakers(jitter=lambda _least, most: most)


def parked(admission: Admission) -> Parked:
    assert isinstance(admission, Parked)
    return admission


def probe(admission: Admission) -> Probe:
    assert isinstance(admission, Probe)
    return admission


def test_who_never_refused_is_let_pass() -> None:
    """And nothing is remembered of it."""
    breakers = unjittered()
    assert isinstance(breakers.admit(HERE, now_seconds=0), Pass)
    breakers.succeeded(HERE, now_seconds=0)
    assert len(breakers) == 0


def test_one_refusal_parks_all_that_follows_with_its_reason() -> None:
    """A policy does not refuse by chance, and a dead letter must say what it said."""
    breakers = unjittered()
    breakers.refused(HERE, DENIED, now_seconds=100)
    wait = parked(breakers.admit(HERE, now_seconds=105))
    assert wait.retry_after_seconds == 10
    assert str(wait.why) == str(DENIED)
    assert isinstance(breakers.admit(Somewhere("there"), now_seconds=105), Pass)


def test_the_reason_is_new_for_each_and_holds_no_frames() -> None:
    """An exception raised in two tasks would gather both tracebacks, and keep their batches in memory."""
    breakers = unjittered()
    try:
        raise AccessRefused("no")
    except AccessRefused as error:
        breakers.refused(HERE, error, now_seconds=0)
    first, second = (parked(breakers.admit(HERE, now_seconds=1)).why for _ in range(2))
    assert first is not second
    assert first.__traceback__ is None


def test_after_the_wait_one_probes_and_the_others_wait() -> None:
    """Thousands of parked messages must not all ask a closed door at once."""
    breakers = unjittered()
    breakers.refused(HERE, DENIED, now_seconds=0)
    probe(breakers.admit(HERE, now_seconds=15))
    assert parked(breakers.admit(HERE, now_seconds=15)).retry_after_seconds == breaker.PROBE_WAIT_SECONDS


def test_a_probe_that_succeeds_closes() -> None:
    """From then on the destination is like any other."""
    breakers = unjittered()
    breakers.refused(HERE, DENIED, now_seconds=0)
    found = breakers.admit(HERE, now_seconds=15)
    breakers.succeeded(HERE, now_seconds=16)
    breakers.abandoned(HERE, found)
    assert isinstance(breakers.admit(HERE, now_seconds=16), Pass)


def test_each_refused_probe_doubles_the_wait_up_to_five_minutes() -> None:
    """A tenant away for a week costs a call every five minutes, and one that mends its policy waits no longer."""
    breakers = unjittered()
    now, waits = 0.0, []
    for _ in range(7):
        breakers.refused(HERE, DENIED, now_seconds=now)
        waits.append(parked(breakers.admit(HERE, now_seconds=now)).retry_after_seconds)
        now += waits[-1]
        probe(breakers.admit(HERE, now_seconds=now))
    assert waits == [15, 30, 60, 120, 240, 300, 300]


def test_a_burst_of_refusals_counts_once() -> None:
    """What was under way when the breaker opened tells nothing new."""
    breakers = unjittered()
    for now in (0.0, 0.1, 3.0):
        breakers.refused(HERE, DENIED, now_seconds=now)
    probe(breakers.admit(HERE, now_seconds=15))


def test_an_abandoned_probe_lets_another_try() -> None:
    """A throttled or cancelled probe has told nothing about the policy."""
    breakers = unjittered()
    breakers.refused(HERE, DENIED, now_seconds=0)
    first = breakers.admit(HERE, now_seconds=15)
    breakers.abandoned(HERE, first)
    assert probe(breakers.admit(HERE, now_seconds=15)) is not first


def test_only_the_probe_under_way_can_be_abandoned() -> None:
    """Whoever passed before the breaker opened, or probed long ago, ends without letting a second probe in."""
    breakers = unjittered()
    before = breakers.admit(HERE, now_seconds=0)
    breakers.refused(HERE, DENIED, now_seconds=0)
    old = breakers.admit(HERE, now_seconds=15)
    breakers.abandoned(HERE, old)
    probe(breakers.admit(HERE, now_seconds=15))
    for ended in (before, old):
        breakers.abandoned(HERE, ended)
    parked(breakers.admit(HERE, now_seconds=15))


def test_a_probe_that_never_ends_is_replaced() -> None:
    """A bug in one place must not keep a tenant out for ever."""
    breakers = unjittered()
    breakers.refused(HERE, DENIED, now_seconds=0)
    probe(breakers.admit(HERE, now_seconds=15))
    parked(breakers.admit(HERE, now_seconds=15 + breaker.PROBE_SECONDS - 1))
    probe(breakers.admit(HERE, now_seconds=15 + breaker.PROBE_SECONDS))


def test_a_tenant_whose_row_changed_heals_at_once() -> None:
    """Another role is another destination, which nobody has refused."""
    breakers = unjittered()
    old = CloudWatchDestination(
        tenant="breaker-test", role_arn="arn:aws:iam::111122223333:role/old", group="g", region="eu-west-1"
    )
    new = replace(old, role_arn="arn:aws:iam::111122223333:role/new")
    breakers.refused(old, DENIED, now_seconds=0)
    assert isinstance(breakers.admit(new, now_seconds=0), Pass)


def open_breakers(tenant: str) -> float:
    return REGISTRY.get_sample_value("logfanout_tenant_breaker_open", {"tenant": tenant}) or 0.0


def test_the_gauge_counts_a_tenants_open_breakers() -> None:
    """Opened by one refusal, not by the next; closed by whatever closes it."""
    breakers = unjittered()
    a, b, other = Somewhere("a", "gauge"), Somewhere("b", "gauge"), Somewhere("a", "gauge-other")
    for destination in (a, a, b, other):
        breakers.refused(destination, DENIED, now_seconds=0)
    assert (open_breakers("gauge"), open_breakers("gauge-other")) == (2, 1)
    breakers.succeeded(a, now_seconds=1)
    breakers.retain("gauge", [a], now_seconds=1)
    assert (open_breakers("gauge"), open_breakers("gauge-other")) == (0, 1)
    breakers.admit(a, now_seconds=breaker.FORGET_SECONDS)
    assert open_breakers("gauge-other") == 0


def test_what_nobody_asks_about_is_forgotten() -> None:
    """A breaker somebody still asks about stays, however long it has been open."""
    breakers = unjittered()
    gone = Somewhere("gone")
    breakers.refused(gone, DENIED, now_seconds=0)
    breakers.refused(HERE, DENIED, now_seconds=0)
    breakers.admit(HERE, now_seconds=breaker.FORGET_SECONDS - 1)
    breakers.admit(HERE, now_seconds=breaker.FORGET_SECONDS)
    assert len(breakers) == 1
    assert isinstance(breakers.admit(gone, now_seconds=breaker.FORGET_SECONDS), Pass)


def test_what_is_remembered_is_bounded() -> None:
    """The one asked about longest ago goes first."""
    breakers = Breakers(most=2)
    first, second, third = (Somewhere(name) for name in "abc")
    breakers.refused(first, DENIED, now_seconds=0)
    breakers.refused(second, DENIED, now_seconds=0)
    breakers.admit(first, now_seconds=1)
    breakers.refused(third, DENIED, now_seconds=1)
    assert isinstance(breakers.admit(second, now_seconds=2), Pass)
    parked(breakers.admit(first, now_seconds=2))
    assert len(breakers) == 2


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "refused", "succeeded", "abandoned"]),
        st.sampled_from([HERE, Somewhere("there")]),
        st.floats(0, 60),
    ),
    max_size=60,
)


@given(STEPS)
def test_at_most_one_probe_is_under_way(steps: list[tuple[str, Somewhere, float]]) -> None:
    """Whatever happens in whatever order, and no wait is longer than the longest or shorter than nothing."""
    breakers, now = Breakers(), 0.0
    probing: dict[Somewhere, tuple[Probe, float]] = {}
    for what, where, seconds in steps:
        now += seconds
        if what == "admit":
            match breakers.admit(where, now_seconds=now):
                case Probe() as found:
                    assert where not in probing or now >= probing[where][1]
                    probing[where] = (found, now + breaker.PROBE_SECONDS)
                case Parked(retry_after_seconds=wait):
                    assert 0 < wait <= breaker.LONGEST_OPEN_SECONDS
                case Pass():
                    assert where not in probing
        elif what == "refused":
            breakers.refused(where, DENIED, now_seconds=now)
            assert isinstance(breakers.admit(where, now_seconds=now), Parked)
            probing.pop(where, None)
        elif what == "succeeded":
            breakers.succeeded(where, now_seconds=now)
            probing.pop(where, None)
        elif where in probing:
            breakers.abandoned(where, probing.pop(where)[0])

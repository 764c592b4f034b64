"""Does a worker remember what it must, and no more than it may?"""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from logfanout.ledger.memory import FINISHED, NOTHING, WorkerLedger, merged
from logfanout.ledger.ranges import Ranges
from logfanout.ports import Memory

DAY_SECONDS = 24 * 3600
MEMORIES = st.builds(
    Memory,
    finished=st.booleans(),
    taken=st.dictionaries(st.sampled_from("abc"), st.builds(Ranges.of, st.sets(st.integers(0, 30)))),
)


class HandClock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began."""
        return int(self.seconds * 1000)


def progress(*positions: int, to: str = "acme") -> Memory:
    return Memory(taken={to: Ranges.of(positions)})


def test_a_finished_object_is_remembered_for_a_day() -> None:
    """Counted from when it was finished; looking does not prolong it."""
    clock = HandClock()
    ledger = WorkerLedger(clock=clock)
    ledger.note("a", FINISHED)
    clock.seconds += DAY_SECONDS - 1
    assert ledger.known("a") == FINISHED
    clock.seconds += 1
    assert ledger.known("a") == NOTHING


def test_progress_is_remembered_for_a_day_since_the_last() -> None:
    """An object that is tried every few minutes is not forgotten between two tries."""
    clock = HandClock()
    ledger = WorkerLedger(clock=clock)
    ledger.note("a", progress(1))
    clock.seconds += DAY_SECONDS - 1
    ledger.note("a", progress(2))
    clock.seconds += DAY_SECONDS - 1
    assert ledger.known("a") == progress(1, 2)
    clock.seconds += 1
    assert ledger.known("a") == NOTHING


def test_what_is_past_its_time_leaves_memory() -> None:
    """At the next note, of whatever object."""
    clock = HandClock()
    ledger = WorkerLedger(clock=clock)
    ledger.note("a", FINISHED)
    ledger.note("b", progress(1))
    clock.seconds += DAY_SECONDS
    ledger.note("c", FINISHED)
    assert repr(ledger) == "<WorkerLedger 1 finished, 0 not>"


def test_the_oldest_finished_object_goes_first() -> None:
    """A duplicate comes soon or never."""
    ledger = WorkerLedger(clock=HandClock(), most_finished=2)
    for name in ("a", "b", "a", "c"):
        ledger.note(name, FINISHED)
    assert [name for name in "abc" if ledger.known(name).finished] == ["a", "c"]


def test_progress_is_bounded_by_its_ranges() -> None:
    """One object in many pieces costs as much as many objects in one."""
    ledger = WorkerLedger(clock=HandClock(), most_ranges=10)
    ledger.note("a", progress(1))
    ledger.note("b", progress(*range(0, 12, 2)))
    assert ledger.known("a") == progress(1)
    ledger.note("c", progress(1))
    assert [bool(ledger.known(name).taken) for name in "abc"] == [False, True, True]


def test_finished_and_unfinished_do_not_push_each_other_out() -> None:
    """A busy hour must not cost the progress of a tenant that is down."""
    ledger = WorkerLedger(clock=HandClock(), most_finished=3)
    ledger.note("down", progress(1))
    for number in range(10):
        ledger.note(f"{number}", FINISHED)
    assert ledger.known("down") == progress(1)


@given(st.lists(st.tuples(st.sampled_from("abcd"), MEMORIES), max_size=30))
def test_the_count_of_ranges_is_true(notes: list[tuple[str, Memory]]) -> None:
    """Otherwise memory would grow, or everything be forgotten."""
    ledger = WorkerLedger(clock=HandClock(), most_ranges=12)
    for name, memory in notes:
        ledger.note(name, memory)
    held = [memory for _, memory in ledger._unfinished.values()]
    assert ledger._ranges == sum(1 + sum(len(r.spans) for r in memory.taken.values()) for memory in held) <= 12


def test_a_hundred_thousand_objects_take_some_megabytes() -> None:
    """As many as a worker finishes in a busy hour or two."""
    ledger = WorkerLedger(clock=HandClock())
    tracemalloc.start()
    for number in range(20_000):
        ledger.note(f"{number:040x}", FINISHED)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 20_000 < 250


@given(MEMORIES, MEMORIES)
def test_nothing_that_was_taken_is_forgotten(one: Memory, other: Memory) -> None:
    """Whichever comes first; and what is empty is not kept."""
    both = merged(one, other)
    assert both == merged(other, one)
    assert both.finished == (one.finished or other.finished)
    if both.finished:
        assert both == FINISHED
        return
    for destination in "abc":
        expected = one.taken.get(destination, Ranges()) | other.taken.get(destination, Ranges())
        assert both.taken.get(destination, Ranges()) == expected
    assert all(both.taken.values())


def test_too_many_ranges_are_cut_to_the_largest() -> None:
    """A destination that refuses every other batch must not fill an item."""
    both = merged(progress(0, 1, 4), progress(8, to="other"), most_ranges=1)
    assert both.taken == {"acme": Ranges.of([0, 1]), "other": Ranges.of([8])}

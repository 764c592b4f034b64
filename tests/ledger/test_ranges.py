"""Do ranges behave as the sets they stand for?"""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.ledger.ranges import Ranges

POSITIONS = st.sets(st.integers(0, 60))


@given(POSITIONS, st.randoms())
def test_positions_come_in_any_order(positions: set[int], random: object) -> None:
    """And may be named twice."""
    shuffled = [*positions, *positions]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ranges = Ranges.of(shuffled)
    assert [position for position in range(-2, 64) if position in ranges] == sorted(positions)
    assert len(ranges) == len(positions)
    assert bool(ranges) == bool(positions)


@given(POSITIONS)
def test_there_is_one_way_to_write_a_set(positions: set[int]) -> None:
    """Spans are in order and neither touch nor overlap, so that equal sets are equal values."""
    spans = Ranges.of(positions).spans
    assert all(start < end for start, end in spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


@given(POSITIONS)
def test_text_and_back(positions: set[int]) -> None:
    """Nothing is lost on the way through the table."""
    ranges = Ranges.of(positions)
    assert Ranges.parse(str(ranges)) == ranges


def test_the_text_names_first_and_last() -> None:
    """As people count."""
    assert str(Ranges.of([6000, 0, 1, 2, 7])) == "0-2,7-7,6000-6000"
    assert str(Ranges()) == ""


@pytest.mark.parametrize(
    "text",
    ["x", "1", "1-", "-1-2", "1-2,", ",1-2", "1-2;4-5", " 1-2", "5-3", "4-5,1-2", "0-1,2-3", "0-5,3-9", "01-2", "٣-٤"],
)
def test_a_text_of_somebody_elses_is_not_believed(text: str) -> None:
    """What it seems to say would be left out of an object."""
    with pytest.raises(ValueError, match="ranges"):
        Ranges.parse(text)


@given(POSITIONS, POSITIONS)
def test_what_either_holds(one: set[int], other: set[int]) -> None:
    """Union is all that ever happens to progress."""
    assert Ranges.of(one) | Ranges.of(other) == Ranges.of(one | other)


@given(POSITIONS, st.integers(-2, 64), st.integers(-2, 64))
def test_whether_any_of_a_stretch_is_held(positions: set[int], start: int, end: int) -> None:
    """The end is exclusive; an empty stretch holds nothing."""
    assert Ranges.of(positions).holds_any(start, end) == bool(positions & set(range(start, end)))


@given(POSITIONS, st.lists(st.integers(0, 64), max_size=20))
def test_what_is_missing(positions: set[int], asked: list[int]) -> None:
    """One answer for each position, in the order asked."""
    assert Ranges.of(positions).missing(asked) == [position not in positions for position in asked]


@given(POSITIONS, st.integers(0, 8))
def test_what_is_kept_of_too_much_was_there(positions: set[int], most: int) -> None:
    """Never a position more: forgetting repeats a record, inventing one would lose it. The largest ranges stay."""
    ranges = Ranges.of(positions)
    kept = ranges.at_most(most)
    assert len(kept.spans) == min(most, len(ranges.spans))
    assert set(kept.spans) <= set(ranges.spans)
    assert kept == Ranges(tuple(sorted(kept.spans)))
    lost = [end - start for start, end in set(ranges.spans) - set(kept.spans)]
    assert max(lost, default=0) <= min([end - start for start, end in kept.spans], default=100)

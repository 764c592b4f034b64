"""Are runs summed up as they were, and judged by the right end?"""

import pytest
from bench.figures import Summary, Target, percentile, summarised


def test_a_summary_has_both_ends_and_the_middle() -> None:
    """Figures that not every run has are left out: they would be of other runs."""
    found = summarised([{"a": 3.0, "b": 1.0}, {"a": 1.0}, {"a": 2.0}])
    assert found == {"a": Summary(least=1.0, median=2.0, most=3.0)}
    assert summarised([]) == {}


@pytest.mark.parametrize(
    ("relation", "bound", "best", "reached"),
    [("<=", 1.0, 1.0, True), ("<=", 0.9, 1.0, False), (">=", 3.0, 3.0, True), (">=", 3.1, 3.0, False)],
)
def test_the_best_run_is_judged(relation: str, bound: float, best: float, reached: bool) -> None:
    """A bound is reached when it is met; which run is best depends on what is wanted."""
    target = Target("a", relation, bound)  # type: ignore[arg-type]  # a literal, as mypy cannot see
    verdict = target.judge({"a": Summary(least=1.0, median=2.0, most=3.0)})
    assert (verdict.best, verdict.reached) == (best, reached)


def test_what_nobody_measured_is_not_judged() -> None:
    """Neither reached nor missed."""
    verdict = Target("a", "<=", 1.0).judge({})
    assert (verdict.best, verdict.reached) == (None, None)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 5), (0.51, 6), (0.99, 10), (1.0, 10)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    """By the nearest rank; the order they came in does not matter."""
    assert percentile([7, 3, 10, 1, 5, 9, 2, 8, 6, 4], share) == expected


def test_no_values_have_no_percentile() -> None:
    """A bench that measured nothing must not pass."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)

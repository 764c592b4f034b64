"""What do the figures of some runs say, and are they good enough?

    figures of each run ──► Summary (best, median, worst) ──► Target.judge ──► Verdict

Pure. A target is judged by the best run: whatever else a machine does makes a figure worse and never better. A ratio is
judged by the best of either side, each from its own least disturbed run: of one run's two sides the second, disturbed,
would make the ratio better than it is. Where both took turns they were disturbed alike, and the runs' median is judged.
"""

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One figure over the runs; which end is best depends on the figure."""

    least: float
    median: float
    most: float


@dataclass(frozen=True, slots=True)
class Target:
    """What one figure must reach."""

    figure: str
    relation: Literal["<=", ">="]
    bound: float

    def __str__(self) -> str:
        return f"{self.figure} {'≤' if self.relation == '<=' else '≥'} {self.bound:g}"

    def judge(self, summaries: Mapping[str, Summary]) -> "Verdict":
        """Return whether the best run reached it; a figure nobody measured is not judged."""
        summary = summaries.get(self.figure)
        if summary is None:
            return Verdict(self, None, None)
        best = summary.least if self.relation == "<=" else summary.most
        holds: Callable[[float, float], bool] = operator.le if self.relation == "<=" else operator.ge
        return Verdict(self, best, holds(best, self.bound))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and what was measured."""

    target: Target
    best: float | None
    reached: bool | None  # None: this machine cannot tell


def summarised(runs: Sequence[Figures]) -> dict[str, Summary]:
    """Return each figure that every one of *runs* has."""
    names = [name for name in runs[0] if all(name in run for run in runs)] if runs else []
    return {
        name: Summary(
            least=min(run[name] for run in runs),
            median=statistics.median(run[name] for run in runs),
            most=max(run[name] for run in runs),
        )
        for name in names
    }


def ratio(this: str, that: str, runs: Sequence[Figures], summaries: Mapping[str, Summary]) -> Summary:
    """Return *this* by *that*: the best of either side, which is what is judged, and the median of the runs' own."""
    best = _best(this, summaries) / _best(that, summaries)
    return Summary(least=best, median=statistics.median(run[this] / run[that] for run in runs), most=best)


def ratio_in_turns(this: str, that: str, runs: Sequence[Figures]) -> Summary:
    """Return *this* by *that*, whose cases took turns: the median of the runs' own ratios is judged."""
    median = statistics.median(run[this] / run[that] for run in runs)
    return Summary(least=median, median=median, most=median)


def _best(figure: str, summaries: Mapping[str, Summary]) -> float:
    summary = summaries[figure]
    return summary.most if figure.endswith("per_second") else summary.least


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of *values* that so large a *share* of them (0 to 1) does not exceed: the nearest rank.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values have no percentile")
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]

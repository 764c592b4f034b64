"""How did each drill go, and how is that told?

    audit.Report + what the strict AWS noted ──► Result ──► a table between two markers of docs/reliability.md

Pure but for ``rewrite``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- drills: begin -->", "<!-- drills: end -->"
HEAD = (
    "| drill | what is done to it | written | delivered | lost | twice | bound | wrong account | limits broken "
    "| dead letters | seconds |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One drill's outcome, in events."""

    drill: str
    injected: str
    written: int  # that must arrive
    delivered: int  # repetitions not counted
    lost: int
    twice: int
    bound: int  # of ``twice``: what may be repeated at most, after what was done
    astray: int  # in a place that is not theirs, or altered
    broken: int  # limits of PutLogEvents
    dead: int  # dead letters, each with the reason the drill expects
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether it went as promised."""
        return not (self.lost or self.astray or self.broken) and self.twice <= self.bound


def table(results: Iterable[Result]) -> str:
    """Return *results* as Markdown."""
    return "\n".join([HEAD, *map(_row, results)])


def _row(one: Result) -> str:
    counts = (one.written, one.delivered, one.lost, one.twice, one.bound, one.astray, one.broken, one.dead)
    cells = [one.drill if one.clean else f"**{one.drill}: broken**", one.injected, *(f"{n:,}" for n in counts)]
    return f"| {' | '.join(cells)} | {one.seconds:.0f} |"


def rewrite(page: Path, results: Iterable[Result]) -> None:
    """Put the table of *results* between the markers of *page*."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no line {BEGIN} followed by {END}")
    page.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")

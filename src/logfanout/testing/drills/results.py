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
    injected: str = "did not come to its end"
    written: int = 0  # that must arrive
    delivered: int = 0  # repetitions not counted
    lost: int = 0
    twice: int = 0
    bound: int = 0  # of ``twice``: what may be repeated at most, after what was done
    astray: int = 0  # in a place that is not theirs, or altered
    broken: int = 0  # limits of PutLogEvents
    dead: int = 0  # dead letters, each with the reason the drill expects
    seconds: float = 0.0
    held: bool = True  # whether all else the drill asserts did

    @property
    def clean(self) -> bool:
        """Whether it went as promised."""
        counts = self.lost or self.astray or self.broken or self.twice > self.bound
        return self.held and bool(self.written) and not counts


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

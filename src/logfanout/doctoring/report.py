"""How are findings told, to people and to programs?

    Finding ──► lines          (Finding, ...) ──► summary

Pure.
"""

from collections import Counter
from collections.abc import Sequence

from logfanout.doctoring.examination import CHECKS
from logfanout.doctoring.findings import Finding, Outcome
from logfanout.terminal import shown

_OUTCOME_WIDTH = max(map(len, Outcome))
_ABOUT_WIDTH = max(len(check.about) for check in CHECKS)


def lines(found: Finding) -> str:
    """Return one finding for people; what to do is a line of its own."""
    said = f"{found.outcome:{_OUTCOME_WIDTH}}  {found.about:{_ABOUT_WIDTH}}  {shown(found.said)}"
    indent = " " * (_OUTCOME_WIDTH + _ABOUT_WIDTH + 4)
    return f"{said}\n{indent}→ {shown(found.todo)}" if found.todo else said


def summary(found: Sequence[Finding]) -> str:
    """Return how many findings there are of each outcome."""
    counts = Counter(each.outcome for each in found)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)

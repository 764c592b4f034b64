"""Did a drill keep its promise?

    Drill, at its end ──► Judge ──► Result, noted; then AssertionError if it is not clean

Noted first: a table of drills from which the broken ones are missing would be worse than none.
"""

from collections.abc import Callable

from logfanout.testing.drills.results import Result
from logfanout.testing.drills.stage import Drill


class Judge:
    """Holds one drill to the promise of them all."""

    def __init__(self, *, drill: str, note: Callable[[Result], None]) -> None:
        self._drill = drill
        self._note = note

    def __repr__(self) -> str:
        return f"<Judge of {self._drill!r}>"

    def __call__(self, of: Drill, injected: str, *, bound: int = 0, dead: int = 0) -> Result:
        """Compare event by event; *bound* events may be there twice.

        Raises:
            AssertionError: something is lost, astray, too often there, or was refused for a limit.
        """
        result = of.result(drill=self._drill, injected=injected, bound=bound, dead=dead)
        self._note(result)
        if not result.clean:
            raise AssertionError(f"{result}\n{of.report().samples}\n{of.strict.holdings.broken[:3]}\nlogs: {of.logs}")
        return result

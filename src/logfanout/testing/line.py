"""What goes wrong on the way to a fake, and back?

    a call ──► wait, if slow ──► fail, if it is to fail ──► the fake's work ──► lose the answer, if told so

Every fake of this package is also a ``Line``, so ``world.logs.fail_next(3, Throttled("..."))`` and the like
work on each of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class _Fault:
    """A failure still to happen."""

    error: Exception
    on: str
    where: str
    times: int
    after: bool

    def meets(self, on: str, where: str) -> bool:
        return self.times > 0 and self.on in ("", on) and self.where in ("", where)


class Line:
    """What lies between a caller and a fake: delays, failures, and a count of the calls.

    *on* is the name of a port's method (``"put"``), *where* what the fake tells its callers apart by: the
    account for logs, the role's ARN for tokens, the URI for objects, the tenant for rows. Empty means any.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()  # by method, the failed ones too
        self.calls_by_place: Counter[tuple[str, str]] = Counter()  # by (method, where)
        self.under_way = 0  # calls that have not returned yet
        self.most_under_way = 0
        self._faults: list[_Fault] = []
        self._delays: dict[tuple[str, str], float] = {}

    def fail_next(self, times: int, error: Exception, *, on: str = "", where: str = "", after: bool = False) -> None:
        """Let the next *times* matching calls raise *error*; *after*: the work is done, its answer lost."""
        self._faults.append(_Fault(error=error, on=on, where=where, times=times, after=after))

    def slow(self, seconds: float, *, on: str = "", where: str = "") -> None:
        """Let every matching call take *seconds* from now on, before anything else happens."""
        self._delays[on, where] = seconds

    def heal(self) -> None:
        """Forget every failure and delay still to come."""
        self._faults.clear()
        self._delays.clear()

    @asynccontextmanager
    async def _call(self, on: str, where: str = "") -> AsyncIterator[None]:
        """Wrap the work of one call of a fake."""
        self.calls[on] += 1
        self.calls_by_place[on, where] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            # Even with no delay others get their turn here, as they would while a real call is on the wire.
            await asyncio.sleep(self._delay(on, where))
            fault = next((fault for fault in self._faults if fault.meets(on, where)), None)
            if fault is not None:
                fault.times -= 1
            if fault is not None and not fault.after:
                raise _fresh(fault.error)
            yield
            if fault is not None:
                raise _fresh(fault.error)
        finally:
            self.under_way -= 1

    def _delay(self, on: str, where: str) -> float:
        """The most specific delay that matches."""
        keys = ((on, where), ("", where), (on, ""), ("", ""))
        return next((self._delays[key] for key in keys if key in self._delays), 0.0)


def _fresh(error: Exception) -> Exception:
    """One instance a raise: a shared one would pile up tracebacks."""
    return type(error)(*error.args)

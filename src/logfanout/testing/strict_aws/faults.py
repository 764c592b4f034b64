"""What goes wrong on the way to AWS, when, and how often?

    Call ──► Faults.due ──► the Fault rules that strike it, before or after AWS did the work

Pure, but for the gate of a ``Hold``. A rule says which calls it is for and how many of them it strikes; its effect says
what happens to these. Shares are drawn from a seeded generator: the same calls in the same order fare the same.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from random import Random

from logfanout.testing.strict_aws.answers import Misfortune, Refused
from logfanout.testing.strict_aws.calls import Call


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error, worded as the call's service does."""

    how: Misfortune | Refused


@dataclass(frozen=True, slots=True)
class Reset:
    """Answer with a TCP reset."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Send so much of the answer's body, then close the connection."""

    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Delay:
    """Let the caller wait."""

    seconds: float


@dataclass(slots=True, eq=False)
class Hold:
    """Let callers wait until somebody lets them go."""

    waiting: int = 0
    _open: bool = False
    _tickets: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, 0), repr=False)

    def let(self, count: int) -> None:
        """Let *count* callers go, those who have waited longest first."""
        for _ in range(count):
            self._tickets.release()

    def release(self) -> None:
        """Let all go who wait, and all who come."""
        self._open = True
        self.let(self.waiting)

    async def passed(self) -> None:
        """Return when one may go."""
        if self._open:
            return
        self.waiting += 1
        try:
            await self._tickets.acquire()
        finally:
            self.waiting -= 1


Effect = Refuse | Reset | Truncate | Delay | Hold


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One rule. ``hits`` counts the calls it has struck."""

    on: str  # actions, with ``*``: "logs:PutLogEvents", "sts:*"
    effect: Effect
    account: str = "*"
    resource: str = "*"
    skip: int = 0  # of the calls it is for, those that pass first
    times: int | None = None  # how many it strikes at most
    share: float = 1.0  # of the calls it is for
    after: bool = False  # AWS has done the work when it strikes: only the answer is lost
    seen: int = 0
    hits: int = 0

    def is_for(self, call: Call) -> bool:
        """Whether *call* is of those it may strike."""
        return (
            fnmatchcase(call.action, self.on)
            and fnmatchcase(call.account, self.account)
            and fnmatchcase(call.resource, self.resource)
        )


class Faults:
    """The rules in force, in the order they were added."""

    def __init__(self, *, seed: int = 0) -> None:
        self._rules: list[Fault] = []
        self._random = Random(seed)  # noqa: S311  misfortune, not secrets

    def __repr__(self) -> str:
        return f"<Faults {self._rules}>"

    def add(self, fault: Fault) -> Fault:
        """Put *fault* into force, and return it."""
        self._rules.append(fault)
        return fault

    def lift(self, *faults: Fault) -> None:
        """Put *faults* (none: all) out of force; whoever one of them holds goes on."""
        for fault in faults or tuple(self._rules):
            if fault in self._rules:
                self._rules.remove(fault)
            if isinstance(fault.effect, Hold):
                fault.effect.release()

    def due(self, call: Call) -> list[Fault]:
        """Return the rules that strike *call*, and count it for each that is for it."""
        return list(self._striking(call))

    def _striking(self, call: Call) -> Iterator[Fault]:
        for fault in self._rules:
            if not fault.is_for(call):
                continue
            fault.seen += 1
            spent = fault.times is not None and fault.hits >= fault.times
            if fault.seen <= fault.skip or spent or self._random.random() >= fault.share:
                continue
            fault.hits += 1
            yield fault

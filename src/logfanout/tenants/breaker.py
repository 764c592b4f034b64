"""Does this destination let us in, or do its messages wait?

    destination, now ──► Breakers.admit ──► Pass | Probe | Parked     refused, succeeded, abandoned ──► its breaker

Pure but for what it reports: *now* is an argument (the event loop's clock), and nothing is waited for.

One refusal opens a breaker, where a timeout would need several. A timeout may be chance; a policy answers the same
until somebody edits it, and every further try would take a slot, a connection and an AssumeRole from a quota that all
tenants share. What can change by itself, IAM's eventual consistency after an edit, is met by a short first wait.

Asked about a destination before its object is opened, a breaker keeps the parked message from costing anything but
the call that hides it again. A tenant whose row names another role or group is another destination: nobody has
refused that one, so it heals at once.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Protocol

from logfanout import telemetry
from logfanout.errors import AccessRefused

FIRST_OPEN_SECONDS = 15.0
LONGEST_OPEN_SECONDS = 300.0  # so long may a tenant that has mended its policy wait for us to notice
# A probe that has told nothing by then is taken for abandoned; one put tells, and takes well under a minute to fail.
PROBE_SECONDS = 120.0
PROBE_WAIT_SECONDS = 5.0  # what those wait who come while a probe is under way
# Nobody waits for a destination that was not asked about for twice the longest delay of a parked message (CONTRACT §1).
FORGET_SECONDS = 1800.0
MOST_OPEN = 10_000  # some hundred bytes each; a destination forgotten too early costs one refused call


class Destination(Hashable, Protocol):
    """What is refused or let in as a whole, and which tenant's it is; its ``str`` is for the log."""

    @property
    def tenant(self) -> str:
        """The tenant, a configured one."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """Go on: nobody has refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Go on, and be the one that finds out; told from other probes by identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Give the message back; it is not worth a try before *retry_after_seconds*."""

    retry_after_seconds: float
    why: AccessRefused  # what the destination said, new for each so that nobody shares a traceback


Admission = Pass | Probe | Parked

_PASS = Pass()


@dataclass(slots=True, kw_only=True)
class _Open:
    """One destination that refused."""

    said: tuple[object, ...]  # the error's arguments; the error itself would keep its frames, and their events, alive
    opened_seconds: float
    asked_seconds: float  # when it was last asked about
    waits: int = 0
    until_seconds: float = 0.0
    probe: Probe | None = None
    probe_until_seconds: float = 0.0


class Breakers:
    """The destinations that refused of late; of all others nothing is remembered."""

    def __init__(self, *, most: int = MOST_OPEN, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._most = most
        self._jitter = jitter
        self._open: dict[Destination, _Open] = {}  # the one asked about longest ago first
        self._tenants: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Breakers, {len(self._open)} open>"

    def __len__(self) -> int:
        """Count the open ones."""
        return len(self._open)

    def admit(self, destination: Destination, *, now_seconds: float) -> Admission:
        """Return whether to go on to *destination*: one probe at a time once its wait is over."""
        if not self._open:
            return _PASS
        self._forget_unasked(now_seconds)
        breaker = self._touched(destination, now_seconds)
        if breaker is None:
            return _PASS
        if now_seconds < breaker.until_seconds:
            return _parked(breaker, breaker.until_seconds - now_seconds)
        if breaker.probe is not None and now_seconds < breaker.probe_until_seconds:
            return _parked(breaker, PROBE_WAIT_SECONDS)
        breaker.probe = Probe()
        breaker.probe_until_seconds = now_seconds + PROBE_SECONDS
        return breaker.probe

    def refused(self, destination: Destination, error: AccessRefused, *, now_seconds: float) -> None:
        """Open *destination*'s breaker, or hold it open for longer.

        A burst that was under way when it opened counts as one refusal, whoever hears it first.
        """
        breaker = self._touched(destination, now_seconds)
        if breaker is None:
            breaker = _Open(said=error.args, opened_seconds=now_seconds, asked_seconds=now_seconds)
            seconds = self._wait(breaker, now_seconds)
            self._open[destination] = breaker
            self._tenants[destination.tenant] += 1
            telemetry.BreakerOpened(
                tenant=destination.tenant, destination=str(destination), error=str(error), probe_seconds=seconds
            ).emit()
            self._forget_excess(now_seconds)
        elif now_seconds >= breaker.until_seconds:
            breaker.said = error.args
            seconds = self._wait(breaker, now_seconds)
            telemetry.BreakerHeld(
                tenant=destination.tenant,
                destination=str(destination),
                error=str(error),
                probe_seconds=seconds,
                open_seconds=round(now_seconds - breaker.opened_seconds, 1),
            ).emit()

    def succeeded(self, destination: Destination, *, now_seconds: float) -> None:
        """Close *destination*'s breaker: it took something, whether from a probe or from one that was under way."""
        if self._open and destination in self._open:  # of a long value the hash is what costs
            self._close(destination, why="accepted", now_seconds=now_seconds)

    def abandoned(self, destination: Destination, admission: Admission) -> None:
        """Let another probe, if *admission* is the probe under way: it ended without telling.

        Whoever was admitted may call this at its end, however it ended; after ``refused`` and ``succeeded`` it is moot.
        """
        breaker = self._open.get(destination) if self._open else None
        if breaker is not None and breaker.probe is admission:
            breaker.probe = None

    def retain(self, tenant: str, destinations: Collection[Destination], *, now_seconds: float) -> None:
        """Close the breakers of those of *tenant*'s destinations that are not among *destinations*, its present ones.

        They would be forgotten in time; until then an operator would see open what nobody uses.
        """
        if tenant not in self._tenants:
            return
        gone = [each for each in self._open if each.tenant == tenant and each not in destinations]
        for destination in gone:
            self._close(destination, why="replaced", now_seconds=now_seconds)

    def _touched(self, destination: Destination, now_seconds: float) -> _Open | None:
        breaker = self._open.pop(destination, None)
        if breaker is not None:
            breaker.asked_seconds = now_seconds
            self._open[destination] = breaker
        return breaker

    def _wait(self, breaker: _Open, now_seconds: float) -> float:
        """Begin the next wait: twice the last one, jittered so that a fleet's workers do not probe together."""
        longest = min(FIRST_OPEN_SECONDS * 2 ** min(breaker.waits, 16), LONGEST_OPEN_SECONDS)
        seconds = self._jitter(longest / 2, longest)
        breaker.waits += 1
        breaker.until_seconds = now_seconds + seconds
        breaker.probe = None
        return round(seconds, 1)

    def _forget_unasked(self, now_seconds: float) -> None:
        while self._open:
            destination, breaker = next(iter(self._open.items()))
            if now_seconds - breaker.asked_seconds < FORGET_SECONDS:
                return
            self._close(destination, why="forgotten", now_seconds=now_seconds)

    def _forget_excess(self, now_seconds: float) -> None:
        while len(self._open) > self._most:
            self._close(next(iter(self._open)), why="forgotten", now_seconds=now_seconds)

    def _close(self, destination: Destination, *, why: str, now_seconds: float) -> None:
        breaker = self._open.pop(destination)
        self._tenants[destination.tenant] -= 1
        if not self._tenants[destination.tenant]:
            del self._tenants[destination.tenant]
        telemetry.BreakerClosed(
            tenant=destination.tenant,
            destination=str(destination),
            why=why,
            open_seconds=round(now_seconds - breaker.opened_seconds, 1),
        ).emit()


def _parked(breaker: _Open, seconds: float) -> Parked:
    return Parked(retry_after_seconds=seconds, why=AccessRefused(*breaker.said))

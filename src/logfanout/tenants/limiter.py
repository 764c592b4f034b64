"""How many requests does one account take at once?

    async with limiter.turn(account) ──► wait for a place, first come first served ──► one request ──► the limit learns

Additive increase, multiplicative decrease (Chiu and Jain, 1989), as TCP finds its share of a line nobody measured: an
account's quota is its owner's secret, differs by region, and is shared with whatever else writes there. An account
begins with the most there is, since it has not throttled yet. A throttled answer halves the limit; as many accepted
ones as the limit allows at once raise it by one, if they filled it: a limit nobody reaches proves nothing.

The most is also what keeps one slow account from taking every connection of the pool all tenants share.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from logfanout import telemetry
from logfanout.errors import Throttled

LEAST = 1
MOST_IDLE = 10_000  # accounts whose limit is remembered while nothing is sent there; some hundred bytes each


@dataclass(frozen=True, slots=True)
class Account:
    """What CloudWatch's quotas are counted against."""

    id: str
    region: str

    def __str__(self) -> str:
        return f"{self.id} in {self.region}"


@dataclass(slots=True)
class _Lane:
    """One account's requests."""

    limit: int
    running: int = 0
    credit: int = 0  # accepted since the limit last moved
    cuts: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    @property
    def idle(self) -> bool:
        return not self.running and not self.waiting

    async def enter(self) -> None:
        if self.running < self.limit and not self.waiting:
            self.running += 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                with suppress(ValueError):  # who passed it over has removed it
                    self.waiting.remove(granted)
            else:  # a place came at the very moment
                self.running -= 1
            self.wake()
            raise

    def wake(self) -> None:
        """Give the free places to those who wait; nobody who comes later can take them in between."""
        while self.waiting and self.running < self.limit:
            granted = self.waiting.popleft()
            if not granted.done():
                granted.set_result(None)
                self.running += 1


class Turn:
    """One request's place among its account's, from ``async with`` to its end.

    Ending well it counts as accepted, ending by ``Throttled`` as throttled; any other error tells nothing.
    """

    def __init__(self, limiter: "Limiter", key: Hashable) -> None:
        self._limiter = limiter
        self._key = key
        self._throttled = False
        self._cuts = 0  # of its lane, when the turn began

    async def __aenter__(self) -> "Turn":
        lane = self._limiter.lane(self._key)
        try:
            await lane.enter()
        except asyncio.CancelledError:
            self._limiter.settle(self._key, lane)
            raise
        self._cuts = lane.cuts
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lane = self._limiter.lane(self._key)
        if isinstance(error, Throttled):
            self.throttled()
        elif kind is None and not self._throttled and self._cuts == lane.cuts:
            self._limiter.accepted(self._key, lane)
        lane.running -= 1
        lane.wake()
        self._limiter.settle(self._key, lane)

    def throttled(self) -> None:
        """Halve the limit, unless it was halved since this turn began.

        All that were under way together are throttled together: their answers are one piece of news, not many.
        """
        lane = self._limiter.lane(self._key)
        if not self._throttled and self._cuts == lane.cuts:
            self._limiter.cut(self._key, lane)
        self._throttled = True


class Limiter:
    """The accounts something is sent to, and those that throttled of late."""

    def __init__(self, *, most: int, most_idle: int = MOST_IDLE) -> None:
        self.most = max(most, LEAST)
        self._most_idle = most_idle
        self._busy: dict[Hashable, _Lane] = {}
        self._idle: dict[Hashable, _Lane] = {}  # those below the most only; the longest idle first

    def __repr__(self) -> str:
        return f"<Limiter, {len(self._busy)} accounts busy, {len(self._idle)} idle and slowed>"

    def turn(self, key: Hashable) -> Turn:
        """Return a context to make one request to the account *key* in; entering it waits for a place.

        Hold it for the request alone, never while waiting to try again: that wait would be the account's, too.
        """
        return Turn(self, key)

    def limit(self, key: Hashable) -> int:
        """Return how many requests *key* takes at once, as far as is known."""
        lane = self._busy.get(key) or self._idle.get(key)
        return self.most if lane is None else lane.limit

    def lane(self, key: Hashable) -> _Lane:
        """Return *key*'s lane, for its turns."""
        lane = self._busy.get(key)
        if lane is None:
            lane = self._busy[key] = self._idle.pop(key, None) or _Lane(self.most)
        return lane

    def cut(self, key: Hashable, lane: _Lane) -> None:
        """Halve *lane*'s limit."""
        before, lane.limit = lane.limit, max(LEAST, lane.limit // 2)
        lane.cuts += 1
        lane.credit = 0
        if lane.limit < before:
            telemetry.AccountSlowed(account=str(key), limit=lane.limit, newly=before == self.most).emit()

    def accepted(self, key: Hashable, lane: _Lane) -> None:
        """Count an accepted request of *lane*, which is still running."""
        if lane.limit == self.most or lane.running < lane.limit:
            return
        lane.credit += 1
        if lane.credit >= lane.limit:
            lane.limit += 1
            lane.credit = 0
            if lane.limit == self.most:
                telemetry.AccountRecovered(account=str(key)).emit()

    def settle(self, key: Hashable, lane: _Lane) -> None:
        """Keep of an idle *lane* what it has learned, if anything."""
        if not lane.idle:
            return
        self._busy.pop(key, None)
        if lane.limit < self.most:
            self._idle[key] = lane
        while len(self._idle) > self._most_idle:
            forgotten = next(iter(self._idle))
            del self._idle[forgotten]
            telemetry.AccountRecovered(account=str(forgotten)).emit()

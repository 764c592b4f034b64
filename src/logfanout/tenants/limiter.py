"""How many requests does one account take at once?

    async with limiter.turn(account) ──► wait for a place, first come first served ──► one request ──► the limit learns

Additive increase, multiplicative decrease (Chiu and Jain, 1989), as TCP finds its share of a line nobody measured: an
account's quota is its owner's secret, differs by region, and is shared with whatever else writes there. An account
begins with the most there is, since it has not throttled yet. A throttled answer halves the limit; as many accepted
ones as the limit allows at once raise it by one, if they filled it: a limit nobody reaches proves nothing.

The most is also what keeps one slow account from taking every connection of the pool all tenants share.
"""

from collections.abc import Hashable

import msgspec

from logfanout import telemetry
from logfanout.errors import Throttled
from logfanout.places import Places

LEAST = 1
MOST_IDLE = 10_000  # accounts whose limit is remembered while nothing is sent there; some hundred bytes each


class Account(msgspec.Struct, frozen=True, cache_hash=True):
    """What CloudWatch's quotas are counted against."""

    id: str
    region: str

    def __str__(self) -> str:
        return f"{self.id} in {self.region}"


class _Lane(Places):
    """One account's requests: as many places as it is thought to take, at *most*."""

    __slots__ = ("credit", "cuts", "filled", "key", "most")

    def __init__(self, key: Hashable, most: int) -> None:
        super().__init__(most)
        self.key = key
        self.most = most
        self.credit = 0  # accepted in the present window, of as many as the limit
        self.filled = False  # whether in this window all places were taken at some time
        self.cuts = 0

    def accept(self) -> None:
        """Count an accepted request; a window of them that filled the limit raises it."""
        self.credit += 1
        if self.credit < self.limit:
            return
        if self.filled and self.limit < self.most:
            self.limit += 1
            if self.limit == self.most:
                telemetry.AccountRecovered(account=str(self.key)).emit()
        self.credit, self.filled = 0, False

    def cut(self) -> None:
        """Halve the limit."""
        before, self.limit = self.limit, max(LEAST, self.limit // 2)
        self.cuts += 1
        self.credit, self.filled = 0, False
        if self.limit < before:
            telemetry.AccountSlowed(account=str(self.key), limit=self.limit, newly=before == self.most).emit()

    def _take(self) -> None:
        super()._take()
        self.filled = self.filled or self.taken >= self.limit


class Turn:
    """One request's place among its account's, for the length of a block."""

    __slots__ = ("_cuts", "_key", "_lane", "_limiter", "_throttled")

    def __init__(self, limiter: "Limiter", key: Hashable) -> None:
        self._limiter = limiter
        self._key = key
        self._throttled = False

    def __repr__(self) -> str:
        return f"<Turn at {self._key}{', throttled' if self._throttled else ''}>"

    async def __aenter__(self) -> "Turn":
        self._lane = lane = self._limiter.lane(self._key)
        try:
            await lane.enter()
        except BaseException:
            self._limiter.settle(lane)
            raise
        self._cuts = lane.cuts  # when the turn began
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is None:
            self.accepted()
        elif isinstance(error, Throttled):
            self.throttled()
        self._lane.leave()
        self._limiter.settle(self._lane)

    def throttled(self) -> None:
        """Halve the limit, unless it was halved since this turn began.

        All that were under way together are throttled together: their answers are one piece of news, not many.
        """
        if not self._throttled and self._cuts == self._lane.cuts:
            self._lane.cut()
        self._throttled = True

    def accepted(self) -> None:
        """Count the request as one the account took, unless it was throttled or is older than the present limit."""
        if not self._throttled and self._cuts == self._lane.cuts:
            self._lane.accept()


class Limiter:
    """The accounts something is sent to, and those that throttled of late."""

    def __init__(self, *, most: int, most_idle: int = MOST_IDLE) -> None:
        self.most = max(most, LEAST)
        self._most_idle = most_idle
        self._busy: dict[Hashable, _Lane] = {}
        self._idle: dict[Hashable, _Lane] = {}  # those below the most only; the longest idle first

    def __repr__(self) -> str:
        return f"<Limiter, {len(self._busy)} accounts busy, {len(self._idle)} idle and slowed>"

    def limit(self, key: Hashable) -> int:
        """Return how many requests *key* takes at once, as far as is known."""
        lane = self._busy.get(key) or self._idle.get(key)
        return self.most if lane is None else lane.limit

    def turn(self, key: Hashable) -> "Turn":
        """Make one request to the account *key* in the ``async with`` block; entering it waits for a place.

        A block that ends well counts as accepted, one that ends by ``Throttled`` as throttled; any other error tells
        nothing. Hold it for the request alone, never while waiting to try again: others could go meanwhile.
        """
        return Turn(self, key)

    def lane(self, key: Hashable) -> _Lane:
        lane = self._busy.get(key)
        if lane is None:
            lane = self._idle.pop(key) if key in self._idle else _Lane(key, self.most)
            self._busy[key] = lane
        return lane

    def settle(self, lane: _Lane) -> None:
        """Keep of an idle *lane* what it has learned, if anything."""
        if lane.taken or lane.waiting or self._busy.get(lane.key) is not lane:
            return
        del self._busy[lane.key]
        if lane.limit < self.most:
            self._idle[lane.key] = lane
        while len(self._idle) > self._most_idle:
            forgotten = next(iter(self._idle))
            del self._idle[forgotten]
            telemetry.AccountRecovered(account=str(forgotten)).emit()

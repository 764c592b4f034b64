"""Who may go on, where only so many may at once?

    enter ──► at once, or behind those who wait ──► leave ──► the first of them

asyncio's ``Semaphore`` does the same in five calls where two will do; an object enters and leaves five times.
"""

import asyncio
from collections import deque
from contextlib import suppress


class Places:
    """So many places; who comes first is served first."""

    __slots__ = ("_taken", "_waiting", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __repr__(self) -> str:
        return f"<Places, {self._taken} of {self.most} taken, {len(self._waiting)} wait>"

    async def enter(self) -> None:
        """Return with a place, to be given back by ``leave``."""
        if self._taken < self.most and not self._waiting:
            self._taken += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place  # it comes from one who leaves, so that nobody can take it in between
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # who passed it over has removed it
                    self._waiting.remove(place)
            else:  # it came at the very moment
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back: the first of those who wait has it now."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._taken -= 1

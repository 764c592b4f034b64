"""Who may go on, where only so many may at once?

    enter ──► at once, or behind those who wait ──► leave ──► the first of them

asyncio's ``Semaphore`` does the same in five calls where two will do; an object enters and leaves five times.
"""

import asyncio
from collections import deque
from contextlib import suppress


class Places:
    """So many places; who comes first is served first. *limit* may change meanwhile: it holds for who comes in next."""

    __slots__ = ("limit", "taken", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self.waiting: deque[asyncio.Future[None]] | None = None  # there is one from when somebody waits

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, {self.taken} of {self.limit} taken, {len(self.waiting or ())} wait>"

    async def enter(self) -> None:
        """Return with a place, to be given back by ``leave``."""
        if self.taken < self.limit and not self.waiting:
            self._take()
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self.waiting = deque() if self.waiting is None else self.waiting
        waiting.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                with suppress(ValueError):  # who passed it over has removed it
                    waiting.remove(granted)
            else:  # a place came at the very moment
                self.taken -= 1
            self._wake()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self.taken -= 1
        if self.waiting:
            self._wake()

    def _wake(self) -> None:
        """Give the free places to those who wait; nobody who comes later can take one in between."""
        while self.waiting and self.taken < self.limit:
            granted = self.waiting.popleft()
            if not granted.done():
                granted.set_result(None)
                self._take()

    def _take(self) -> None:
        self.taken += 1

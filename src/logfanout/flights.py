"""How do many who want the same thing at once get it by one call?

    join(key, start) ──► the call under way for *key*, or a new one ──► its result, for all

A call goes on when one of those who wait for it is cancelled: the others still need it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Flights(Generic[Key, Value]):
    """Calls under way, one a key."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: dict[Key, asyncio.Task[Value]] = {}

    def __repr__(self) -> str:
        return f"<Flights {self._name}, {len(self._under_way)} under way>"

    async def join(self, key: Key, start: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return the result for *key*, or raise its error, after calling *start* if nobody has."""
        task = self._under_way.get(key) or self.begin(key, start)
        return await asyncio.shield(task)

    def begin(self, key: Key, start: Callable[[], Coroutine[Any, Any, Value]]) -> asyncio.Task[Value]:
        """Return the call under way for *key*, begun now if there is none; nobody need wait for it."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(start(), name=f"{self._name} {key}")
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def _landed(self, key: Key, task: asyncio.Task[Value]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # counts as seen: those who waited have it, and nobody may have

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

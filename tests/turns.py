"""How often do others get their turn while something runs?"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Run a task beside the block that wants a turn whenever it can have one; yield what tells how many it had."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.get_running_loop().create_task(other())
    try:
        yield lambda: turns
    finally:
        task.cancel()

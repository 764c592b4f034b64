"""What does the whole fleet remember?

remember, of any worker ──► items ──► recall, of any worker
"""

from logfanout.ledger.memory import NOTHING, merged
from logfanout.ports import Clock, Memory
from logfanout.testing.line import Line

KEEP_SECONDS = 2 * 24 * 3600.0


class FakeLedger(Line):
    """The fleet's table in memory. Calls are told apart by the object's id."""

    def __init__(self, *, clock: Clock, keep_seconds: float = KEEP_SECONDS) -> None:
        super().__init__()
        self._clock = clock
        self._keep_ms = int(keep_seconds * 1000)
        self._items: dict[str, tuple[int, Memory]] = {}  # until when, epoch milliseconds

    def __repr__(self) -> str:
        return f"<FakeLedger {len(self._items)} items>"

    def holds(self, object_id: str) -> Memory:
        """Return what is remembered of the object, to look at without a call."""
        until, memory = self._items.get(object_id, (0, NOTHING))
        return memory if self._clock.epoch_ms() < until else NOTHING

    async def recall(self, object_id: str) -> Memory:
        """Return what is remembered of the object; an empty memory if nothing is."""
        async with self._call("recall", object_id):
            return self.holds(object_id)

    async def remember(self, object_id: str, memory: Memory) -> None:
        """Add *memory* to what is remembered of the object."""
        async with self._call("remember", object_id):
            both = merged(self.holds(object_id), memory)
            if both != NOTHING:
                self._items[object_id] = (self._clock.epoch_ms() + self._keep_ms, both)

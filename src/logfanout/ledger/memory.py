"""What does this worker remember by itself?

    remember ──► finished objects: a digest each · unfinished ones: how far each destination got ──► recall

Bounded in count and in time; what is forgotten early may be delivered twice, never lost. No I/O: ``known`` is one
look into a dictionary, and the port's methods never wait.
"""

from collections.abc import Mapping

from logfanout.ledger.ranges import Ranges
from logfanout.ports import Clock, Memory

KEEP_SECONDS = 24 * 3600.0  # duplicate notifications come within minutes; the contract promises a day
MOST_FINISHED = 100_000  # some 150 bytes each
# Each range is some 130 bytes: 13 MB when every one of them is in use, which takes an outage of many tenants at once.
MOST_RANGES = 100_000
MOST_RANGES_A_DESTINATION = 1000  # an object delivered in order has one; many mean that every other batch failed

NOTHING = Memory()
FINISHED = Memory(finished=True)


class WorkerLedger:
    """The ``Ledger`` port kept by one worker, for as long as it lives."""

    def __init__(
        self,
        *,
        clock: Clock,
        keep_seconds: float = KEEP_SECONDS,
        most_finished: int = MOST_FINISHED,
        most_ranges: int = MOST_RANGES,
    ) -> None:
        self._clock = clock
        self._keep_ms = int(keep_seconds * 1000)
        self._most_finished = most_finished
        self._most_ranges = most_ranges
        # Both in the order they were remembered in, so that the first is the oldest. Times are epoch milliseconds.
        self._finished: dict[str, int] = {}
        self._unfinished: dict[str, tuple[int, Memory]] = {}
        self._ranges = 0  # held by all of ``_unfinished``

    def __repr__(self) -> str:
        return f"<WorkerLedger {len(self._finished)} finished, {len(self._unfinished)} not>"

    def known(self, object_id: str) -> Memory:
        """Return what is remembered of the object; an empty memory if nothing is."""
        if (until := self._finished.get(object_id)) is not None:
            return FINISHED if self._clock.epoch_ms() < until else NOTHING
        if (entry := self._unfinished.get(object_id)) is None:
            return NOTHING
        until, memory = entry
        return memory if self._clock.epoch_ms() < until else NOTHING

    def note(self, object_id: str, memory: Memory) -> None:
        """Add *memory* to what is remembered of the object, for a day from now."""
        now_ms = self._clock.epoch_ms()
        merged_memory = merged(self.known(object_id), memory)
        self._forget(object_id)
        if merged_memory.finished:
            self._finished[object_id] = now_ms + self._keep_ms
        elif merged_memory.taken:
            self._unfinished[object_id] = (now_ms + self._keep_ms, merged_memory)
            self._ranges += _weight(merged_memory)
        self._make_room(now_ms)

    async def recall(self, object_id: str) -> Memory:
        """Return what is remembered of the object; an empty memory if nothing is."""
        return self.known(object_id)

    async def remember(self, object_id: str, memory: Memory) -> None:
        """Add *memory* to what is remembered of the object, for a day from now."""
        self.note(object_id, memory)

    def _forget(self, object_id: str) -> None:
        self._finished.pop(object_id, None)
        if (entry := self._unfinished.pop(object_id, None)) is not None:
            self._ranges -= _weight(entry[1])

    def _make_room(self, now_ms: int) -> None:
        """Drop what is past its time, and the oldest of what is too much."""
        while (oldest := next(iter(self._finished), None)) is not None:
            if len(self._finished) <= self._most_finished and now_ms < self._finished[oldest]:
                break
            self._forget(oldest)
        while (oldest := next(iter(self._unfinished), None)) is not None:
            if self._ranges <= self._most_ranges and now_ms < self._unfinished[oldest][0]:
                break
            self._forget(oldest)


def merged(one: Memory, other: Memory, *, most_ranges: int = MOST_RANGES_A_DESTINATION) -> Memory:
    """Return all that *one* and *other* remember; a finished object needs no ranges any more, and has none.

    Of a destination with more than *most_ranges* ranges the smaller ones are forgotten.
    """
    if one.finished or other.finished:
        return FINISHED
    if not one.taken:
        return _bounded(other.taken, most_ranges)
    taken = dict(one.taken)
    for destination, ranges in other.taken.items():
        taken[destination] = taken[destination] | ranges if destination in taken else ranges
    return _bounded(taken, most_ranges)


def _bounded(taken: Mapping[str, Ranges], most_ranges: int) -> Memory:
    return Memory(taken={to: ranges.at_most(most_ranges) for to, ranges in taken.items() if ranges})


def _weight(memory: Memory) -> int:
    """Count the ranges that are held, and one more for the entry itself."""
    return 1 + sum(len(ranges.spans) for ranges in memory.taken.values())

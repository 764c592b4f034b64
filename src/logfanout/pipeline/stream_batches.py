"""How is one stream of records cut into batches that PutLogEvents accepts?

    Records ──► StreamBatches.add ──► (Batch, ...), and what no batch may hold

Pure. The limits are PutLogEvents' (API reference, "PutLogEvents"): 1,048,576 bytes, each event counted as its UTF-8
length and 26 bytes more; 10,000 events; 24 hours; time order; nothing older than 14 days or than the group's
retention, nothing later than 2 hours ahead. One event may be 1 MiB ("CloudWatch Logs quotas", event size).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress
from operator import le

import msgspec

from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import DAY_MS, KeyFields, StreamNaming
from logfanout.ports import Event

BATCH_BYTES = 1_048_576
BATCH_EVENTS = 10_000
BATCH_SPAN_MS = DAY_MS
EVENT_OVERHEAD_BYTES = 26
EVENT_BYTES = BATCH_BYTES - EVENT_OVERHEAD_BYTES  # an event must also fit into a batch of its own
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * 3600 * 1000
# A put takes a moment to arrive, and clocks differ: what would expire on its way is treated as expired.
MARGIN_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One PutLogEvents request's worth of one stream's events."""

    stream: str
    events: list[Event] = field(repr=False)
    size_bytes: int  # by CloudWatch's reckoning, or a little more


@dataclass(slots=True)
class _Columns:
    times: list[int] = field(default_factory=list)
    messages: list[msgspec.Raw] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    weight: int = 0

    def extend(self, times: Sequence[int], messages: Sequence[msgspec.Raw], sizes: Sequence[int]) -> None:
        self.times.extend(times)
        self.messages.extend(messages)
        self.sizes.extend(sizes)
        self.weight += sum(sizes) + EVENT_OVERHEAD_BYTES * len(sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The times CloudWatch takes at this moment."""

    oldest_ms: int
    newest_ms: int
    retention_ms: int  # equal to or later than *oldest_ms* if the group's retention is shorter than 14 days

    @classmethod
    def at(cls, now_ms: int, *, retention_days: int | None) -> "Window":
        """Return what is taken at *now_ms* by a group that keeps events for *retention_days*."""
        oldest = now_ms - OLDEST_MS + MARGIN_MS
        kept = now_ms - retention_days * DAY_MS + MARGIN_MS if retention_days else oldest
        return cls(oldest_ms=oldest, newest_ms=now_ms + NEWEST_MS - MARGIN_MS, retention_ms=max(kept, oldest))


class StreamBatches:
    """Collects one object's records for one destination, and gives them out in batches.

    ``outside`` counts what no batch may hold, by reason; ``split`` the extra events that oversize ones became.
    """

    def __init__(self, *, key: KeyFields, naming: StreamNaming) -> None:
        self._key = key
        self._naming = naming
        self._pending: dict[int, _Columns] = {}  # by day; all under one key if streams have no date
        self.outside: dict[str, int] = {}
        self.split = 0

    def __repr__(self) -> str:
        waiting = sum(len(columns.times) for columns in self._pending.values())
        return f"<StreamBatches of {self._key.application}/{self._key.pod}, {waiting} events waiting>"

    def add(self, records: Records, *, window: Window) -> Iterator[Batch]:
        """Yield the batches that *records* fill."""
        times, messages, sizes = self._inside(records, window)
        if not times:
            return
        if max(sizes) > EVENT_BYTES:
            times, messages, sizes = self._with_oversize_split(times, messages, sizes)
        for day in self._collect(times, messages, sizes):
            columns = self._pending[day]
            if columns.weight > BATCH_BYTES or len(columns.times) > BATCH_EVENTS:
                yield from self._cut(day, keep_last=True)

    def finish(self) -> Iterator[Batch]:
        """Yield what is left."""
        for day in sorted(self._pending):
            yield from self._cut(day, keep_last=False)
        self._pending.clear()

    def _inside(self, records: Records, window: Window) -> tuple[Sequence[int], Sequence[msgspec.Raw], Sequence[int]]:
        times = records.times
        if not times or (window.retention_ms <= min(times) and max(times) <= window.newest_ms):
            return times, records.messages, records.sizes
        for at in times:
            if at > window.newest_ms:
                self._count("too_new")
            elif at < window.oldest_ms:
                self._count("too_old")
            elif at < window.retention_ms:
                self._count("expired")
        inside = [window.retention_ms <= at <= window.newest_ms for at in times]
        return (
            list(compress(times, inside)),
            list(compress(records.messages, inside)),
            list(compress(records.sizes, inside)),
        )

    def _count(self, reason: str) -> None:
        self.outside[reason] = self.outside.get(reason, 0) + 1

    def _with_oversize_split(
        self, times: Sequence[int], messages: Sequence[msgspec.Raw], sizes: Sequence[int]
    ) -> tuple[list[int], list[msgspec.Raw], list[int]]:
        columns = _Columns()
        for at, message, size in zip(times, messages, sizes, strict=True):
            if size <= EVENT_BYTES:
                columns.extend((at,), (message,), (size,))
                continue
            parts = list(split(msgspec.json.decode(message, type=str), most_bytes=EVENT_BYTES))
            raws = [msgspec.Raw(msgspec.json.encode(part)) for part in parts]
            columns.extend([at] * len(parts), raws, [len(part.encode()) for part in parts])
            self.split += len(parts) - 1
        return columns.times, columns.messages, columns.sizes

    def _collect(self, times: Sequence[int], messages: Sequence[msgspec.Raw], sizes: Sequence[int]) -> Sequence[int]:
        """Put the events to their days; return the days that grew."""
        first, last = min(times) // DAY_MS, max(times) // DAY_MS
        if first == last or not self._naming.dated:
            day = first if self._naming.dated else 0
            self._pending.setdefault(day, _Columns()).extend(times, messages, sizes)
            return (day,)
        days = [at // DAY_MS for at in times]
        grown = sorted(set(days))
        for day in grown:
            of_day = [d == day for d in days]
            self._pending.setdefault(day, _Columns()).extend(
                list(compress(times, of_day)), list(compress(messages, of_day)), list(compress(sizes, of_day))
            )
        return grown

    def _cut(self, day: int, *, keep_last: bool) -> Iterator[Batch]:
        columns = self._pending.pop(day)
        times, messages, sizes = _in_time_order(columns)
        cuts = list(cut(times, sizes))
        if keep_last:
            start, end = cuts.pop()
            kept = _Columns()
            kept.extend(times[start:end], messages[start:end], sizes[start:end])
            self._pending[day] = kept
        stream = self._naming.name(self._key, day=day)
        for start, end in cuts:
            yield Batch(
                stream=stream,
                events=list(map(Event, times[start:end], messages[start:end])),
                size_bytes=sum(sizes[start:end]) + EVENT_OVERHEAD_BYTES * (end - start),
            )


def cut(times: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges, one behind the other, into which events in time order must be cut; each as long as may be.

    Every size is at most ``EVENT_BYTES``.
    """
    ends = list(accumulate(sizes))
    # Weight up to and with event i: ends[i] + 26 * (i + 1). It grows with i, so that bisect finds where it passes.
    weights = [end + EVENT_OVERHEAD_BYTES * count for count, end in enumerate(ends, 1)]
    start, before = 0, 0
    while start < len(times):
        end = bisect_right(weights, before + BATCH_BYTES, start)
        end = min(end, start + BATCH_EVENTS)
        end = bisect_left(times, times[start] + BATCH_SPAN_MS, start, end)
        yield start, end
        start, before = end, weights[end - 1]


def split(text: str, *, most_bytes: int) -> Iterator[str]:
    """Yield *text* in parts that follow each other, each at most *most_bytes* of UTF-8 and cut between characters."""
    data = text.encode()
    start = 0
    while start < len(data):
        end = min(start + most_bytes, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield data[start:end].decode()
        start = end


def _in_time_order(columns: _Columns) -> tuple[list[int], list[msgspec.Raw], list[int]]:
    """Return the columns in time order; those of the same millisecond stay as they came."""
    times = columns.times
    if all(map(le, times, times[1:])):
        return times, columns.messages, columns.sizes
    order = sorted(range(len(times)), key=times.__getitem__)
    return (
        [times[i] for i in order],
        [columns.messages[i] for i in order],
        [columns.sizes[i] for i in order],
    )

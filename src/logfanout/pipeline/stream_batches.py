"""How is one stream of records cut into batches that PutLogEvents accepts?

    Records ──► StreamBatches.add ──► (Batch, ...), and the outcasts that no batch may hold

Pure. The limits are PutLogEvents' (API reference, "PutLogEvents"): 1,048,576 bytes, each event counted as its UTF-8
length and 26 bytes more; 10,000 events; 24 hours; time order; nothing older than 14 days or than the group's
retention, nothing later than 2 hours ahead. One event may be 1 MiB ("CloudWatch Logs quotas", event size).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress

import msgspec

from logfanout.ledger.ranges import NOTHING, Ranges
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import DAY_MS, KeyFields, StreamNaming
from logfanout.ports import Event, LogEvents

BATCH_BYTES = 1_048_576
BATCH_EVENTS = 10_000
BATCH_SPAN_MS = DAY_MS
EVENT_OVERHEAD_BYTES = 26
EVENT_BYTES = BATCH_BYTES - EVENT_OVERHEAD_BYTES  # an event must also fit into a batch of its own
_QUOTES = 2  # of a message's token, which CloudWatch does not count
TOKEN_OVERHEAD_BYTES = EVENT_OVERHEAD_BYTES - _QUOTES
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * 3600 * 1000


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One PutLogEvents request's worth of one stream's events."""

    stream: str
    log_events: LogEvents
    positions: Sequence[int]  # of each event's record within the object
    size_bytes: int  # by CloudWatch's reckoning, or a little more

    @property
    def events(self) -> list[Event]:
        """The events one by one, which few need: they are decoded for it."""
        return self.log_events.decoded()

    def part(self, start: int, end: int) -> "Batch":
        """Return the events from *start* up to *end* as a batch of their own; its size is an estimate."""
        return Batch(
            stream=self.stream,
            log_events=LogEvents.of(self.events[start:end]),
            positions=self.positions[start:end],
            size_bytes=self.size_bytes * (end - start) // len(self.positions),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcasts:
    """Events that CloudWatch will never take, all for one reason."""

    reason: str  # too_old, expired, too_new, refused_alone
    events: list[Event] = field(repr=False)
    positions: Sequence[int] = field(repr=False)


class _Columns(msgspec.Struct, frozen=True):
    """Events in columns and in time order; those of the same millisecond stay as they came.

    The lists are those of ``Records`` where these were in order, as most are, and another destination's too.
    """

    times: list[int]
    messages: list[msgspec.Raw]
    sizes: list[int]
    positions: Sequence[int]

    @classmethod
    def of(
        cls, times: list[int], messages: list[msgspec.Raw], sizes: list[int], positions: Sequence[int]
    ) -> "_Columns":
        """Put the events in order."""
        in_order = sorted(times)
        if in_order == times:  # sorting is then no more than looking whether they are
            return cls(times, messages, sizes, positions)
        order = sorted(range(len(times)), key=times.__getitem__)
        return cls(in_order, [messages[i] for i in order], [sizes[i] for i in order], [positions[i] for i in order])

    @property
    def weight(self) -> int:
        """All of them by CloudWatch's reckoning, or a little more."""
        return sum(self.sizes) + TOKEN_OVERHEAD_BYTES * len(self.sizes)

    def joined(self, more: "_Columns") -> "_Columns":
        """Return the events of both, *more* having come later."""
        behind = self.times[-1] <= more.times[0]
        return (_Columns if behind else _Columns.of)(
            self.times + more.times,
            self.messages + more.messages,
            self.sizes + more.sizes,
            [*self.positions, *more.positions],
        )

    def where(self, chosen: Sequence[bool]) -> "_Columns":
        return _Columns(
            list(compress(self.times, chosen)),
            list(compress(self.messages, chosen)),
            list(compress(self.sizes, chosen)),
            list(compress(self.positions, chosen)),
        )

    def part(self, start: int, end: int) -> "_Columns":
        if end - start == len(self.times):
            return self
        return _Columns(
            self.times[start:end], self.messages[start:end], self.sizes[start:end], self.positions[start:end]
        )

    def events(self) -> list[Event]:
        return list(map(Event, self.times, self.messages))


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The times CloudWatch takes at this moment; what it sees otherwise, by its own clock, it rejects singly."""

    oldest_ms: int
    newest_ms: int
    retention_ms: int  # later than *oldest_ms* if the group's retention is shorter than 14 days, else the same

    @classmethod
    def at(cls, now_ms: int, *, retention_days: int | None) -> "Window":
        """Return what is taken at *now_ms* by a group that keeps events for *retention_days*."""
        oldest = now_ms - OLDEST_MS
        kept = now_ms - retention_days * DAY_MS if retention_days else oldest
        return cls(oldest_ms=oldest, newest_ms=now_ms + NEWEST_MS, retention_ms=max(kept, oldest))

    def holds(self, oldest_ms: int, newest_ms: int) -> bool:
        """Whether all events from *oldest_ms* to *newest_ms* are taken."""
        return self.retention_ms <= oldest_ms and newest_ms <= self.newest_ms

    def reason(self, at_ms: int) -> str:
        """Return why an event of that time is not taken; empty if it is."""
        if at_ms > self.newest_ms:
            return "too_new"
        if at_ms >= self.retention_ms:
            return ""
        return "too_old" if at_ms < self.oldest_ms else "expired"


class StreamBatches:
    """Collects one object's records for one destination, and gives them out in batches.

    Records at positions that *taken* holds were delivered by an earlier attempt: they are left out, and counted.
    """

    def __init__(self, *, key: KeyFields, naming: StreamNaming, taken: Ranges = NOTHING) -> None:
        self._key = key
        self._naming = naming
        self.taken = taken
        self._pending: dict[int, _Columns] = {}  # by day; all under one key if streams have no date
        self._outcasts: list[Outcasts] = []
        self.taken_before = 0
        self.split = 0  # the extra events that oversize ones became
        self.parts: dict[int, int] = {}  # by position: how many events an oversize record became

    def __repr__(self) -> str:
        waiting = sum(len(columns.times) for columns in self._pending.values())
        return f"<StreamBatches of {self._key.application}/{self._key.pod}, {waiting} events waiting>"

    def add(self, records: Records, *, window: Window) -> Iterator[Batch]:
        """Yield the batches that *records* fill."""
        columns = _Columns.of(records.times, records.messages, records.sizes, records.positions)
        columns = self._not_taken(columns)
        if columns.times and not window.holds(columns.times[0], columns.times[-1]):
            columns = self._inside(columns, window)
        if not columns.times:
            return
        if max(columns.sizes) > EVENT_BYTES + _QUOTES:
            columns = self._with_oversize_split(columns)
        for day in self._collect(columns):
            pending = self._pending[day]
            if pending.weight > BATCH_BYTES or len(pending.times) > BATCH_EVENTS:
                yield from self._cut(day, keep_last=True)

    def finish(self) -> Iterator[Batch]:
        """Yield what is left."""
        for day in sorted(self._pending):
            yield from self._cut(day, keep_last=False)

    def outcasts(self) -> list[Outcasts]:
        """Return what no batch may hold, since the last time this was asked."""
        found, self._outcasts = self._outcasts, []
        return found

    def _not_taken(self, columns: _Columns) -> _Columns:
        positions = columns.positions
        if not self.taken or not positions or not self.taken.holds_any(min(positions), max(positions) + 1):
            return columns
        left = columns.where(self.taken.missing(positions))
        self.taken_before += len(positions) - len(left.positions)
        return left

    def _inside(self, columns: _Columns, window: Window) -> _Columns:
        """Return the events that are taken; the others become outcasts."""
        reasons = [window.reason(at) for at in columns.times]
        for reason in sorted(set(reasons) - {""}):
            cast_out = columns.where([each == reason for each in reasons])
            self._outcasts.append(Outcasts(reason=reason, events=cast_out.events(), positions=cast_out.positions))
        return columns.where([not reason for reason in reasons])

    def _with_oversize_split(self, columns: _Columns) -> _Columns:
        times: list[int] = []
        messages: list[msgspec.Raw] = []
        sizes: list[int] = []
        positions: list[int] = []
        for at, message, size, position in zip(
            columns.times, columns.messages, columns.sizes, columns.positions, strict=True
        ):
            if size <= EVENT_BYTES + _QUOTES:
                tokens = [message]
                sizes.append(size)
            else:
                texts = list(split(msgspec.json.decode(message, type=str), most_bytes=EVENT_BYTES))
                tokens = [msgspec.Raw(msgspec.json.encode(text)) for text in texts]
                sizes.extend(len(text.encode()) + _QUOTES for text in texts)
                self.split += len(texts) - 1
                self.parts[position] = len(texts)
            times.extend([at] * len(tokens))
            messages.extend(tokens)
            positions.extend([position] * len(tokens))
        return _Columns(times, messages, sizes, positions)

    def _collect(self, columns: _Columns) -> Sequence[int]:
        """Put the events to their days; return the days that grew."""
        if not self._naming.dated:
            self._put_to(0, columns)
            return (0,)
        grown, start = [], 0
        while start < len(columns.times):
            day = columns.times[start] // DAY_MS
            end = bisect_left(columns.times, (day + 1) * DAY_MS, start)
            self._put_to(day, columns.part(start, end))
            grown.append(day)
            start = end
        return grown

    def _put_to(self, day: int, columns: _Columns) -> None:
        pending = self._pending.get(day)
        self._pending[day] = pending.joined(columns) if pending is not None else columns

    def _cut(self, day: int, *, keep_last: bool) -> Iterator[Batch]:
        columns = self._pending.pop(day)
        cuts = list(cut(columns.times, columns.sizes))
        if keep_last:
            self._pending[day] = columns.part(*cuts.pop())
        stream = self._naming.name(self._key, day=day)
        for start, end in cuts:
            part = columns.part(start, end)
            yield Batch(
                stream=stream,
                log_events=LogEvents.of(part.events()),
                positions=part.positions,
                size_bytes=part.weight,
            )


def cut(times: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges, one behind the other, into which events in time order must be cut; each as long as may be.

    *sizes* are of their tokens; each event is at most ``EVENT_BYTES``.
    """
    if _is_one_batch(times, sizes):  # as most objects are
        yield 0, len(times)
        return
    # Of all events up to and with each. They grow, so that bisect finds where they pass a batch's.
    weights = list(accumulate(map(TOKEN_OVERHEAD_BYTES.__add__, sizes)))
    start, before = 0, 0
    while start < len(times):
        end = bisect_right(weights, before + BATCH_BYTES, start)
        end = min(end, start + BATCH_EVENTS)
        end = bisect_left(times, times[start] + BATCH_SPAN_MS, start, end)
        yield start, end
        start, before = end, weights[end - 1]


def _is_one_batch(times: Sequence[int], sizes: Sequence[int]) -> bool:
    return (
        0 < len(times) <= BATCH_EVENTS
        and times[-1] - times[0] < BATCH_SPAN_MS
        and sum(sizes) + TOKEN_OVERHEAD_BYTES * len(sizes) <= BATCH_BYTES
    )


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

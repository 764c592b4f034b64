"""What do an object's inflated bytes say, record by record?

    pieces ──► RecordReader ──► Records (messages and their times, in columns)

Pure: no I/O, no clock, no environment. A chunk of some thousand records is framed, decoded and timed by a few calls
into C; what those cannot read takes the exact way, record by record (``_framing``), so that one bad record of many
costs itself only. Read are newline-delimited objects, one JSON array on one line or pretty-printed, arrays per line
and concatenated objects, with BOM, CRLF or no final newline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress
from operator import itemgetter as pick
from typing import NoReturn

import msgspec

from logfanout.errors import ObjectCorrupt, ObjectRefused
from logfanout.pipeline import _framing, _times, _utf8, _wires

# So much is put together before it is looked at: what is done once a chunk does not count then, and hundreds of objects
# still fit in memory.
CHUNK_BYTES = 1024 * 1024
# A record is held whole; CONTRACT §3 refuses larger ones.
MAX_RECORD_BYTES = 16 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_GAP = b" \t\r\n,"
_BOUNDARY = b'},{"'  # between two records of an array that was written without spaces
_SHORTCUTS = 3  # cuts to try before the exact way; each that fails costs one decoding
# An object of whose first thousand records, or of all up to a later one, less than one in a hundred can be read is
# something else. To read on would cost more than what is found is worth: a bad record takes a hundred times as long.
_JUDGED_FROM = 1000
_READABLE_ONE_IN = 100
_MOST_AT_ONCE = 1000  # records read the exact way, before the shortcuts are tried again
_HOURS = _times.Hours()  # what one object's events tell of an hour holds for all: pods write at the same time
_QUOTE = ord('"')
_EMPTY = 2  # the length of '""'


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One record that is no JSON object."""

    position: int  # counted from 0 within the object
    text: bytes = field(repr=False)


class Records(msgspec.Struct, kw_only=True):
    """Some thousand records in columns, in the object's order.

    ``messages`` are JSON string tokens, ``times`` epoch milliseconds, ``sizes`` the tokens' bytes: less the quotes an
    upper bound of the message's UTF-8 length, since an escape is longer than what it stands for.
    """

    times: list[int] = msgspec.field(default_factory=list)
    messages: list[msgspec.Raw] = msgspec.field(default_factory=list)
    sizes: list[int] = msgspec.field(default_factory=list)
    positions: Sequence[int] = ()  # counted from 0 within the object: the same at every attempt
    read: int = 0  # all of them: those in the columns, the skipped and the unreadable
    skipped: int = 0  # with an empty message
    untimed: int = 0  # given the object's LastModified for want of a readable timestamp
    unreadable: list[Unreadable] = msgspec.field(default_factory=list)


NOTHING_YET = Records()  # known by its identity


class RecordReader:
    """Turns one object's pieces into records; whatever the pieces' sizes, the records are the same.

    Raises:
        ObjectCorrupt: not one record can be read, or the object's array is never closed.
        ObjectRefused: a record is larger than ``MAX_RECORD_BYTES``.
    """

    def __init__(self, *, name: str, untimed_ms: int, chunk_bytes: int = CHUNK_BYTES) -> None:
        """*untimed_ms* is the time of records that do not tell their own, in epoch milliseconds."""
        self._name = name
        self._untimed_ms = untimed_ms
        self._chunk_bytes = chunk_bytes
        self._rest = b""  # begins with a record, and holds no whole one
        self._pieces: list[bytes] = []  # what came behind it
        self._waiting_bytes = 0  # of both
        self._enough_bytes = chunk_bytes  # below so many another look is of no use
        self._begun = False
        self._inside = False  # whether the rest is inside an array
        self._hasty = True  # whether cuts are guessed before pieces are put together: until a guess was wrong
        self._position = 0
        self._readable = 0  # of the records before the position

    def __repr__(self) -> str:
        return f"<RecordReader {self._name} at record {self._position}, {self._waiting_bytes} bytes waiting>"

    def feed(self, *pieces: bytes) -> Iterator[Records]:
        """Yield the records that *pieces* complete, if there is enough to look at.

        ``NOTHING_YET`` among them, here and below, means that others should get their turn before more is asked for.
        """
        self._pieces.extend(pieces)
        self._waiting_bytes += sum(map(len, pieces))
        if self._waiting_bytes >= self._enough_bytes:
            yield from self._taken(final=False)

    def stop(self) -> Iterator[Records]:
        """Yield the whole records that were waiting: the object cannot be read on, and the last may be cut off."""
        yield from self._taken_from_all(final=False)

    def finish(self) -> Iterator[Records]:
        """Yield what was waiting, and require that the object ended between records."""
        yield from self._taken(final=True)
        if self._inside:
            raise ObjectCorrupt(f"{self._name} ends inside its JSON array, behind record {self._position}")
        if self._position and not self._readable:
            self._give_up()

    def _give_up(self) -> NoReturn:
        raise ObjectCorrupt(
            f"{self._name} holds no JSON records: {self._readable or 'none'} of the first {self._position} can be read"
        )

    def _taken(self, *, final: bool) -> Iterator[Records]:
        records = None if final else self._cut_ahead()
        if records is not None:
            yield from self._counted(records)
        else:
            yield from self._taken_from_all(final=final)
        # Whatever is left is one value's beginning. To look again only when it has doubled keeps the work linear.
        self._waiting_bytes = len(self._rest)
        doubled_bytes = 2 * len(self._rest)
        self._enough_bytes = max(
            self._chunk_bytes, doubled_bytes if doubled_bytes < MAX_RECORD_BYTES else MAX_RECORD_BYTES + 1
        )
        if len(self._rest) > MAX_RECORD_BYTES:
            raise ObjectRefused(
                f"{self._name} holds a record over {MAX_RECORD_BYTES} bytes, behind record {self._position}"
            )

    def _counted(self, records: Records) -> Iterator[Records]:
        if records.read:
            self._position += records.read
            self._readable += records.read - len(records.unreadable)
            yield records
            if self._position >= _JUDGED_FROM and self._readable * _READABLE_ONE_IN < self._position:
                self._give_up()

    def _cut_ahead(self) -> Records | None:
        """Put together what ends at a likely boundary in the last piece, and decode it: no byte is copied twice."""
        if not (self._rest and self._pieces and self._hasty):
            return None
        *pieces, last = self._pieces
        cut = last.rfind(_BOUNDARY if self._inside else b"\n") + 1
        if not cut or self._waiting_bytes > MAX_RECORD_BYTES:  # it may be one record: the exact way weighs each
            return None
        opening, closing = (b"[", b"]") if self._inside else (b"", b"")
        records = self._read(b"".join((opening, self._rest, *pieces, last[:cut], closing)))
        if records is None:
            self._hasty = False
            return None
        self._rest, self._pieces = last[cut:], []
        self._skip_gap(final=False)
        return records

    def _taken_from_all(self, *, final: bool) -> Iterator[Records]:
        if self._rest or len(self._pieces) != 1:
            self._rest = b"".join((self._rest, *self._pieces))
        else:
            self._rest = self._pieces[0]
        self._pieces = []
        if not self._begun:
            if len(self._rest) < len(_BOM) and not final:
                return
            self._rest = self._rest.removeprefix(_BOM)
            self._begun = True
        while self._rest:
            before = len(self._rest), self._inside
            records = self._shortcut(final=final)
            yield from self._exactly(final=final) if records is None else self._counted(records)
            if (len(self._rest), self._inside) == before:
                break

    def _shortcut(self, *, final: bool) -> Records | None:
        """Decode as much of the rest as ends at a likely boundary."""
        self._skip_gap(final=final)
        for cut in self._likely_cuts(final=final):
            if cut > MAX_RECORD_BYTES:  # it may be one record: the exact way weighs each
                return None
            part = memoryview(self._rest)[:cut]
            records = self._read(b"".join((b"[", part, b"]")) if self._inside else part)
            if records is not None:
                self._rest = self._rest[cut:]
                self._skip_gap(final=final)
                return records
        return None

    def _skip_gap(self, *, final: bool) -> None:
        """Stand before a record, or at the end of the rest."""
        self._rest = self._rest.lstrip(_GAP)
        while self._inside and self._rest[:1] == b"]":
            self._inside = False
            self._rest = self._rest[1:].lstrip(_GAP)
        # An array that does not end on a line of what is here is cut like any other, from behind its bracket.
        if not (self._inside or final) and self._rest[:1] == b"[" and b"\n" not in self._rest:
            self._inside = True
            self._rest = self._rest[1:].lstrip(_GAP)

    def _likely_cuts(self, *, final: bool) -> Iterator[int]:
        rest = self._rest
        if not rest:
            return
        if not self._inside:
            if final:
                yield len(rest)
            elif newline := rest.rfind(b"\n") + 1:
                yield newline
        elif not rest.endswith((b"]", b"]\n")) and (boundary := rest.rfind(_BOUNDARY) + 1):
            yield boundary
        cut = len(rest)
        for _ in range(_SHORTCUTS if self._inside or rest[:1] == b"{" else 0):
            cut = rest.rfind(b"}", 0, cut)
            if cut < 0:
                return
            yield cut + 1

    def _read(self, text: bytes | memoryview) -> Records | None:
        """Return the records of *text*; ``None`` if they are to be read one by one.

        Valid JSON proves that a guessed cut was one: no other cut of records ends as JSON does.
        """
        columns = _wires.many(text, array=self._inside)
        return None if columns is None else self._columns(*columns)

    def _columns(self, messages: list[msgspec.Raw], stamps: list[_times.Stamp]) -> Records | None:
        """Return the records of *messages*; ``None`` if one is not UTF-8."""
        if not messages:
            return Records()
        sizes = list(map(len, messages))
        text = b"".join(messages)
        if not _utf8.is_whole(text):
            return None
        # A JSON text is a string if it begins with a quote. Their first bytes are picked from all texts put together:
        # to ask each of them would take four times as long.
        firsts = pick(*accumulate(sizes[:-1], initial=0), 0)(text)
        if firsts.count(_QUOTE) != len(firsts):
            messages = list(map(_wires.as_string, messages))
            sizes = list(map(len, messages))
        positions = range(self._position, self._position + len(messages))
        return self._timed(messages, sizes, stamps, positions)

    def _timed(
        self,
        messages: list[msgspec.Raw],
        sizes: list[int],
        stamps: Sequence[_times.Stamp],
        positions: Sequence[int],
    ) -> Records:
        known = _times.many(stamps, _HOURS)
        untimed = known.count(None)  # type: ignore[arg-type]
        times: list[int] = [self._untimed_ms if t is None else t for t in known] if untimed else known  # type: ignore[assignment]
        records = Records(
            times=times,
            messages=messages,
            sizes=sizes,
            positions=positions,
            read=len(messages),
            untimed=untimed,
        )
        if min(sizes) == _EMPTY:
            full = [n > _EMPTY for n in sizes]
            records.times = list(compress(times, full))
            records.messages = list(compress(messages, full))
            records.sizes = list(compress(sizes, full))
            records.positions = list(compress(positions, full))
            records.skipped = records.read - len(records.times)
        return records

    def _exactly(self, *, final: bool) -> Iterator[Records]:
        """Split the rest for certain, and decode value by value; this is slow, and others get their turn meanwhile."""
        for found in _framing.scan(self._rest, inside=self._inside, final=final, most=_MOST_AT_ONCE):
            yield NOTHING_YET
            if found is not None:
                yield from self._counted(self._decoded(found))

    def _decoded(self, found: _framing.Scan) -> Records:
        self._rest = self._rest[found.consumed :]
        self._inside = found.inside
        messages: list[msgspec.Raw] = []
        stamps: list[_times.Stamp] = []
        positions: list[int] = []
        unreadable: list[Unreadable] = []
        for position, value in enumerate(found.values, self._position):
            if len(value) > MAX_RECORD_BYTES:
                raise ObjectRefused(f"{self._name} holds a record over {MAX_RECORD_BYTES} bytes")
            record = _wires.one(value)
            if record is None:
                unreadable.append(Unreadable(position=position, text=value))
            else:
                messages.append(record.message)
                stamps.append(record.timestamp)
                positions.append(position)
        if not messages:
            return Records(read=len(unreadable), unreadable=unreadable)
        records = self._timed(messages, list(map(len, messages)), stamps, positions)
        records.read += len(unreadable)
        records.unreadable = unreadable
        return records

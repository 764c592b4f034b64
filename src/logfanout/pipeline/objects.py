"""What does an S3 object hold once inflated, piece by piece?

    stored bytes ──► inflated ──► pieces of at most 1 MiB

The compression is told by the first bytes, never by suffix or header: Vector stores gzip under
``Content-Encoding: gzip``, others rename files. Memory holds one network read and one piece, whatever the ratio.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from typing import NoReturn, Protocol

from isal import igzip_lib
from isal.igzip_lib import IsalError

from logfanout.errors import ObjectCorrupt, ObjectRefused, Permanent

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# How long a piece is at most, and how much is inflated before others get their turn.
PIECE_BYTES = 1024 * 1024
TOGETHER_BYTES = 512 * 1024  # so much is handed on at once: a small object at a stroke
# The first piece is as long, so that a small object is inflated by one call and never put together; the others are
# shorter: igzip grows what it returns by doubling and copying, a third of its time.
_STEP_BYTES = 64 * 1024

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# Parallel and seekable writers put frames of their own between and behind the others (RFC 8878, 3.1.2).
_ZSTD_SKIPPABLE = tuple(bytes((first, 0x2A, 0x4D, 0x18)) for first in range(0x50, 0x60))
# A frame names the window it wants kept, up to 2 GiB whatever its size. Eight MiB is what every decoder is to offer and
# no encoder is to exceed unasked (RFC 8878, 3.1.1.1.2); more is only had by --ultra and --long.
ZSTD_WINDOW_LOG = 23
_MAGIC_BYTES = 4  # what the longest of them needs to be told


class _Inflater(Protocol):
    """What igzip's and zstd's decompressors share: CPython's ``bz2.BZ2Decompressor`` interface."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflation:
    """One object's way from stored bytes to inflated pieces; its counts are true at any moment.

    Raises:
        ObjectCorrupt: a checksum fails, the stream is malformed or ends early.
        ObjectRefused: more than *max_bytes* came out.
    """

    def __init__(self, *, name: str, max_bytes: int) -> None:
        self._name = name
        self._max_bytes = max_bytes
        self._plain = False
        self._member: _Inflater | None = None  # None: before the first member, or between two
        self._members = 0
        self._step_bytes = TOGETHER_BYTES  # of the next piece, at most
        self._head = b""  # of the next member, until there is enough of it to tell what it is
        self.compressed_bytes = 0
        self.inflated_bytes = 0

    def __repr__(self) -> str:
        return f"<Inflation {self._name} {self.compressed_bytes} -> {self.inflated_bytes} bytes>"

    def feed(self, stored: bytes) -> Iterator[bytes]:
        """Yield what *stored* adds, in pieces; read them all before the next call."""
        self.compressed_bytes += len(stored)
        data = self._head + stored
        self._head = b""
        while data:
            if self._plain:
                yield self._counted(data[:PIECE_BYTES])
                data = data[PIECE_BYTES:]
            elif self._member is not None:
                data = yield from self._read_member(self._member, data)
            elif len(data) >= _MAGIC_BYTES:
                data = self._begin(data)
            else:
                self._head = data
                return

    def finish(self) -> Iterator[bytes]:
        """Yield what was still held back when the stored bytes ended, and require that they ended well."""
        head = self._head.lstrip(b"\0")
        if head and not self._members:
            self._begin(head)
            if self._plain:
                yield self._counted(head)
        elif head:
            self._corrupt("what follows a compressed member is not one, or is cut off")
        if self._member is not None:
            raise ObjectCorrupt(
                f"{self._name} ends inside its compressed data, after {self.compressed_bytes} stored bytes"
            )

    def _begin(self, data: bytes) -> bytes:
        """Open the member that *data* starts with; return what of it to read."""
        if self._members:
            data = data.lstrip(b"\0")  # tapes and block devices pad the last member with zeros
            if len(data) < _MAGIC_BYTES:
                self._head = data
                return b""
        self._member = _inflater_for(data)
        if self._member is None and self._members:
            self._corrupt("what follows a compressed member is not one")
        self._plain = self._member is None
        self._members += 1
        return data

    def _read_member(self, member: _Inflater, data: bytes) -> Generator[bytes, None, bytes]:
        """Yield what *member* makes of *data*; return what of it follows the member."""
        try:
            while True:
                if piece := member.decompress(data, self._step_bytes):
                    self._step_bytes = _STEP_BYTES
                    yield self._counted(piece)
                if member.eof:
                    self._member = None
                    return member.unused_data
                if member.needs_input:
                    return b""
                data = b""  # it holds more output of what it has been given
        except (IsalError, zstd.ZstdError) as error:  # type: ignore[misc]  # isal's stub forgets that it is an Exception
            if "memory" in str(error).lower():
                raise ObjectRefused(
                    f"{self._name} wants a zstd window of over {2**ZSTD_WINDOW_LOG} bytes: {error}"
                ) from None
            self._corrupt(str(error))

    def _corrupt(self, why: str) -> NoReturn:
        raise ObjectCorrupt(f"{self._name} cannot be inflated behind {self.inflated_bytes} bytes: {why}")

    def _counted(self, piece: bytes) -> bytes:
        self.inflated_bytes += len(piece)
        if self.inflated_bytes > self._max_bytes:
            raise ObjectRefused(f"{self._name} inflates to more than {self._max_bytes} bytes")
        return piece


class Inflated:
    """The inflated pieces of *chunks*, some at once: one at least, and hardly more than ``TOGETHER_BYTES``.

    No generator, as each object has one: an asynchronous one is also registered with the event loop.
    """

    def __init__(self, chunks: AsyncIterator[bytes], inflation: Inflation) -> None:
        self._chunks = chunks
        self._inflation = inflation
        self._pieces: Iterator[Sequence[bytes]] = iter(())
        self._ended = False
        self._turn_bytes = PIECE_BYTES

    def __repr__(self) -> str:
        return f"<Inflated {self._inflation!r}>"

    async def next(self) -> Sequence[bytes]:
        """Return the next pieces; none is the end."""
        if self._inflation.inflated_bytes >= self._turn_bytes:
            self._turn_bytes = self._inflation.inflated_bytes + PIECE_BYTES
            await asyncio.sleep(0)  # one read may inflate a thousandfold: others must get their turn meanwhile
        while True:
            pieces = next(self._pieces, ())
            if pieces or self._ended:
                return pieces
            chunk = await anext(self._chunks, None)
            self._ended = chunk is None
            self._pieces = _together(self._inflation.finish() if chunk is None else self._inflation.feed(chunk))


def _together(pieces: Iterator[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield *pieces*, some at once; those before a corrupt place come before its error."""
    some: list[bytes] = []
    size_bytes = 0
    try:
        for piece in pieces:
            some.append(piece)
            size_bytes += len(piece)
            if size_bytes >= TOGETHER_BYTES:
                yield some
                some, size_bytes = [], 0
    except Permanent:
        if some:
            yield some
        raise
    if some:
        yield some


def _inflater_for(head: bytes) -> _Inflater | None:
    """Return a decompressor for data that begins with *head*; ``None`` if it is not compressed."""
    if head.startswith(_GZIP):
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    if head.startswith((_ZSTD, *_ZSTD_SKIPPABLE)):
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
    if _is_zlib(head):
        return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    return None


def _is_zlib(head: bytes) -> bool:
    """Whether *head* is a zlib header: deflate, and a multiple of 31 (RFC 1950, 2.2). No JSON text starts so."""
    return len(head) >= 2 and head[0] & 0x0F == 8 and head[0] >> 4 <= 7 and (head[0] << 8 | head[1]) % 31 == 0

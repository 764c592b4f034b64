"""An object's bytes come out whole, in bounded pieces, or it is said why not."""

import gzip
import random
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests import turns

from logfanout.errors import ObjectCorrupt, ObjectRefused
from logfanout.pipeline.objects import PIECE_BYTES, Inflated, Inflation
from logfanout.testing import virtual_time

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b'{"message":"hello","timestamp":"2026-03-02T12:00:00Z"}\n'
CHECKED: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "zstd": lambda data: zstd.compress(data, options=CHECKED),
}
each_compression = pytest.mark.parametrize("kind", COMPRESSIONS)


def zstd_skippable(data: bytes, *, kind: int = 0) -> bytes:
    """A frame that decoders step over (RFC 8878, 3.1.2)."""
    return (0x184D2A50 + kind).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


def pieces_of(reads: Iterable[bytes], *, most: int = 1 << 40) -> list[bytes]:
    """Inflate what the network brought."""
    inflation = Inflation(name="s3://b/k", max_bytes=most)
    pieces = [piece for read in reads for piece in inflation.feed(read)]
    pieces.extend(inflation.finish())
    assert inflation.inflated_bytes == sum(map(len, pieces))
    return pieces


def inflated(stored: bytes, *, read_bytes: int | None = None) -> bytes:
    step = read_bytes or max(len(stored), 1)
    return b"".join(pieces_of(stored[at : at + step] for at in range(0, len(stored), step)))


def before_the_fault(reads: Iterable[bytes]) -> bytes:
    """What comes out before ``ObjectCorrupt``."""
    inflation = Inflation(name="s3://b/k", max_bytes=1 << 40)
    out: list[bytes] = []
    with pytest.raises(ObjectCorrupt, match="s3://b/k"):
        for read in reads:
            out.extend(inflation.feed(read))
        out.extend(inflation.finish())
    return b"".join(out)


@each_compression
@pytest.mark.parametrize("read_bytes", [None, 1, 7])
def test_each_compression_is_told_by_its_first_bytes(kind: str, read_bytes: int | None) -> None:
    """No suffix and no header is asked."""
    assert inflated(COMPRESSIONS[kind](TEXT * 100), read_bytes=read_bytes) == TEXT * 100


@pytest.mark.parametrize("plain", [TEXT, b"{}", b"[", b"\n\n{}", b"\xef\xbb\xbf{}", b"hello, world", b" " * 5000])
@pytest.mark.parametrize("read_bytes", [None, 1])
def test_what_is_not_compressed_passes_unchanged(plain: bytes, read_bytes: int | None) -> None:
    """Plain objects are read as they are, however short."""
    assert inflated(plain, read_bytes=read_bytes) == plain


@pytest.mark.parametrize("stored", [b"", *(compress(b"") for compress in COMPRESSIONS.values())])
def test_an_empty_object_is_no_piece_at_all(stored: bytes) -> None:
    """Nothing comes out of nothing, not even an empty piece."""
    assert pieces_of([stored]) == []


@each_compression
def test_members_follow_each_other(kind: str) -> None:
    """Concatenated members are one object: collectors append to what they have compressed before."""
    stored = b"".join(COMPRESSIONS[kind](b"%d\n" % n) for n in range(50))
    assert inflated(stored, read_bytes=11) == b"".join(b"%d\n" % n for n in range(50))


def test_skippable_frames_are_skipped() -> None:
    """Parallel zstd begins with one, seekable zstd ends with one."""
    stored = zstd_skippable(b"\1\2\3\4") + zstd.compress(TEXT) + zstd_skippable(b"table of seeks", kind=14)
    assert inflated(stored) == inflated(stored, read_bytes=1) == TEXT


@each_compression
@pytest.mark.parametrize("read_bytes", [None, 3])
def test_zero_padding_is_no_member(kind: str, read_bytes: int | None) -> None:
    """Tapes and block devices fill the last block with zeros."""
    stored = COMPRESSIONS[kind](TEXT)
    assert inflated(stored + b"\0" * 9999, read_bytes=read_bytes) == TEXT
    assert inflated(stored + b"\0\0" + stored + b"\0", read_bytes=read_bytes) == TEXT + TEXT


@each_compression
@pytest.mark.parametrize("garbage", [b"x", b"xy", b"\x1f\x8b\x08", b"hello, world", b"\0\0x", TEXT])
def test_garbage_behind_a_member_is_corruption(kind: str, garbage: bytes) -> None:
    """What was read before it still counts; that something is missing must not go unnoticed."""
    stored = COMPRESSIONS[kind](TEXT) + garbage
    assert before_the_fault([stored]) == TEXT
    assert before_the_fault(stored[at : at + 1] for at in range(len(stored))) == TEXT


@each_compression
def test_a_checksum_is_checked(kind: str) -> None:
    """Bytes that were changed on their way do not pass for the tenant's logs."""
    stored = bytearray(COMPRESSIONS[kind](TEXT * 100))
    stored[-1 if kind != "gzip" else -8] ^= 1
    before_the_fault([bytes(stored)])


@each_compression
def test_a_bomb_is_refused_at_the_limit(kind: str) -> None:
    """What inflates past the limit is refused, and not a piece more is made of it."""
    bomb = COMPRESSIONS[kind](bytes(16 * PIECE_BYTES))
    inflation = Inflation(name="s3://b/bomb", max_bytes=3 * PIECE_BYTES)
    with pytest.raises(ObjectRefused, match="more than 3145728 bytes"):
        list(inflation.feed(bomb))
    assert inflation.inflated_bytes <= 4 * PIECE_BYTES


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "plain"])
def test_the_limit_itself_passes(kind: str) -> None:
    """The limit is what an object may have, to the byte."""
    stored = TEXT if kind == "plain" else COMPRESSIONS[kind](TEXT)
    assert pieces_of([stored], most=len(TEXT)) == [TEXT]
    with pytest.raises(ObjectRefused):
        pieces_of([stored], most=len(TEXT) - 1)


@each_compression
def test_pieces_are_bounded_whatever_the_ratio(kind: str) -> None:
    """A kilobyte that inflates to megabytes is handed on megabyte by megabyte."""
    pieces = pieces_of([COMPRESSIONS[kind](bytes(10 * PIECE_BYTES + 5))])
    assert sum(map(len, pieces)) == 10 * PIECE_BYTES + 5
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_many_empty_members_are_no_burden() -> None:
    """Members without content, fifty thousand of them, neither recurse nor pile up."""
    assert inflated(gzip.compress(b"") * 20_000 + gzip.compress(b"end"), read_bytes=65_536) == b"end"


@virtual_time
async def test_others_get_their_turn_while_a_bomb_goes_off() -> None:
    """Leases are extended and probes answered between the pieces of one network read."""

    async def one_read() -> AsyncIterator[bytes]:
        yield gzip.compress(bytes(20 * PIECE_BYTES), 1)

    inflated = Inflated(one_read(), Inflation(name="s3://b/bomb", max_bytes=1 << 30))
    assert repr(inflated) == "<Inflated <Inflation s3://b/bomb 0 -> 0 bytes>>"
    pieces = []
    with turns.counted() as count:
        while some := await inflated.next():
            pieces.append(some)
        assert count() >= 19
    assert sum(map(len, chain(*pieces))) == 20 * PIECE_BYTES
    assert max(sum(map(len, some)) for some in pieces) <= PIECE_BYTES


@pytest.mark.parametrize("whole_bytes", [100, 700_000, 1_300_000])
@virtual_time
async def test_what_lies_before_a_corrupt_place_comes_before_its_error(whole_bytes: int) -> None:
    """Though both come in one network read, and are handed on together where nothing is wrong."""
    whole = random.Random(whole_bytes).randbytes(whole_bytes)

    async def one_read() -> AsyncIterator[bytes]:
        yield gzip.compress(whole, 1) + b"\x1f\x8b no member"

    inflated, found = Inflated(one_read(), Inflation(name="s3://b/k", max_bytes=1 << 30)), b""
    with pytest.raises(ObjectCorrupt):
        while some := await inflated.next():
            found += b"".join(some)
    assert found == whole


# Properties.

compressions = st.sampled_from(sorted(COMPRESSIONS))
contents = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=9), st.integers(0, 20_000)),
)


@st.composite
def reads_of(draw: st.DrawFn, stored: bytes) -> Sequence[bytes]:
    """*stored* as the network brings it: cut anywhere, empty reads included."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stored)), max_size=12)))
    return [stored[a:b] for a, b in zip([0, *cuts], [*cuts, len(stored)], strict=True)]


@given(st.data(), st.lists(st.tuples(compressions, contents), min_size=1, max_size=4), st.integers(0, 9))
def test_any_split_into_reads_gives_the_same_bytes(
    data: st.DataObject, members: list[tuple[str, bytes]], padding: int
) -> None:
    """Neither where members end nor where reads end can be seen in what comes out."""
    stored = b"".join(COMPRESSIONS[kind](content) for kind, content in members) + bytes(padding)
    pieces = pieces_of(data.draw(reads_of(stored)))
    assert b"".join(pieces) == b"".join(content for _, content in members)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@given(st.data(), st.binary(max_size=500).map(lambda tail: b"{" + tail))
def test_any_split_of_a_plain_object_gives_the_same_bytes(data: st.DataObject, plain: bytes) -> None:
    """What begins as JSON does is never taken for compressed."""
    assert b"".join(pieces_of(data.draw(reads_of(plain)))) == plain


@given(st.data(), compressions, contents)
def test_a_truncated_object_is_corrupt_wherever_it_ends(data: st.DataObject, kind: str, content: bytes) -> None:
    """What there is comes out, and that it is not all is noticed; under four bytes nothing tells what it was."""
    stored = COMPRESSIONS[kind](content)
    kept = data.draw(st.integers(4, len(stored) - 1))
    assert content.startswith(before_the_fault(data.draw(reads_of(stored[:kept]))))


@settings(max_examples=300)
@given(st.data(), compressions, contents)
def test_damage_is_found_or_harmless(data: st.DataObject, kind: str, content: bytes) -> None:
    """A flipped bit in the data makes an object corrupt, or ask for too wide a window; never other data of it."""
    stored = bytearray(COMPRESSIONS[kind](content))
    at = data.draw(st.integers(4, len(stored) - 1))
    stored[at] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(ObjectCorrupt, ObjectRefused):
        assert inflated(bytes(stored)) == content


@settings(max_examples=300)
@given(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x78\x9c"]), st.binary(max_size=99))
@example(b"\x1f\x8b", b"")
def test_any_bytes_are_inflated_or_refused(magic: bytes, tail: bytes) -> None:
    """Hostile bytes behind a true beginning raise our own errors only."""
    with suppress(ObjectCorrupt, ObjectRefused):
        pieces_of([magic + tail], most=1 << 24)


def test_a_zstd_window_is_bounded() -> None:
    """A frame of some kilobytes may ask for a window of a hundred megabytes: what usual levels ask for is given."""
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    stored = wide.compress(TEXT) + wide.flush()
    with pytest.raises(ObjectRefused, match="wants a zstd window of over 8388608 bytes"):
        list(Inflation(name="s3://b/k", max_bytes=1024 * 1024).feed(stored))
    usual = zstd.ZstdCompressor(19)
    stored = usual.compress(TEXT) + usual.flush()
    assert b"".join(Inflation(name="s3://b/k", max_bytes=1024 * 1024).feed(stored)) == TEXT

"""What would the same bytes cost if nothing but the unavoidable were done?

    object ──► inflated (isal) ──► decoded (msgspec) ──► events with their times ──► body (msgspec) ──► SHA-256

With the same libraries and in the same pieces of 1 MiB as the worker, and without anything around: no request, no
limit, no check, no memory of what was delivered. It is measured in the same run on the same core.
"""

import gzip
import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context

import msgspec
from isal import igzip_lib

from bench.load import Stored
from logfanout.heap import keep_freed_memory
from logfanout.pipeline.records import CHUNK_BYTES
from logfanout.ports import Event

LEAST_SECONDS = 0.7  # of work in one measurement
TRIES = 3
BATCH_EVENTS = 2_600  # of the usual length: a full batch


class _Wire(msgspec.Struct, gc=False):
    message: msgspec.Raw = msgspec.Raw(b"")
    timestamp: str = ""


_one = msgspec.json.Decoder(_Wire)
_array = msgspec.json.Decoder(list[_Wire])
_encode = msgspec.json.Encoder().encode


def cpu_seconds(objects: Sequence[Stored], *, cores: Collection[int] = ()) -> float:
    """Return the CPU time of one byte of inflated input, on one of *cores*: the least of some measurements."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return elsewhere.submit(_measured, objects, cores).result()


def _measured(objects: Sequence[Stored], cores: Collection[int]) -> float:
    if cores:
        os.sched_setaffinity(0, cores)
    keep_freed_memory()  # as the worker does: else a third of a small object's floor is the kernel's, mapping pages
    return min(_once(objects) for _ in range(TRIES))


def _once(objects: Sequence[Stored]) -> float:
    began, done_bytes = time.process_time(), 0
    while time.process_time() - began < LEAST_SECONDS:
        for each in objects:
            done_bytes += sum(delivered(member) for member in _some(each))
    return (time.process_time() - began) / done_bytes


def _some(each: Stored) -> Sequence[bytes]:
    """Return what of an object to do: of one with many members, the first few tell enough."""
    return each.members[:3]


def delivered(member: bytes) -> int:
    """Do all that must be done with one gzip member; return its inflated bytes."""
    inflated_bytes = 0
    events: list[Event] = []
    for chunk in _chunks(member):
        inflated_bytes += len(chunk[0])
        wires = _decoded(*chunk)
        events += [Event(int(wire.timestamp[20:23]), wire.message) for wire in wires]
        while len(events) >= BATCH_EVENTS:
            _sent(events[:BATCH_EVENTS])
            del events[:BATCH_EVENTS]
    _sent(events)
    return inflated_bytes


def _sent(events: list[Event]) -> None:
    if events:
        sha256(_encode({"logGroupName": "g", "logStreamName": "s", "logEvents": events})).hexdigest()


def _chunks(member: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield whole records in some pieces, and whether they are inside an array."""
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    data, rest = member, b""
    array: bool | None = None
    while not inflater.eof:
        piece = inflater.decompress(data, CHUNK_BYTES)
        data = b""
        array = piece[:1] in (b"[", b",", b"]") if array is None else array
        rest = (rest + piece).lstrip(b"[,")
        end = rest.rfind(b"\n") + 1
        if array:
            end = (rest.rfind(b"}") if inflater.eof else rest.rfind(b'},{"')) + 1
        yield rest[:end], array
        rest = rest[end:]


def _decoded(chunk: bytes, array: bool) -> list[_Wire]:
    if array:
        return _array.decode(b"[" + chunk.lstrip(b",") + b"]") if chunk else []
    return _one.decode_lines(chunk)


def inflated(each: Stored) -> bytes:
    """Return what an object holds; for tests."""
    return b"".join(map(gzip.decompress, each.members))

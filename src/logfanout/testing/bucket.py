"""What does a bucket do that a dictionary does not?

put ──► open ──► chunks, perhaps cut short, perhaps gone, perhaps denied
  └───► page ──► what lies there, in the order of its keys
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from logfanout.errors import AccessRefused, ObjectGone, Unavailable
from logfanout.ports import Clock, Listed, ObjectBody, ObjectFacts, ObjectRef, Page
from logfanout.testing.line import Line

CHUNK_BYTES = 16 * 1024  # what a socket hands out at a time
MOST_A_PAGE = 1000  # ListObjectsV2, "max-keys"


@dataclass(slots=True, kw_only=True)
class _Object:
    data: bytes
    last_modified_ms: int
    version_id: str


class FakeBucket(Line):
    """S3 in memory: every bucket of the region. Its calls are told apart by the object's URI."""

    def __init__(self, *, clock: Clock, chunk_bytes: int = CHUNK_BYTES) -> None:
        super().__init__()
        self.open_now = 0  # objects open at this moment
        self._clock = clock
        self._chunk_bytes = chunk_bytes
        self._objects: dict[str, list[_Object]] = {}  # by URI, oldest version first
        self._denied: set[str] = set()
        self._missing: set[str] = set()
        self._closed: set[str] = set()
        self._cuts: dict[str, list[int]] = {}
        self._pauses: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<FakeBucket {len(self._objects)} objects, {self.open_now} open>"

    def put(
        self, bucket: str, key: str, data: bytes, *, last_modified_ms: int | None = None, version_id: str = ""
    ) -> ObjectRef:
        """Store an object, now or at *last_modified_ms*; return its name as a notice would give it.

        Without a *version_id* it takes the place of what was there.
        """
        ref = ObjectRef(bucket=bucket, key=key, size_bytes=len(data), version_id=version_id)
        made = self._clock.epoch_ms() if last_modified_ms is None else last_modified_ms
        stored = _Object(data=data, last_modified_ms=made, version_id=version_id)
        self._objects[ref.uri] = [*self._objects.get(ref.uri, []), stored] if version_id else [stored]
        return ref

    def remove(self, ref: ObjectRef) -> None:
        """Delete every version of *ref*."""
        self._objects.pop(ref.uri, None)

    def deny(self, ref: ObjectRef) -> None:
        """Let the bucket's policy refuse *ref* from now on."""
        self._denied.add(ref.uri)

    def allow(self, ref: ObjectRef) -> None:
        """Take ``deny`` back."""
        self._denied.discard(ref.uri)

    def miss(self, bucket: str) -> None:
        """Let there be no such bucket to list."""
        self._missing.add(bucket)

    def close(self, bucket: str) -> None:
        """Let the bucket's policy refuse to list it."""
        self._closed.add(bucket)

    def cut_short(self, ref: ObjectRef, *, after_bytes: int, times: int = 1) -> None:
        """Let the connection break behind *after_bytes* the next *times* that *ref* is read."""
        self._cuts.setdefault(ref.uri, []).extend([after_bytes] * times)

    def trickle(self, ref: ObjectRef, *, seconds_a_chunk: float) -> None:
        """Let every chunk of *ref* take its time."""
        self._pauses[ref.uri] = seconds_a_chunk

    async def open(self, ref: ObjectRef) -> ObjectBody:
        """Open *ref* for one pass over its bytes; the caller closes it."""
        async with self._call("open", ref.uri):
            if ref.uri in self._denied:
                raise AccessRefused(f"GetObject {ref.uri}: AccessDenied")
            stored = self._find(ref)
        self.open_now += 1
        chunks = self._chunks(ref, stored.data)
        return ObjectBody(last_modified_ms=stored.last_modified_ms, chunks=chunks, close=self._close_one)

    def _close_one(self) -> None:
        self.open_now -= 1

    async def describe(self, ref: ObjectRef) -> ObjectFacts:
        """Return what S3 says of *ref*; its bytes tell one writing of it from the next."""
        async with self._call("describe", ref.uri):
            if ref.uri in self._denied:
                raise AccessRefused(f"HeadObject {ref.uri}: HTTP 403")
            stored = self._find(ref)
        return ObjectFacts(
            size_bytes=len(stored.data),
            etag=f'"{_etag(stored)}"',
            content_encoding="gzip" if stored.data.startswith(b"\x1f\x8b") else "",
        )

    def stored(self, ref: ObjectRef) -> bytes:
        """Return the bytes of *ref* as they lie there."""
        return self._find(ref).data

    async def page(self, bucket: str, *, prefix: str, after: str = "", token: str = "", most: int = 1000) -> Page:
        """Return a part of what lies in *bucket*; a call's place is the bucket's URI."""
        async with self._call("page", f"s3://{bucket}"):
            if not 1 <= most <= MOST_A_PAGE:
                raise ValueError(f"S3 would refuse max-keys {most}")
            if bucket in self._missing:
                raise Unavailable(f"ListObjectsV2 s3://{bucket}: NoSuchBucket")
            if bucket in self._closed:
                raise AccessRefused(f"ListObjectsV2 s3://{bucket}: AccessDenied")
            begin = token or after
            keys = sorted(
                (uri.removeprefix(f"s3://{bucket}/") for uri in self._objects if uri.startswith(f"s3://{bucket}/")),
                key=str.encode,
            )
            found = [key for key in keys if key.startswith(prefix) and key.encode() > begin.encode()]
            listed = [self._listed(bucket, key) for key in found[:most]]
        return Page(objects=listed, token=found[most - 1] if len(found) > most else "")

    def _listed(self, bucket: str, key: str) -> Listed:
        stored = self._objects[f"s3://{bucket}/{key}"][-1]
        return Listed(
            key=key,
            size_bytes=len(stored.data),
            etag=_etag(stored),
            last_modified_ms=stored.last_modified_ms // 1000 * 1000,
        )

    def _find(self, ref: ObjectRef) -> _Object:
        versions = self._objects.get(ref.uri, [])
        wanted = [stored for stored in versions if ref.version_id in ("", stored.version_id)]
        if not wanted:
            raise ObjectGone(f"GetObject {ref.uri}: NoSuchKey")
        return wanted[-1]

    async def _chunks(self, ref: ObjectRef, data: bytes) -> AsyncIterator[bytes]:
        cuts = self._cuts.get(ref.uri)
        end = cuts.pop(0) if cuts else len(data)
        for start in range(0, end, self._chunk_bytes):
            await asyncio.sleep(self._pauses.get(ref.uri, 0.0))
            yield data[start : min(start + self._chunk_bytes, end)]
        if end < len(data):
            raise Unavailable(f"GetObject {ref.uri}: the connection broke after {end} of {len(data)} bytes")


def _etag(stored: _Object) -> str:
    return hashlib.md5(stored.data, usedforsecurity=False).hexdigest()

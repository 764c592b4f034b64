"""How is a log object read?

    ObjectRef ──► GetObject, hand-signed ──► its stored bytes as they arrive, continued where a connection broke

Nothing on the way inflates: the collectors store gzip under ``Content-Encoding: gzip``. A body that ends too soon
is continued behind its last byte, and if that does not help an error, never an end.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache

from tenacity import retry_if_exception_type, retry_if_not_exception_type

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.exchanges import Answer
from logfanout.aws.faults import Refused, Table, as_ours, error_of
from logfanout.aws.http import Http
from logfanout.aws.s3_requests import S3Request, S3Requests, refused, request_id
from logfanout.aws.signing import encoded
from logfanout.errors import ObjectGone, ObjectRefused, Unavailable
from logfanout.ports import Credentials, ObjectBody, ObjectFacts, ObjectRef
from logfanout.retrying import policy

# How often in a row a broken object is asked for again without a new byte: a second and a half at the most, as what
# has been read of it waits meanwhile.
RESUME_ATTEMPTS = 5
# How often one object may break with new bytes in between: behind a proxy that cuts every answer we must not end up
# with a request for each kilobyte.
MOST_RESUMES = 16
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)", re.ASCII)


class _Changed(Unavailable):
    """What lies there now is not what we began to read: the next attempt reads that, from its beginning."""


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
S3_FAULTS: Table = {
    "NoSuchKey": ObjectGone,
    "NoSuchVersion": ObjectGone,
    "NoSuchBucket": ObjectGone,
    "InvalidBucketName": ObjectGone,
    "KeyTooLongError": ObjectGone,
    "MethodNotAllowed": ObjectGone,  # GetObject of a version that is a delete marker
    "404": ObjectGone,
    "405": ObjectGone,
    "InvalidObjectState": ObjectRefused,  # archived: somebody must restore it first
    "TemporaryRedirect": Unavailable,  # DNS does not know the new bucket's region yet
    "307": Unavailable,
    # The bucket lies where its own redirect does not lead, as in another partition: an operator sees to it.
    "PermanentRedirect": Unavailable,
    "AuthorizationHeaderMalformed": Unavailable,
    "IllegalLocationConstraintException": Unavailable,
    "301": Unavailable,
    # Only asked for behind the first byte, with If-Match.
    "PreconditionFailed": _Changed,
    "412": _Changed,
    "InvalidRange": _Changed,
    "416": _Changed,
}


# "Invalid version id specified": a notice may name what is none, and nothing else of our requests has a form to miss.
VERSION_FAULTS: Table = {**S3_FAULTS, "InvalidArgument": ObjectGone}

# An answer to HEAD has no body to name a code: a 400 is an expired token's, or a region's that is not named either.
HEAD_FAULTS: Table = {**S3_FAULTS, "400": Unavailable}


class S3Bucket:
    """The ``Bucket`` port over S3. Reads with the task's own credentials, asked for anew each time."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        now_seconds: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._requests = S3Requests(http, endpoints=endpoints, credentials=credentials, now_seconds=now_seconds)
        self._pause = pause

    async def open(self, ref: ObjectRef) -> ObjectBody:
        """Open *ref* for one pass over its stored bytes; the caller closes it.

        Raises, as its chunks do when they must ask again:
            ObjectGone: it or its bucket is not there, or cannot be named.
            ObjectRefused: it lies in an archive.
            AccessRefused: a policy or a key forbids it.
            Unavailable: for now.
        """
        answer = await self.get(ref, {})
        reading = _Reading(ref, answer, self)
        return ObjectBody(last_modified_ms=self.last_modified_ms(answer), chunks=reading, close=reading.close)

    async def describe(self, ref: ObjectRef) -> ObjectFacts:
        """Return what S3 says of *ref*; raises what ``open`` does."""
        _require_key(ref)
        asked = f"HeadObject {ref.uri}"
        with as_ours(HEAD_FAULTS, asked):
            answer = await self._requests.send(
                S3Request(method="HEAD", bucket=ref.bucket, key=ref.key, arguments=version_argument(ref))
            )
            answer.close()
        if answer.status != 200:
            said = Refused(status=answer.status, code="", message="", request_id=request_id(answer))
            raise error_of(said, HEAD_FAULTS, asked)
        return ObjectFacts(
            size_bytes=answer.content_length or 0,
            etag=answer.header("etag"),
            content_type=answer.header("content-type"),
            content_encoding=answer.header("content-encoding"),
        )

    async def get(self, ref: ObjectRef, headers: Mapping[str, str]) -> Answer:
        """Return an answer that holds the object, or with a ``range`` among *headers* perhaps its rest."""
        _require_key(ref)
        asked = f"GetObject {ref.uri}"
        with as_ours(S3_FAULTS, asked):
            answer = await self._requests.send(
                S3Request(
                    method="GET", bucket=ref.bucket, key=ref.key, arguments=version_argument(ref), headers=headers
                )
            )
            if answer.status == 200 or (answer.status == 206 and headers):
                return answer
            try:
                said = await refused(answer)
            finally:
                answer.close()
        raise error_of(said, VERSION_FAULTS if ref.version_id else S3_FAULTS, asked)

    async def continued(self, reading: "_Reading", cut: Unavailable) -> bytes:
        """Return the chunk behind the last one, from a new answer; raise *cut* if there can be none."""
        reading.close()
        headers = reading.continuing()
        if headers is None:
            raise cut

        async def attempt() -> bytes:
            reading.close()
            reading.go_on(await self.get(reading.ref, headers))
            return await reading.next()

        resuming = policy(attempts=RESUME_ATTEMPTS).copy(
            sleep=self._pause, retry=retry_if_exception_type(Unavailable) & retry_if_not_exception_type(_Changed)
        )
        chunk: bytes = await resuming(attempt)
        return chunk

    def last_modified_ms(self, answer: Answer) -> int:
        """Return the header's time; now, where S3 breaks its promise to send one."""
        try:
            return _epoch_ms(answer.header("last-modified"))
        except ValueError:
            return int(self._requests.now_seconds() * 1000)


class _Reading:
    """One pass over one object, chunk by chunk: how far it got, and the answer it is at."""

    def __init__(self, ref: ObjectRef, answer: Answer, bucket: S3Bucket) -> None:
        self.ref = ref
        self._bucket = bucket
        self._etag = answer.header("etag")
        self._expected = answer.content_length  # of the whole object; None: not said
        self._received = 0
        self._to_skip = 0  # bytes of this answer that an earlier one brought
        self._resumes = 0
        self._as_ours = as_ours(S3_FAULTS, self)
        self._take(answer)

    def __repr__(self) -> str:
        return f"<_Reading {self.ref.uri} {self._received} of {self._expected} bytes>"

    def __str__(self) -> str:
        """What was asked for, as an error says it."""
        return f"GetObject {self.ref.uri} after {self._received} of {self._expected} bytes"

    def _take(self, answer: Answer) -> None:
        self._answer = answer
        self._framed = answer.framed

    def close(self) -> None:
        """Let go of the answer; after its last byte its connection is back in the pool, and this does nothing."""
        self._answer.close()

    def __aiter__(self) -> "_Reading":
        return self

    async def __anext__(self) -> bytes:
        """Return the next chunk, from as many answers as it takes."""
        try:
            chunk = await self.next()
        except Unavailable as cut:
            chunk = await self._bucket.continued(self, cut)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def next(self) -> bytes:
        """Return the next chunk; an empty one is the end, and all of the object came."""
        if not self._framed:
            raise Unavailable(f"GetObject {self.ref.uri}: the answer does not say how long it is")
        while True:
            # Only the wait for bytes is ours to translate; the reader's own errors never pass here.
            with self._as_ours:
                chunk = await self._answer.read()
            if not chunk:
                break
            new = chunk[self._to_skip :]
            self._to_skip -= len(chunk) - len(new)
            if new:
                self._received += len(new)
                return new
        if self._to_skip or self._expected not in (None, self._received):
            raise Unavailable(f"GetObject {self.ref.uri}: {self._received} of {self._expected} bytes came")
        return b""

    def continuing(self) -> Mapping[str, str] | None:
        """Return the headers that ask for the rest; ``None`` if it cannot be had, or was asked for too often."""
        self._resumes += 1
        named = self._etag or self.ref.version_id not in ("", "null")
        if not named or self._resumes > MOST_RESUMES:
            return None
        condition = {"if-match": self._etag} if self._etag else {}
        return {"range": f"bytes={self._received}-"} | condition

    def go_on(self, answer: Answer) -> None:
        """Read on in *answer*, which was asked for with the headers of ``continuing``.

        Raises:
            Unavailable: it holds something else.
        """
        self._take(answer)
        self._to_skip = 0
        if answer.status == 200:  # what lies between us and S3 does not know ranges, and perhaps no conditions
            self._require(answer.header("etag") == self._etag, "the whole of another object")
            self._require(answer.content_length in (None, self._expected), "an object of another length")
            self._to_skip = self._received
            return
        said = CONTENT_RANGE.fullmatch(answer.header("content-range"))
        self._require(said is not None and int(said[1]) == self._received, "another range")
        total = int(said[2]) if said is not None and said[2] != "*" else None
        self._require(self._expected is None or total in (None, self._expected), "an object of another length")
        self._expected = self._expected or total

    def _require(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            raise _Changed(
                f"GetObject {self.ref.uri}: asked for its bytes from {self._received} on, S3 sent {otherwise}"
            )


def version_argument(ref: ObjectRef) -> Mapping[str, str]:
    """Return the argument of a query that names *ref*'s version; none for the current one."""
    return {"versionId": ref.version_id} if ref.version_id else {}


@lru_cache(maxsize=1024)
def _epoch_ms(date: str) -> int:
    """Return the time HTTP writes as "Wed, 25 Nov 2026 07:45:25 GMT"; many objects share a second."""
    return int(parsedate_to_datetime(date).timestamp() * 1000)


def _require_key(ref: ObjectRef) -> None:
    """Raise ``ObjectGone`` for what cannot be a key; an empty one would be a request for the bucket."""
    try:
        path = encoded(ref.key)
    except UnicodeEncodeError:
        path = ""
    if not path:
        raise ObjectGone(f"GetObject {ref.uri!r}: no object can have this key")

"""How is a log object read?

    ObjectRef ──► GetObject, hand-signed ──► its stored bytes as they arrive

Nothing on the way inflates: the collectors store gzip under ``Content-Encoding: gzip``. A body that ends too soon
is an error, never an end.
"""

import html
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import aiohttp

from logfanout.aws.endpoints import Endpoint, Endpoints
from logfanout.aws.faults import Refused, Table, as_ours, error_of
from logfanout.aws.http import MOST_ERROR_BYTES, Http
from logfanout.aws.signing import EMPTY_HASH, Scope, Unsigned, encoded, encoded_value, signed
from logfanout.errors import ObjectGone, ObjectRefused, Unavailable
from logfanout.ports import Credentials, ObjectBody, ObjectRef

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
S3_FAULTS: Table = {
    "NoSuchKey": ObjectGone,
    "NoSuchVersion": ObjectGone,
    "NoSuchBucket": ObjectGone,
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
}


class S3Bucket:
    """The ``Bucket`` port over S3. Reads with the task's own credentials, asked for anew each time."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._endpoints = endpoints
        self._credentials = credentials
        self._now_seconds = now_seconds
        self._regions: dict[str, str] = {}  # of buckets that turned out to lie elsewhere

    @asynccontextmanager
    async def open(self, ref: ObjectRef) -> AsyncIterator[ObjectBody]:
        """Open *ref* for one pass over its stored bytes.

        Raises:
            ObjectGone: it or its bucket is not there, or cannot be named.
            ObjectRefused: it lies in an archive.
            AccessRefused: a policy or a key forbids it.
            Unavailable: for now.
        """
        with as_ours(S3_FAULTS, f"GetObject {ref.uri}"):
            answer = await self._get(ref)
        chunks = _chunks(answer, ref)
        try:
            yield ObjectBody(last_modified_ms=self._last_modified_ms(answer), chunks=chunks)
        finally:
            await chunks.aclose()
            answer.close()  # after the last byte the connection is back in the pool, and this does nothing

    async def _get(self, ref: ObjectRef) -> aiohttp.ClientResponse:
        """Send the request, a second time if the bucket says it lives elsewhere."""
        answer = await self._send(ref, await self._endpoint(ref.bucket))
        if answer.status in (301, 400) and self._has_moved(ref.bucket, answer):
            answer.close()
            answer = await self._send(ref, await self._endpoint(ref.bucket))
        if answer.status == 200:
            return answer
        try:
            refused = await _refused(answer)
        finally:
            answer.close()
        raise error_of(refused, S3_FAULTS, f"GetObject {ref.uri}")

    async def _endpoint(self, bucket: str) -> Endpoint:
        return await self._endpoints.of_bucket(bucket, region=self._regions.get(bucket, ""))

    async def _send(self, ref: ObjectRef, endpoint: Endpoint) -> aiohttp.ClientResponse:
        path = _encoded_key(ref)
        query = f"versionId={encoded_value(ref.version_id)}" if ref.version_id else ""
        headers = signed(
            Unsigned(
                method="GET",
                host=endpoint.host,
                path=f"{endpoint.path.rstrip('/')}/{path}",
                query=query,
                headers={},
                body_hash=EMPTY_HASH,
            ),
            by=await self._credentials(),
            scope=Scope(region=endpoint.region, service="s3"),
            at_seconds=self._now_seconds(),
        )
        url = f"{endpoint.url}/{path}?{query}" if query else f"{endpoint.url}/{path}"
        return await self._http.get(url, headers=headers, proxy=endpoint.proxy)

    def _has_moved(self, bucket: str, answer: aiohttp.ClientResponse) -> bool:
        """Whether *answer* names a region we did not ask; remember it."""
        named = answer.headers.get("x-amz-bucket-region", "")
        if named in ("", self._regions.get(bucket, self._endpoints.region)):
            return False
        self._regions[bucket] = named
        return True

    def _last_modified_ms(self, answer: aiohttp.ClientResponse) -> int:
        """Return the header's time; now, where S3 breaks its promise to send one."""
        try:
            return int(parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp() * 1000)
        except (KeyError, ValueError):
            return int(self._now_seconds() * 1000)


async def _chunks(answer: aiohttp.ClientResponse, ref: ObjectRef) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes; raise ``Unavailable`` unless all of it came."""
    expected = answer.content_length
    if expected is None and answer.headers.get("Transfer-Encoding", "").lower() != "chunked":
        raise Unavailable(f"GetObject {ref.uri}: the answer does not say how long it is")
    received = 0
    stream = answer.content.iter_any()
    while True:
        # Only the wait for bytes is ours to translate; what the reader raises passes through the yield untouched.
        with as_ours(S3_FAULTS, f"GetObject {ref.uri} after {received} of {expected} bytes"):
            chunk = await anext(stream, b"")
        if not chunk:
            break
        received += len(chunk)
        yield chunk
    if expected not in (None, received):
        raise Unavailable(f"GetObject {ref.uri}: {received} of {expected} bytes came")


def _encoded_key(ref: ObjectRef) -> str:
    """Return the key as its path; never an empty one, which would be a request for the bucket."""
    try:
        path = encoded(ref.key)
    except UnicodeEncodeError:
        path = ""
    if not path:
        raise ObjectGone(f"GetObject {ref.uri!r}: no object can have this key")
    return path


async def _refused(answer: aiohttp.ClientResponse) -> Refused:
    """Read an error document, ``<Error><Code>…``; it may be absent, or a proxy's HTML."""
    body = (await answer.content.read(MOST_ERROR_BYTES)).decode(errors="replace")
    code = _element("Code", body)
    if code == "PermanentRedirect" or answer.status == 301:
        named = _element("Endpoint", body)
        body = f"<Message>the bucket lies in another region or partition{', at ' if named else ''}{named}</Message>"
    return Refused(
        status=answer.status,
        code=code,
        message=_element("Message", body),
        request_id=answer.headers.get("x-amz-request-id", ""),
    )


def _element(name: str, document: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", document)
    return html.unescape(found[1]) if found else ""

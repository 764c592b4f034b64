"""How does one S3 request reach the bucket it is for?

    method, bucket, key, headers ──► signed for where the bucket lies ──► an answer still open

Hand-signed, with the task's own credentials. S3 tells where a bucket lies that is not where we asked; that is followed
once, and remembered.
"""

import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import aiohttp

from logfanout.aws.endpoints import Endpoint, Endpoints
from logfanout.aws.faults import Refused
from logfanout.aws.http import MOST_ERROR_BYTES, Http
from logfanout.aws.signing import EMPTY_HASH, Scope, Unsigned, encoded, encoded_value, signed
from logfanout.ports import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """What to ask S3 for. Raises ``UnicodeEncodeError`` when made with a key that no object can have."""

    method: str  # GET or PUT
    bucket: str
    key: str
    version_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names; all are signed
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The key as it goes on the wire."""
        return encoded(self.key)

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return f"versionId={encoded_value(self.version_id)}" if self.version_id else ""


class S3Requests:
    """Sends requests to any bucket. What it raises is aiohttp's or ``TimeoutError``, but for a bucket's name."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self.now_seconds = now_seconds
        self._http = http
        self._endpoints = endpoints
        self._credentials = credentials
        self._regions: dict[str, str] = {}  # of buckets that turned out to lie elsewhere

    async def send(self, request: S3Request) -> aiohttp.ClientResponse:
        """Return the answer, whatever its status; the caller closes it.

        Raises:
            ObjectGone: nothing can be the bucket's name.
        """
        answer = await self._send(request)
        if answer.status in (301, 400) and self._has_moved(request.bucket, answer):
            answer.close()
            answer = await self._send(request)
        return answer

    async def _send(self, request: S3Request) -> aiohttp.ClientResponse:
        endpoint = await self._endpoints.of_bucket(request.bucket, region=self._regions.get(request.bucket, ""))
        headers = signed(
            _unsigned(request, endpoint),
            by=await self._credentials(),
            scope=Scope(region=endpoint.region, service="s3"),
            at_seconds=self.now_seconds(),
        )
        url = f"{endpoint.url}/{request.path}"
        url = f"{url}?{request.query}" if request.query else url
        if request.method == "PUT":
            return await self._http.put(url, headers=headers, body=request.body, proxy=endpoint.proxy)
        return await self._http.get(url, headers=headers, proxy=endpoint.proxy)

    def _has_moved(self, bucket: str, answer: aiohttp.ClientResponse) -> bool:
        """Whether *answer* names a region we did not ask; remember it."""
        named = answer.headers.get("x-amz-bucket-region", "")
        if named in ("", self._regions.get(bucket, self._endpoints.region)):
            return False
        self._regions[bucket] = named
        return True


def _unsigned(request: S3Request, endpoint: Endpoint) -> Unsigned:
    return Unsigned(
        method=request.method,
        host=endpoint.host,
        path=f"{endpoint.path.rstrip('/')}/{request.path}",
        query=request.query,
        headers=request.headers,
        body_hash=sha256(request.body).hexdigest() if request.body else EMPTY_HASH,
    )


async def refused(answer: aiohttp.ClientResponse) -> Refused:
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

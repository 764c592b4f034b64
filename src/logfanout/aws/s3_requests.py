"""How does one S3 request reach the bucket it is for?

    method, bucket, key, headers ──► signed for where the bucket lies ──► an answer still open

Hand-signed, with the task's own credentials unless others are given. S3 tells where a bucket lies that is not where we
asked; that is followed once, and remembered.
"""

import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

import msgspec

from logfanout.aws.endpoints import Endpoint, Endpoints
from logfanout.aws.exchanges import Answer
from logfanout.aws.faults import Refused
from logfanout.aws.http import MOST_ERROR_BYTES, Http
from logfanout.aws.signing import EMPTY_HASH, Scope, Unsigned, encoded, encoded_value, signed
from logfanout.ports import Credentials


class S3Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask S3 for. Raises ``UnicodeEncodeError`` when made with a key that no object can have."""

    method: str
    bucket: str
    key: str
    region: str = ""  # where the bucket should lie; empty: the worker's
    arguments: Mapping[str, str] = msgspec.field(default_factory=dict)  # of the query
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)  # lower-case names; all are signed
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<S3Request {self.method} s3://{self.bucket}/{self.key}>"

    @property
    def path(self) -> str:
        """The key as it goes on the wire."""
        return encoded(self.key)

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        if not self.arguments:
            return ""
        return "&".join(f"{name}={encoded_value(value)}" for name, value in sorted(self.arguments.items()))


class S3Requests:
    """Sends requests to any bucket. What it raises is ``OSError`` or ``TimeoutError``, but for a bucket's name."""

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

    async def send(self, request: S3Request, *, by: Credentials | None = None) -> Answer:
        """Return the answer, whatever its status; the caller closes it. *by* signs instead of the task itself.

        Raises:
            ObjectGone: nothing can be the bucket's name.
        """
        answer = await self._send(request, by)
        if answer.status in (301, 307, 400) and self._has_moved(request, answer):
            answer.close()
            answer = await self._send(request, by)
        return answer

    async def _send(self, request: S3Request, by: Credentials | None) -> Answer:
        region = self._regions.get(request.bucket, request.region)
        endpoint = await self._endpoints.of_bucket(request.bucket, region=region)
        unsigned = _unsigned(request, endpoint)
        headers = signed(
            unsigned,
            by=by or await self._credentials(),
            scope=Scope(region=endpoint.region, service="s3"),
            at_seconds=self.now_seconds(),
        )
        url = f"{endpoint.url}/{request.path}"
        url = f"{url}?{unsigned.query}" if unsigned.query else url
        return await self._http.request(request.method, url, headers=headers, body=request.body, proxy=endpoint.proxy)

    def _has_moved(self, request: S3Request, answer: Answer) -> bool:
        """Whether *answer* names a region we did not ask; remember it."""
        named = answer.header("x-amz-bucket-region")
        if named in ("", self._regions.get(request.bucket, request.region or self._endpoints.region)):
            return False
        self._regions[request.bucket] = named
        return True


def _unsigned(request: S3Request, endpoint: Endpoint) -> Unsigned:
    return Unsigned(
        method=request.method,
        host=endpoint.host,
        path=f"{endpoint.path.rstrip('/')}/{request.path}",
        query=request.query,
        # S3 reads repeated spaces as one when it checks a signature. A pod's name or an object's type may have some.
        headers={name: " ".join(value.split()) for name, value in request.headers.items()},
        body_hash=sha256(request.body).hexdigest() if request.body else EMPTY_HASH,
    )


async def refused(answer: Answer) -> Refused:
    """Read an error document, ``<Error><Code>…``; it may be absent, or a proxy's HTML."""
    return refusal(answer, (await answer.beginning(MOST_ERROR_BYTES)).decode(errors="replace"))


def refusal(answer: Answer, body: str) -> Refused:
    """Return what *answer* says with *body*, which holds an error though the status may be 200."""
    code = element("Code", body)
    if code == "PermanentRedirect" or answer.status == 301:
        named = element("Endpoint", body)
        body = f"<Message>the bucket lies in another region or partition{', at ' if named else ''}{named}</Message>"
    return Refused(
        status=answer.status,
        code=code,
        message=element("Message", body),
        request_id=request_id(answer),
    )


def request_id(answer: Answer) -> str:
    """Return what AWS's support asks for."""
    return answer.header("x-amz-request-id")


def element(name: str, document: str) -> str:
    """Return the text of the first element called *name* in an answer of S3's; empty if there is none."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", document)
    return html.unescape(found[1]) if found else ""

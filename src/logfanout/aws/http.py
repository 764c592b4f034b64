"""Over which connections do the hand-signed requests go?

    signed headers, body ──► one pool for all tenants ──► Reply, or an answer still open

Credentials differ by request, connections do not. No retries, no redirects, no cookies, no inflating: whoever calls
knows better.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.payload import BytesPayload, Payload
from yarl import URL

from logfanout import __version__

# More than the default settings can have in flight, and well below a container's 1,024 descriptors.
MOST_CONNECTIONS = 256
# A connection kept longer is often closed by AWS just when we use it; this is aiobotocore's figure too.
KEEP_IDLE_SECONDS = 12.0
# AWS's front ends accept within milliseconds; a region away it takes a second when a SYN is lost.
CONNECT_SECONDS = 5.0
# No byte for so long means that the connection is dead. PutLogEvents answers a full batch within a second or two.
ANSWER_SECONDS = 30.0
STREAM_SECONDS = 60.0
# aiohttp stops reading above twice this much: fewer, larger chunks cost less for each byte.
READ_BUFFER_BYTES = 256 * 1024
MOST_ERROR_BYTES = 64 * 1024  # AWS's error documents have some hundred

ANSWER_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=STREAM_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer."""

    status: int
    request_id: str
    body: bytes


class Http:
    """The pool. What its methods raise is aiohttp's or ``TimeoutError``; ``faults.as_ours`` translates."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"<Http {'closed' if self._session.closed else 'open'}>"

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, proxy: str | None = None) -> Reply:
        """Send *body* and return the whole answer, whatever its status."""
        async with self._session.post(
            URL(url, encoded=True),
            headers=headers,
            data=_Body(body),
            proxy=proxy,
            allow_redirects=False,
            timeout=ANSWER_TIMEOUT,
        ) as answer:
            return Reply(
                status=answer.status,
                request_id=answer.headers.get("x-amzn-RequestId", ""),
                body=await answer.read(),
            )

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", proxy: str | None = None
    ) -> aiohttp.ClientResponse:
        """Return the answer, whatever its status, with its body still on the wire; the caller closes it."""
        return await self._session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=_Body(body) if body else None,
            proxy=proxy,
            allow_redirects=False,
            timeout=ANSWER_TIMEOUT if body else STREAM_TIMEOUT,
        )


class _Body(BytesPayload):
    """Bytes of any length. aiohttp's own warns from 1 MiB on, and a full batch's JSON is longer than that."""

    def __init__(self, value: bytes) -> None:
        Payload.__init__(self, value, content_type=None)
        self._size = len(value)

    async def write_with_length(self, writer: aiohttp.abc.AbstractStreamWriter, content_length: int | None) -> None:
        """Write all of it: what aiohttp counted as its length is just that, and a slice would be a copy."""
        await writer.write(self._value)


@asynccontextmanager
async def open_http(*, trust: ssl.SSLContext) -> AsyncIterator[Http]:
    """Open the pool for the length of the block."""
    connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=KEEP_IDLE_SECONDS, ssl=trust)
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"logfanout/{__version__}", "Accept-Encoding": "identity"},
        skip_auto_headers=("Accept", "Content-Type"),
        read_bufsize=READ_BUFFER_BYTES,
        trust_env=False,  # proxies come with the endpoint, looked up once; ~/.netrc is none of ours
    ) as session:
        yield Http(session)

"""Over which connections do the hand-signed requests go?

    signed headers, body ──► one pool for all tenants ──► Reply, or an answer still open

Credentials differ by request, connections do not. No retries but of a connection that ended while it was idle, no
redirects, no cookies, no inflating: whoever calls knows better.
"""

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import msgspec

from logfanout import __version__
from logfanout.aws.exchanges import Answer, Connection
from logfanout.places import Places

# More than the default settings can have in flight, and well below a container's 1,024 descriptors.
MOST_CONNECTIONS = 256
# A connection kept longer is often closed by AWS just when we use it; this is aiobotocore's figure too.
KEEP_IDLE_SECONDS = 12.0
# AWS's front ends accept within milliseconds; a region away it takes a second when a SYN is lost.
CONNECT_SECONDS = 5.0
# No byte for so long means that the connection is dead. PutLogEvents answers a full batch within a second or two, and
# a long poll within its twenty seconds.
ANSWER_SECONDS = 30.0
STREAM_SECONDS = 60.0
SWEEP_SECONDS = 1.0  # how often deadlines are looked at; a timer a request would cost more than the requests it ends
MOST_ERROR_BYTES = 64 * 1024  # AWS's error documents have some hundred

COMMON_HEADERS = f"user-agent: logfanout/{__version__}\r\naccept-encoding: identity\r\n"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    status: int
    request_id: str
    body: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Origin:
    """Whom a connection is to, and through whom; compared by identity, see ``_origin``."""

    scheme: str
    authority: str  # host, and port where it is not the scheme's own
    proxy: str | None


class Http:
    """The pool. What its methods raise is ``OSError`` or ``TimeoutError``; ``faults.as_ours`` translates."""

    def __init__(self, *, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._idle: dict[_Origin, deque[Connection]] = {}
        self._busy: dict[Connection, _Origin] = {}
        self._places = Places(MOST_CONNECTIONS)

    def __repr__(self) -> str:
        return f"<Http {len(self._busy)} connections busy, {sum(map(len, self._idle.values()))} idle>"

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, proxy: str | None = None) -> Reply:
        """Send *body* and return the whole answer, whatever its status."""
        answer = await self._exchanged("POST", url, headers, body, proxy, whole=True)
        return Reply(status=answer.status, request_id=answer.header("x-amzn-requestid"), body=await answer.whole())

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", proxy: str | None = None
    ) -> Answer:
        """Return the answer, whatever its status, with its body still on the wire; the caller closes it."""
        return await self._exchanged(method, url, headers, body, proxy, whole=False)

    async def _exchanged(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, proxy: str | None, *, whole: bool
    ) -> Answer:
        scheme, _, rest = url.partition("://")
        authority, _, target = rest.partition("/")
        origin = _origin(scheme, authority, proxy)
        head = _head(method, target, headers, len(body), origin)
        patience = ANSWER_SECONDS if body else STREAM_SECONDS
        while True:
            connection = await self._taken(origin)
            reused = connection.used
            try:
                return await connection.ask(
                    head, body, patience_seconds=patience, whole=whole, bodiless=method == "HEAD"
                )
            except ConnectionError:
                # It ended while nobody used it. A POST may have been carried out, and its caller knows what that means.
                if not reused or method == "POST":
                    raise

    async def _taken(self, origin: _Origin) -> Connection:
        """Return a connection to *origin*, its place taken: the one that was used last, or a new one."""
        await self._places.enter()
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.closed:
                self._busy[connection] = origin
                return connection
        loop = asyncio.get_running_loop()
        connection = Connection(loop, self._given_back)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connect(connection, origin, loop)
        except BaseException:
            connection.abort()
            self._places.leave()
            raise
        self._busy[connection] = origin
        return connection

    async def _connect(self, connection: Connection, origin: _Origin, loop: asyncio.AbstractEventLoop) -> None:
        trust = self._trust if origin.scheme == "https" else None
        host, port = _host_and_port(origin.scheme, origin.authority)
        if origin.proxy is None:
            await loop.create_connection(lambda: connection, host, port, ssl=trust)
            return
        via = urlsplit(origin.proxy)
        trust_via = self._trust if via.scheme == "https" else None
        port_via = via.port or (443 if trust_via else 80)
        transport, _ = await loop.create_connection(lambda: connection, via.hostname or "", port_via, ssl=trust_via)
        if trust is None:
            return  # the proxy reads the whole URL
        answer = await connection.ask(
            f"CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n{_for_proxy(origin.proxy)}\r\n".encode(
                "latin-1"
            ),
            b"",
            patience_seconds=CONNECT_SECONDS,
            whole=False,
        )
        if answer.status != 200:
            raise ConnectionRefusedError(f"the proxy answers {answer.status}")
        connection.tunnel()
        inside = await loop.start_tls(transport, connection, self._trust, server_hostname=host)
        if inside is not None:
            connection.connection_made(inside)

    def _given_back(self, connection: Connection) -> None:
        """Take back *connection*, whose answer is whole or never will be."""
        origin = self._busy.pop(connection, None)
        if origin is None:
            return
        self._places.leave()
        if not connection.closed:
            connection.idle_since = connection.loop.time()
            self._idle.setdefault(origin, deque()).append(connection)

    async def sweep(self) -> None:
        """End what is overdue and close what is idle for long; ends only when cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = loop.time()
            for connection in [each for each in self._busy if 0 < each.deadline <= now]:
                connection.abort(TimeoutError("no byte came for too long"))
            for origin, idle in list(self._idle.items()):
                while idle and (idle[0].closed or idle[0].idle_since <= now - KEEP_IDLE_SECONDS):
                    idle.popleft().abort()
                if not idle:
                    del self._idle[origin]

    def close(self) -> None:
        """End every connection."""
        for connection in [*self._busy, *(each for idle in self._idle.values() for each in idle)]:
            connection.abort()


@lru_cache(maxsize=1024)
def _origin(scheme: str, authority: str, proxy: str | None) -> _Origin:
    """Return the one value of them: connections are found by it several times a request.

    Of more origins than are remembered one may have two: its connections under the first are then closed unused.
    """
    return _Origin(scheme, authority, proxy)


def _host_and_port(scheme: str, authority: str) -> tuple[str, int]:
    parts = urlsplit(f"//{authority}")
    return parts.hostname or "", parts.port or (443 if scheme == "https" else 80)


def _head(method: str, target: str, headers: Mapping[str, str], length: int, origin: _Origin) -> bytes:
    """Return what stands before the body.

    Raises:
        ValueError: a header or the URL holds a line's end, and with it perhaps another request.
    """
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if "host" not in headers:
        lines.append(f"host: {origin.authority}")
    if method not in ("GET", "HEAD"):
        lines.append(f"content-length: {length}")
    extra = ""
    if origin.proxy is not None and origin.scheme == "http":
        target, extra = f"http://{origin.authority}/{target}", _for_proxy(origin.proxy)
    else:
        target = f"/{target}"
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or "\n" in target or " " in target:
        raise ValueError("a request's URL or headers cannot hold line ends")
    return f"{method} {target} HTTP/1.1\r\n{COMMON_HEADERS}{extra}{text}\r\n\r\n".encode("latin-1")


def _for_proxy(proxy: str) -> str:
    """Return the header that lets us use *proxy*, if its URL names a user."""
    via = urlsplit(proxy)
    if not via.username:
        return ""
    user = f"{unquote(via.username)}:{unquote(via.password or '')}"
    return f"proxy-authorization: Basic {b64encode(user.encode()).decode()}\r\n"


@asynccontextmanager
async def open_http(*, trust: ssl.SSLContext) -> AsyncIterator[Http]:
    """Open the pool for the length of the block."""
    http = Http(trust=trust)
    sweeper = asyncio.create_task(http.sweep(), name="sweep connections")
    try:
        yield http
    finally:
        sweeper.cancel()
        http.close()
        await asyncio.gather(sweeper, return_exceptions=True)
        await asyncio.sleep(0)  # for the transports to close their sockets

"""How does one HTTP/1.1 request get its answer over one connection?

    Connection.ask ──► bytes written ──► llhttp (httptools) reads ──► Answer: status, headers, then its body

Only what AWS's services need: one request at a time, no pipelining, no redirects, no cookies, no inflating. aiohttp's
client does all that is left out, and took a quarter of the processor time of small objects; see docs/performance.md.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

# Reading stops at so much that nobody has taken yet: fewer, larger chunks cost less for each byte.
MOST_BUFFERED_BYTES = 512 * 1024
MOST_HEAD_BYTES = 64 * 1024  # AWS's answers have some hundred bytes of headers
_HEAD_END = b"\r\n\r\n"  # llhttp takes no other (RFC 9112, 2.2, would allow a bare LF)


class Answer:
    """One answer; its body may still be on the wire."""

    __slots__ = ("_connection", "_head", "_lines", "_parts", "_waiter", "done", "error", "status")

    def __init__(self, connection: "Connection") -> None:
        self.status = 0
        self.done = False
        self.error: Exception | None = None
        self._connection = connection
        self._head = self._lines = b""
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {'whole' if self.done else 'under way'}>"

    def header(self, name: str) -> str:
        """Return the header called *name*, which is in lower case; of one that is repeated the last, empty for none."""
        line = b"\n%b:" % name.encode("latin-1")
        if (at := self._lines.rfind(line)) < 0:
            return ""
        begin = at + len(line)
        return self._head[begin : self._head.find(b"\r", begin)].strip(b" \t").decode("latin-1")

    @property
    def content_length(self) -> int | None:
        """How many bytes the body has; ``None``: it is not said."""
        length = self.header("content-length")
        return int(length) if length.isdecimal() else None

    @property
    def framed(self) -> bool:
        """Whether the answer says where it ends, so that one cut short is told from a whole one."""
        return self.content_length is not None or self.header("transfer-encoding").lower() == "chunked"

    async def read(self) -> bytes:
        """Return what has come of the body, once something has; nothing more comes behind an empty part.

        Raises:
            ConnectionError: the connection ended before the body did.
            TimeoutError: no byte came for too long.
        """
        while not self._parts:
            if self.error is not None:
                raise self.error
            if self.done:
                return b""
            await self._more()
        part = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._connection.drained(self)
        return part

    async def whole(self) -> bytes:
        """Return all of the body that no one has taken yet; raises as ``read`` does."""
        while not self.done:
            if self.error is not None:
                raise self.error
            await self._more()
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    async def beginning(self, most: int) -> bytes:
        """Return the first *most* bytes of the body, or all of it."""
        found = b""
        while len(found) < most and (part := await self.read()):
            found += part
        return found[:most]

    def close(self) -> None:
        """Let go of the answer: what has not come yet is not waited for, and its connection not used again."""
        if not self.done:
            self._connection.abort()

    async def _more(self) -> None:
        self._waiter = self._connection.loop.create_future()
        self._connection.expect()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take_head(self, head: bytes) -> None:
        """Take the status line and the headers as they came; the parser has found them in order.

        Few of them are ever looked at: to have the parser hand out each took ten times as long.
        """
        self._head, self._lines = head, head.lower()

    def tell(self) -> None:
        """Wake who waits for more."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """One connection: asked once at a time, and given back to its pool when the answer is whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop, given_back: Callable[["Connection"], None]) -> None:
        self.loop = loop
        self.closed = False
        self.used = False  # whether it has answered before: a fresh one that ends says more than an old one
        self.deadline = 0.0  # loop time by which the next byte must have come; 0: none is waited for
        self.idle_since = 0.0
        self._given_back = given_back
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: Answer | None = None
        self._head: asyncio.Future[Answer] | None = None
        self._whole = self._bodiless = False
        self._keep = True
        self._buffered = 0
        self._coming: bytes | None = None  # what came of the headers while they are not complete
        self._patience = 0.0
        self._paused = False

    def __repr__(self) -> str:
        return f"<Connection {'closed' if self.closed else 'asked' if self._answer else 'idle'}>"

    async def ask(
        self, head: bytes, body: bytes, *, patience_seconds: float, whole: bool, bodiless: bool = False
    ) -> Answer:
        """Send a request and return its answer once its headers are there, or with *whole* its body too.

        *bodiless*: it is a HEAD, whose answer's headers tell of a body that does not follow (RFC 9110, 9.3.2).

        Raises:
            ConnectionError: the connection ended first.
            TimeoutError: no byte came for *patience_seconds*.
        """
        transport = self._transport
        if transport is None or self.closed:
            self._given_back(self)
            raise ConnectionResetError("the connection is closed")
        self._answer = answer = Answer(self)
        self._head = waiter = self.loop.create_future()
        self._whole, self._keep, self._bodiless = whole, True, bodiless
        self._buffered, self._coming = 0, b""
        self._parser = httptools.HttpResponseParser(self)
        self._patience = patience_seconds
        self.expect()
        transport.writelines((head, body)) if body else transport.write(head)
        try:
            await waiter
        except BaseException:  # cancelled too: an answer may still come, and must not be the next request's
            self.abort()
            raise
        return answer

    def expect(self) -> None:
        """Begin to wait for the next byte."""
        self.deadline = self.loop.time() + self._patience

    def drained(self, answer: Answer) -> None:
        """Note that all that came of *answer* has been taken."""
        if answer is not self._answer:  # it is whole, and the connection perhaps at another
            return
        self._buffered = 0
        if self._paused and self._transport is not None and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def tunnel(self) -> None:
        """Note that what follows is not the answer to CONNECT but what lies behind the proxy."""
        self._answer = self._parser = None
        self.deadline, self.used = 0.0, False

    def abort(self, error: Exception | None = None) -> None:
        """End the connection at once; *error* is what those hear who wait for it."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()
        self._fail(error or ConnectionAbortedError("the connection was let go"))

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; after ``start_tls`` another one."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._parser is None or self._answer is None:  # nobody asked: whatever it is, it is no answer
            self.abort()
            return
        if self.deadline:
            self.deadline = self.loop.time() + self._patience
        if self._coming is not None:
            self._coming += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.abort(ConnectionError(f"the answer is not HTTP: {type(error).__name__}"))
            return
        if self._coming is not None and len(self._coming) > MOST_HEAD_BYTES:
            self.abort(ConnectionError(f"the answer's headers are over {MOST_HEAD_BYTES} bytes"))
        elif self._buffered and self._answer is not None:
            self._body_arrived(self._answer)

    def _body_arrived(self, answer: Answer) -> None:
        if self._whole:
            return
        self.deadline = 0.0  # how long the reader takes is not the sender's fault
        answer.tell()
        if self._buffered > MOST_BUFFERED_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self.closed = True
        answer = self._answer
        if answer is not None and answer.status and not answer.framed and exc is None:
            self.on_message_complete()  # its end is the connection's
            return
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError("the connection ended too soon"))

    # What the parser tells.

    def on_headers_complete(self) -> None:
        """Hand the answer out, unless its body is wanted too."""
        answer, parser = self._answer, self._parser
        if answer is None or parser is None:
            return
        status = parser.get_status_code()
        coming = self._coming or b""
        end = coming.find(_HEAD_END) + len(_HEAD_END)
        if status < 200:  # 100 Continue and its like: the answer is still to come
            self._coming = coming[end:]
            return
        self._coming = None
        answer.take_head(coming[:end])
        answer.status = status
        self._keep = parser.should_keep_alive()
        if self._bodiless:
            self.on_message_complete()
        elif not self._whole:
            self._hand_out(answer)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._answer is not None:
            self._answer._parts.append(body)  # noqa: SLF001  the two are one
            self._buffered += len(body)

    def on_message_complete(self) -> None:
        """The answer is whole: the connection may be used for the next."""
        answer = self._answer
        if answer is None or not answer.status:
            return
        answer.done = True
        if self._head is not None:
            self._hand_out(answer)
        answer.tell()
        self._answer = self._parser = None
        self.deadline, self.used = 0.0, True
        if self._paused and self._transport is not None and not self.closed:
            self._paused = False
            self._transport.resume_reading()
        if not self._keep and not self.closed:
            self.closed = True
            if self._transport is not None:
                self._transport.close()
        self._given_back(self)

    def _hand_out(self, answer: Answer) -> None:
        if self._head is not None and not self._head.done():
            self._head.set_result(answer)
            self.deadline = 0.0
        self._head = None

    def _fail(self, error: Exception) -> None:
        answer, self._answer, self._parser = self._answer, None, None
        self.deadline = 0.0
        if answer is None:
            return
        answer.error = error
        if self._head is not None and not self._head.done():
            self._head.set_exception(error)
        self._head = None
        answer.tell()
        self._given_back(self)

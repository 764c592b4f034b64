"""What would AWS answer, byte for byte?

    adapter ──► TCP on loopback ──► Site: notes the request as it came, plays the next answer

For the faults that neither a fake of a port nor an emulator has: cut bodies, resets, empty 503s, proxies' HTML.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

MOST_HEADER_BYTES = 2**22  # keys and tokens make long ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def access_key(self) -> str:
        """Whose signature it bears."""
        return self.headers["authorization"].split("Credential=")[1].split("/")[0]

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to send, and where to stop."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of the body; then the connection closes
    reset: bool = False  # no answer at all

    def wire(self) -> bytes:
        """The answer's bytes."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + self.body[: self.cut_after]


class Site:
    """A server that plays answers in order, then repeats the last one."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self._answers: deque[Answer] = deque()
        self._rule: Callable[[Request], Answer] | None = None

    def play(self, *answers: Answer) -> None:
        """Answer so, in this order."""
        self._answers.extend(answers)

    def rule(self, rule: Callable[[Request], Answer]) -> None:
        """Let *rule* answer."""
        self._rule = rule

    def json(self, body: Any, *, status: int = 200, **headers: str) -> None:
        """Answer with JSON."""
        self.play(Answer(status=status, body=json.dumps(body).encode(), headers=headers))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                answer = self._next(request)
                if not answer.reset:
                    writer.write(answer.wire())
                    await writer.drain()
                if answer.reset or answer.cut_after is not None:
                    break
        writer.close()

    def _next(self, request: Request) -> Answer:
        if self._rule is not None:
            return self._rule(request)
        return self._answers.popleft() if len(self._answers) > 1 else self._answers[0]


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method=method, target=target, headers=headers, body=body)


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    """Serve a site on a free port of loopback for the length of the block."""
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, limit=MOST_HEADER_BYTES)
    site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        server.close()

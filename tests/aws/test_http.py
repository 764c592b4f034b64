"""Are connections used again, never for the wrong answer, and told apart when they fail?"""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from logfanout.aws import exchanges, http
from logfanout.aws.http import Http, open_http

Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the next of some scripts; a script is what to write, and ``None`` closes."""

    def __init__(self, *scripts: Sequence[bytes | None]) -> None:
        self.scripts = list(scripts)
        self.heads: list[str] = []
        self.asked = asyncio.Queue[str]()
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                self.asked.put_nowait(head)
                lengths = [
                    line.split(":")[1] for line in head.lower().splitlines() if line.startswith("content-length")
                ]
                await reader.readexactly(int(lengths[0]) if lengths else 0)
                for part in self.scripts.pop(0):
                    if part is None:
                        return
                    writer.write(part)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(*scripts: Sequence[bytes | None], trust: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run a server for the block."""
    server = Server(*scripts)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=trust) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        yield server


async def parts_of(answer: exchanges.Answer) -> list[bytes]:
    """Return an answer's whole body, part by part."""
    parts = []
    while part := await answer.read():
        parts.append(part)
    return parts


async def body_of(answer: exchanges.Answer) -> bytes:
    """Return an answer's whole body."""
    return b"".join(await parts_of(answer))


async def test_a_connection_serves_one_request_after_the_other(http: Http) -> None:
    """A reply and a stream alike leave it for the next."""
    async with serving([OK], [OK], [OK]) as server:
        reply = await http.post(f"{server.url}/", headers={"x-a": "1"}, body=b"abc")
        assert (reply.status, reply.body) == (200, b"ok")
        assert await body_of(await http.request("GET", f"{server.url}/b/k?versionId=1", headers={})) == b"ok"
        assert (await http.post(server.url, headers={}, body=b"")).status == 200
    assert server.connections == 1
    assert [head.split(" HTTP")[0] for head in server.heads] == ["POST /", "GET /b/k?versionId=1", "POST /"]
    first = server.heads[0].lower()
    assert "content-length: 3\r\n" in first
    assert "accept-encoding: identity\r\n" in first
    assert f"host: 127.0.0.1:{server.port}\r\n" in first


async def test_head_has_no_body_though_its_answer_tells_of_one(http: Http) -> None:
    """Its connection is left for the next request, which gets its own answer."""
    told = b"HTTP/1.1 200 OK\r\nContent-Length: 4711\r\nETag: x\r\n\r\n"
    missing = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving([told], [missing], [OK]) as server:
        answer = await http.request("HEAD", f"{server.url}/b/k", headers={})
        assert (answer.status, answer.content_length, answer.header("etag")) == (200, 4711, "x")
        assert await body_of(answer) == b""
        assert (await http.request("HEAD", f"{server.url}/b/k", headers={})).status == 404
        assert (await http.post(server.url, headers={}, body=b"")).body == b"ok"
    assert server.connections == 1
    assert "content-length" not in server.heads[0].lower()


@pytest.mark.parametrize(
    "script",
    [
        [
            (
                b"HTTP/1.1 103 Early Hints\r\netag: early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nETAG: first\r\n"
                b'x-of: etag: inner\r\nETag:\t "an \xe9" \r\nx-amz-request-id:\r\nContent-Length: 2\r\n\r\net'
            )
        ],
        [
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r",
            b"\nHTTP/1.1 200 OK\r\nE",
            b'TAG: first\r\netag: "an ',
            b'\xe9"\r',
            b"\nx-amz-request-id: \r\ncontent-length:2\r\n\r",
            b"\net",
        ],
    ],
)
async def test_a_header_is_looked_up(http: Http, script: list[bytes | None]) -> None:
    """By its name, however that is written; of a repeated one the last, and none of an interim answer's or the body."""
    async with serving(script) as server:
        answer = await http.request("GET", server.url, headers={})
        assert await body_of(answer) == b"et"
    assert (answer.header("etag"), answer.content_length) == ('"an \xe9"', 2)
    assert [answer.header(name) for name in ("link", "x-amz-request-id", "http/1.1 200 ok", "tag", "absent")] == [
        ""
    ] * 5


async def test_requests_side_by_side_have_a_connection_each(http: Http) -> None:
    """Nobody gets another's answer."""
    scripts = [[b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % n] for n in range(8)]
    async with serving(*scripts) as server:
        replies = await asyncio.gather(*(http.post(server.url, headers={}, body=b"") for _ in range(8)))
    assert sorted(reply.body for reply in replies) == [b"%d" % n for n in range(8)]


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"cde"],
        [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 5\r\n", b"\r\n", b"abcde"],
        [b"HTTP/1.0 200 OK\r\n\r\nabcde", None],
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde"],
    ],
)
async def test_an_answer_ends_where_it_says(http: Http, script: list[bytes | None]) -> None:
    """In whatever parts it comes."""
    async with serving(script, script) as server:
        assert (await http.post(server.url, headers={}, body=b"")).body == b"abcde"
        assert await body_of(await http.request("GET", server.url, headers={})) == b"abcde"


@pytest.mark.parametrize(
    "script",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", None],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", None],
        [b"HTTP/1.1 200", None],
        [b"SSH-2.0-OpenSSH\r\n\r\n", None],
        [b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * exchanges.MOST_HEAD_BYTES + b"\r\n", None],
        [None],
    ],
)
async def test_what_ends_too_soon_is_an_error(http: Http, script: list[bytes | None]) -> None:
    """Never a shorter answer; what is no answer at all is one too."""
    async with serving(script, script) as server:
        with pytest.raises(ConnectionError):
            await http.post(server.url, headers={}, body=b"")
        with pytest.raises(ConnectionError):
            await body_of(await http.request("GET", server.url, headers={}))
        assert "0 connections busy, 0 idle" in repr(http)


async def test_a_connection_that_ended_while_idle_is_replaced(http: Http) -> None:
    """Of a request that may be made twice nobody notices; of a POST its caller hears, and knows what it means."""
    closing: list[bytes | None] = [OK, None]
    async with serving(closing, [OK], [OK]) as server:
        await http.post(server.url, headers={}, body=b"")
        await asyncio.sleep(0)  # the end may be known already, or not
        assert await body_of(await http.request("GET", server.url, headers={})) == b"ok"
    assert server.connections == 2


async def test_half_an_answer_is_not_the_next_ones(http: Http) -> None:
    """Closing an answer before its end, or giving up on one, closes its connection."""
    half = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
    async with serving(half, [], [OK]) as server:
        answer = await http.request("GET", server.url, headers={})
        assert await answer.read() == b"abc"
        answer.close()
        given_up = asyncio.create_task(http.post(server.url, headers={}, body=b""))
        await server.asked.get()
        await server.asked.get()
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert (await http.post(server.url, headers={}, body=b"")).body == b"ok"
    assert server.connections == 3


async def test_silence_is_an_error(monkeypatch: pytest.MonkeyPatch, http: Http) -> None:
    """Before the answer and inside it; how long the reader takes counts for nothing."""
    monkeypatch.setattr("logfanout.aws.http.STREAM_SECONDS", 0.0)
    async with serving([], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]) as server:
        with pytest.raises(TimeoutError):
            await http.request("GET", server.url, headers={})


async def test_a_large_answer_waits_for_its_reader(http: Http) -> None:
    """No more of it is in memory than reading ahead is worth."""
    size = 16 * 1024 * 1024
    async with serving([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size]) as server:
        answer = await http.request("GET", server.url, headers={})
        await asyncio.sleep(0.05)
        sizes = [len(part) for part in await parts_of(answer)]
    assert sum(sizes) == size
    assert max(sizes) <= exchanges.MOST_BUFFERED_BYTES + 1024 * 1024


@pytest.mark.parametrize(
    ("path", "headers"), [("/", {"x-a": "1\r\nx-b: 2"}), ("/a b", {}), ("/a\r\nx: 1", {}), ("/", {"x\n": "1"})]
)
async def test_no_header_brings_another(http: Http, path: str, headers: dict[str, str]) -> None:
    """Whoever chose the text, it is refused before anything is sent."""
    with pytest.raises(ValueError, match="line ends"):
        await http.request("GET", f"http://127.0.0.1:1{path}", headers=headers)
    assert "0 connections busy" in repr(http)


async def test_no_more_connections_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest wait for a place; one that could not be opened gives its place back."""
    monkeypatch.setattr(http, "MOST_CONNECTIONS", 2)
    async with serving(*[[OK]] * 6) as server, open_http(trust=ssl.create_default_context()) as pool:
        for _ in range(3):
            with pytest.raises(OSError, match=r"refused|Connect"):
                await pool.post("http://127.0.0.1:1/", headers={}, body=b"")
        replies = await asyncio.gather(*(pool.post(server.url, headers={}, body=b"") for _ in range(6)))
    assert [reply.status for reply in replies] == [200] * 6
    assert server.connections <= 2


async def test_a_proxy_reads_the_whole_address(http: Http) -> None:
    """Of plain HTTP; its user comes from its own address."""
    async with serving([OK]) as server:
        proxy = f"http://user:pa%40ss@127.0.0.1:{server.port}"
        assert (await http.post("http://logs.test/", headers={}, body=b"", proxy=proxy)).body == b"ok"
    assert server.heads[0].startswith("POST http://logs.test/ HTTP/1.1\r\n")
    assert "proxy-authorization: Basic dXNlcjpwYUBzcw==" in server.heads[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    key, made = folder / "key.pem", folder / "certificate.pem"
    key_of = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    asked = ["req", "-x509", *key_of, "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([openssl, *asked, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@asynccontextmanager
async def tunnelling(to: Server) -> AsyncIterator[str]:
    """Run a proxy that opens every tunnel to *to*; yield its address."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"CONNECT localhost:443 HTTP/1.1\r\n")
        there, back = await asyncio.open_connection("127.0.0.1", to.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_tls_directly_and_through_a_tunnel(certificate: tuple[Path, Path]) -> None:
    """With the host's certificate checked both ways, and the same connection used again."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(*certificate)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    async with serving([OK], [OK], [OK], [OK], trust=own) as server, open_http(trust=trust) as pool:
        for _ in range(2):
            assert (await pool.post(f"https://localhost:{server.port}/", headers={}, body=b"x")).body == b"ok"
        async with tunnelling(server) as proxy:
            for _ in range(2):
                assert (await pool.post("https://localhost/", headers={}, body=b"x", proxy=proxy)).body == b"ok"
            with pytest.raises(ssl.SSLCertVerificationError):
                await pool.post(f"https://127.0.0.1:{server.port}/", headers={}, body=b"")
    assert server.connections == 2

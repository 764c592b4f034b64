"""How do calls get to AWS, and what may happen to them on the way?

    HTTP ──► Call ──► faults ──► Logs: the strict double │ all else: the embedded AWS, as it came ──► faults ──► answer

One address for every service (``AWS_ENDPOINT_URL``). Signatures hold the Host header, so it is passed on unchanged.
Without an embedded AWS behind it, only Logs and a trusting STS are served.
"""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, MultiMapping
from yarl import URL

from logfanout.testing.strict_aws import answers, calls, control
from logfanout.testing.strict_aws.answers import Answer, Refused
from logfanout.testing.strict_aws.calls import Call
from logfanout.testing.strict_aws.cloudwatch import CloudWatch
from logfanout.testing.strict_aws.copying import Copying
from logfanout.testing.strict_aws.faults import Delay, Fault, Faults, Hold, Refuse, Reset, Truncate
from logfanout.testing.strict_aws.holdings import Holdings, Put
from logfanout.testing.strict_aws.sessions import Session, Sessions, Signed

# RFC 9110, 7.6.1: a proxy's own business; and what aiohttp reckons itself.
_OF_ONE_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Expect", "Proxy-Connection")
_SESSION_SECONDS = 3600
_CHUNK_BYTES = 256 * 1024


class _Gone(Exception):
    """The connection was cut on purpose; there is nobody left to answer."""


@dataclass(slots=True, kw_only=True)
class StrictAws:
    """AWS on one address, and everything a test wants to know or to spoil of it."""

    url: str
    faults: Faults
    sessions: Sessions
    holdings: Holdings
    session_seconds: int | None = None  # sessions handed out from now on last so long; ``None``: as asked for

    def reset(self) -> None:
        """Forget what arrived, and lift all faults; sessions stay."""
        self.holdings.clear()
        self.faults.lift()


@asynccontextmanager
async def open_strict_aws(
    upstream: str | None = None, *, host: str = "127.0.0.1", port: int = 0, keep_events: bool = True
) -> AsyncIterator[StrictAws]:
    """Serve AWS for the length of the block; *upstream* is the embedded AWS's address, *port* 0 any free one."""
    holdings = Holdings(keep_events=keep_events)
    aws = StrictAws(url="", faults=Faults(), sessions=Sessions(), holdings=holdings)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        trust_env=False,
    ) as http:
        door = _Door(aws, upstream=_Upstream(http, upstream) if upstream else None)
        # A caller who hangs up takes his call with him: else a long poll would go on and hide messages for nobody.
        server = web.Server(door.answer, handler_cancellation=True)
        runner = web.ServerRunner(server, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, backlog=1024)
            await site.start()
            aws.url = f"http://{host}:{runner.addresses[0][1]}"
            yield aws
        finally:
            aws.faults.lift()
            await runner.cleanup()


class _Door:
    """Every request comes through here."""

    def __init__(self, aws: StrictAws, *, upstream: "_Upstream | None") -> None:
        self._aws = aws
        self._upstream = upstream
        self._logs = CloudWatch(aws.holdings)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, unless a fault has it otherwise."""
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await request.content.read()
        call = calls.read(request.method, request.raw_path, request.headers, body)
        if request.path.startswith(control.PATH):
            return _response(control.answer(self._aws, request.method, request.path, body))
        call = call.by(self._aws.sessions.account_of(call.access_key))
        try:
            return await self._answer(request, call, body)
        except _Gone:
            return web.Response()

    async def _answer(self, request: web.BaseRequest, call: Call, body: bytes) -> web.StreamResponse:
        before, after = _by_phase(self._aws.faults.due(call))
        if (instead := await _struck(before, request, call)) is not None:
            return _response(instead)
        if call.service == "logs":
            answer, put = self._of_logs(request, call, body)
        elif self._upstream is None:
            answer, put = self._of_trusting_sts(call), None
        elif call.action == "s3:GetObject":
            return await self._streamed(request, call, after)
        elif call.action == "s3:CopyObject":
            answer, put = await self._copied(request, call), None
        else:
            answer, put = await self._upstream.whole(request, body), None
            if call.action == "sts:AssumeRole" and answer.status == 200:
                answer = self._learned(answer)
        if (instead := await _struck(after, request, call)) is not None:
            return _response(instead)
        response = _response(answer)
        if put is not None:
            await response.prepare(request)
            await response.write_eof()
            put.answered = True
        return response

    def _of_logs(self, request: web.BaseRequest, call: Call, body: bytes) -> tuple[Answer, Put | None]:
        signed = Signed(method=request.method, raw_path=request.raw_path, headers=request.headers, body=body)
        try:
            session = self._aws.sessions.caller(signed)
            return self._logs.answer(call.by(session.account), body)
        except Refused as why:
            return answers.refused(call, why), None

    async def _copied(self, request: web.BaseRequest, call: Call) -> Answer:
        assert self._upstream is not None  # noqa: S101  for the type checker: the caller has looked
        session = self._aws.sessions.find(call.access_key)
        if session is None:  # a user of the platform's own account: the embedded AWS can do that
            return await self._upstream.whole(request, b"")
        return await self._upstream.copying.answer(call, request.headers, session)

    def _learned(self, answer: Answer) -> Answer:
        """Remember the session that is handed out, which may be told to end sooner."""
        text = answer.body.decode()
        if self._aws.session_seconds is not None:
            text = _ending(text, time.time() + self._aws.session_seconds)
        self._aws.sessions.learn(text)
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return Answer(status=200, headers=headers, body=text.encode())

    def _of_trusting_sts(self, call: Call) -> Answer:
        """Hand out any role to anybody, where no embedded AWS is asked to."""
        if call.action != "sts:AssumeRole":
            return answers.refused(call, Refused("InvalidAction", f"{call.action}: no AWS is behind this door"))
        session = Session(
            access_key=f"ASIA{uuid4().hex[:16].upper()}",
            secret=uuid4().hex,
            token=uuid4().hex,
            account=call.account,
            arn=call.resource.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session",
            expires_seconds=time.time() + (self._aws.session_seconds or _SESSION_SECONDS),
        )
        self._aws.sessions.add(session)
        return _assumed(session)

    async def _streamed(self, request: web.BaseRequest, call: Call, after: list[Fault]) -> web.StreamResponse:
        """Pass an object on as it comes, or as much of it as a fault lets through."""
        assert self._upstream is not None  # noqa: S101  for the type checker: the caller has looked
        async with self._upstream.opened(request, b"") as given:
            if (instead := await _struck(after, request, call)) is not None:
                return _response(instead)
            share = min((f.effect.share for f in after if isinstance(f.effect, Truncate)), default=1.0)
            left = int((given.content_length or 0) * share) if share < 1.0 else None
            response = web.StreamResponse(status=given.status, headers=_own(given.headers))
            response.content_length = given.content_length
            await response.prepare(request)
            async for chunk in given.content.iter_chunked(_CHUNK_BYTES):
                await response.write(chunk if left is None else chunk[:left])
                left = left if left is None else max(left - len(chunk), 0)
                if left == 0 and request.transport is not None:
                    request.transport.close()  # what was written goes out first
                    raise _Gone
            await response.write_eof()
            return response


class _Upstream:
    """The embedded AWS."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self.copying = Copying(http, url)

    def opened(self, request: web.BaseRequest, body: bytes) -> "aiohttp.client._RequestContextManager":
        """Send *request* on; its Host and so its signature stay as they are."""
        return self._http.request(
            request.method,
            URL(self._url + request.raw_path, encoded=True),
            headers=_own(request.headers),
            data=body or None,
            allow_redirects=False,
        )

    async def whole(self, request: web.BaseRequest, body: bytes) -> Answer:
        """Send *request* on and return the whole answer."""
        async with self.opened(request, body) as given:
            return Answer(status=given.status, headers=_own(given.headers), body=await given.read())


def _by_phase(faults: list[Fault]) -> tuple[list[Fault], list[Fault]]:
    """Truncating is of the answer, whatever its rule says."""
    after = [fault for fault in faults if fault.after or isinstance(fault.effect, Truncate)]
    return [fault for fault in faults if fault not in after], after


async def _struck(faults: list[Fault], request: web.BaseRequest, call: Call) -> Answer | None:
    """Let *faults* happen; return what is answered in place of AWS's own answer, if anything.

    Raises:
        _Gone: the connection is cut.
    """
    for fault in faults:
        match fault.effect:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Hold() as hold:
                await hold.passed()
            case Refuse(Refused() as why):
                return answers.refused(call, why)
            case Refuse(answers.Misfortune() as misfortune):
                return answers.befallen(call, misfortune)
            case Reset():
                _cut(request)
                raise _Gone
    return None


def _cut(request: web.BaseRequest) -> None:
    """End the connection with a reset, not with a polite end."""
    if request.transport is None:
        return
    opened: socket.socket = request.transport.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _own(headers: MultiMapping[str]) -> CIMultiDict[str]:
    """Return *headers* without those of one hop."""
    kept = CIMultiDict(headers)
    for name in (*_OF_ONE_HOP, "Content-Length"):
        kept.popall(name, None)
    return kept


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=CIMultiDict(answer.headers), body=answer.body)


def _ending(text: str, at_seconds: float) -> str:
    """Return AssumeRole's answer *text* with another end of the session."""
    head, _, rest = text.partition("<Expiration>")
    _, _, tail = rest.partition("</Expiration>")
    return f"{head}<Expiration>{_iso(at_seconds)}</Expiration>{tail}"


def _iso(at_seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_seconds))


def _assumed(session: Session) -> Answer:
    document = (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<AssumedRoleUser><AssumedRoleId>AROA:session</AssumedRoleId><Arn>{session.arn}</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{session.access_key}</AccessKeyId>"
        f"<SecretAccessKey>{session.secret}</SecretAccessKey><SessionToken>{session.token}</SessionToken>"
        f"<Expiration>{_iso(session.expires_seconds)}</Expiration></Credentials></AssumeRoleResult>"
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )
    return Answer(headers={"Content-Type": "text/xml"}, body=document.encode())

"""What does a function see of Lambda?

    invoke(event) ──► GET …/invocation/next ──► the function ──► POST …/response or …/error ──► Outcome

The runtime API on loopback, as a function in a container meets it (AWS_LAMBDA_RUNTIME_API), one invocation at a time.
Of Lambda itself only this: whoever starts the process ends it when an outcome says that its time ran out.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

PREFIX = "/2018-06-01/runtime"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:999999999999:function:logfanout"
MOST_RESPONSE_BYTES = 6 * 1024**2  # "Lambda quotas", invocation payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one invocation ended; all empty: its time ran out."""

    response: Any = None
    error: Any = None

    @property
    def timed_out(self) -> bool:
        """Whether nothing was answered in time."""
        return self.response is None and self.error is None


@dataclass(slots=True, kw_only=True)
class _Invocation:
    id: str
    event: bytes
    deadline_ms: int  # epoch
    ended: "asyncio.Future[Outcome]"


class LambdaRuntime:
    """Lambda's side of the runtime API."""

    def __init__(self) -> None:
        self.address = ""  # host:port, for AWS_LAMBDA_RUNTIME_API
        self.init_error: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.wrong: list[str] = []  # what the function should not have asked
        self._numbers = itertools.count(1)
        self._next: asyncio.Queue[_Invocation] = asyncio.Queue()
        self._under_way: _Invocation | None = None
        self._asked = asyncio.Event()

    def __repr__(self) -> str:
        return f"<LambdaRuntime {self.address}>"

    async def until_asked(self) -> None:
        """Return once the function has asked for its next event: the end of its init."""
        await self._asked.wait()

    async def invoke(self, event: Any, *, timeout_seconds: float = 60.0) -> Outcome:
        """Hand *event* to the function and return how it went; its deadline is *timeout_seconds* from now."""
        invocation = _Invocation(
            id=f"00000000-0000-4000-8000-{next(self._numbers):012}",
            event=orjson.dumps(event),
            deadline_ms=time.time_ns() // 1_000_000 + round(timeout_seconds * 1000),
            ended=asyncio.get_running_loop().create_future(),
        )
        self._next.put_nowait(invocation)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await invocation.ended
        except TimeoutError:
            return Outcome()

    async def next(self, _request: web.Request) -> web.Response:
        """Answer the long poll for the next event."""
        if self._under_way is not None and not self._under_way.ended.done():
            self.wrong.append(f"asked for the next event before {self._under_way.id} was answered")
        self._asked.set()
        self._under_way = invocation = await self._next.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        }
        return web.Response(body=invocation.event, content_type="application/json", headers=headers)

    async def respond(self, request: web.Request) -> web.Response:
        """Take the answer to an event."""
        body = await request.read()
        if len(body) > MOST_RESPONSE_BYTES:
            return _refused(413, "RequestEntityTooLarge")
        return self._ended(request, Outcome(response=orjson.loads(body)))

    async def fail(self, request: web.Request) -> web.Response:
        """Take the error an event ended with."""
        return self._ended(request, Outcome(error=orjson.loads(await request.read())))

    async def fail_init(self, request: web.Request) -> web.Response:
        """Take the error that keeps the function from asking for events at all."""
        if not self.init_error.done():
            self.init_error.set_result(orjson.loads(await request.read()))
        return _accepted()

    def _ended(self, request: web.Request, outcome: Outcome) -> web.Response:
        invocation = self._under_way
        if invocation is None or request.match_info["id"] != invocation.id:
            self.wrong.append(f"answered {request.match_info['id']}, which is not under way")
            return _refused(400, "InvalidRequestID")
        if not invocation.ended.done():
            invocation.ended.set_result(outcome)
        return _accepted()


def _accepted() -> web.Response:
    return web.json_response({"status": "OK"}, status=202)


def _refused(status: int, kind: str) -> web.Response:
    return web.json_response({"errorMessage": kind, "errorType": kind}, status=status)


@asynccontextmanager
async def open_lambda_runtime() -> AsyncIterator[LambdaRuntime]:
    """Serve the runtime API on a free port of loopback for the length of the block."""
    runtime = LambdaRuntime()
    app = web.Application(client_max_size=2 * MOST_RESPONSE_BYTES)
    app.router.add_get(f"{PREFIX}/invocation/next", runtime.next)
    app.router.add_post(f"{PREFIX}/invocation/{{id}}/response", runtime.respond)
    app.router.add_post(f"{PREFIX}/invocation/{{id}}/error", runtime.fail)
    app.router.add_post(f"{PREFIX}/init/error", runtime.fail_init)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runtime.address = f"127.0.0.1:{runner.addresses[0][1]}"
        yield runtime
    finally:
        await runner.cleanup()

"""Who answers ``/metrics``, ``/healthz`` and their like?

    GET ──► the status and the figures of this moment ──► text, JSON or a page

Served from the worker's own event loop, or the supervisor's: an answer is itself a proof that the loop turns.
"""

import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from logfanout.console import health, metrics, page
from logfanout.settings import SettingsWrong

GOODBYE_SECONDS = 1.0  # for answers under way when the worker ends
OK, UNAVAILABLE = 200, 503


@asynccontextmanager
async def serving(
    *, host: str, port: int, status: Callable[[], health.Status], shared: Path | None = None
) -> AsyncIterator[None]:
    """Answer on *port* of *host* while the block runs; port 0 is off.

    *shared* is where several processes leave their figures; without it this process's own are shown.

    Raises:
        SettingsWrong: nobody can listen there.
    """
    if port == 0:
        yield
        return
    runner = web.AppRunner(application(status, shared=shared), access_log=None, shutdown_timeout=GOODBYE_SECONDS)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield
    finally:
        await runner.cleanup()


def application(status: Callable[[], health.Status], *, shared: Path | None = None) -> web.Application:
    """Return what answers; *status* is asked anew for each request."""
    console = _Console(status, shared)
    app = web.Application()
    app.router.add_get("/", console.page)
    app.router.add_get("/metrics", console.metrics)
    app.router.add_get("/healthz", console.healthz)
    app.router.add_get("/readyz", console.readyz)
    app.router.add_get("/status.json", console.status_json)
    return app


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = f"LOGFANOUT_HTTP_PORT: port {port} of {host} is not to be had: {_reason(error)}; 0 turns it off"
        else:
            why = f"LOGFANOUT_HTTP_HOST: {host} cannot be listened on: {_reason(error)}"
        raise SettingsWrong([why]) from None


def _reason(error: OSError) -> str:
    # asyncio puts a sentence of its own, with the address again, before the system's.
    return "another program listens there" if error.errno == errno.EADDRINUSE else str(error)


class _Console:
    """The handlers, and where their facts come from."""

    def __init__(self, status: Callable[[], health.Status], shared: Path | None) -> None:
        self._status = status
        self._figures = metrics.registry(shared)

    def __repr__(self) -> str:
        return f"<_Console of {self._status!r}>"

    async def page(self, _request: web.Request) -> web.Response:
        text = page.render(self._status(), metrics.totals(self._figures))
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._figures), headers={"Content-Type": content_type})

    async def healthz(self, _request: web.Request) -> web.Response:
        return _verdict(health.alive(self._status()))

    async def readyz(self, _request: web.Request) -> web.Response:
        return _verdict(health.ready(self._status()))

    async def status_json(self, _request: web.Request) -> web.Response:
        return _json({**health.as_json(self._status()), "totals": metrics.totals(self._figures)}, code=OK)


def _verdict(answer: health.Answer) -> web.Response:
    return _json({"ok": answer.ok, "reasons": answer.reasons}, code=OK if answer.ok else UNAVAILABLE)


def _json(found: object, *, code: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE),
        status=code,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )

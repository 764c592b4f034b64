"""What is answered over HTTP, on loopback."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from logfanout import telemetry
from logfanout.console import server
from logfanout.console.health import ProcessSeen, Status
from logfanout.settings import SettingsWrong

WELL = ProcessSeen(process=0, pid=4711, silent_seconds=0.4, receiving=True, credentials=True, restarts=0)
STATUS = Status(started=datetime.now(UTC), now=datetime.now(UTC), stopping="", processes=(WELL,))
DOWN = replace(STATUS, processes=(replace(WELL, pid=None),))

Client = TestClient[web.Request, web.Application]

PATHS = ("/", "/metrics", "/healthz", "/readyz", "/status.json")


@asynccontextmanager
async def asking(status: Status = STATUS) -> AsyncIterator[Client]:
    """Yield a client of a console that shows *status*."""
    async with TestClient(TestServer(server.application(lambda: status))) as client:
        yield client


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_says_yes_with_200(path: str) -> None:
    """The code is for the orchestrator, the body for whoever looks."""
    async with asking() as client, client.get(path) as answer:
        assert answer.status == 200
        assert await answer.json() == {"ok": True, "reasons": []}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_says_no_with_503_and_why(path: str) -> None:
    """A probe that failed at night explains itself in the morning's events."""
    async with asking(DOWN) as client, client.get(path) as answer:
        assert answer.status == 503
        assert await answer.json() == {"ok": False, "reasons": ["process 0 is down"]}


async def test_the_status_is_asked_anew_each_time() -> None:
    """No answer is older than its question."""
    statuses = [STATUS, DOWN]
    async with TestClient(TestServer(server.application(lambda: statuses.pop(0)))) as client:
        codes = []
        for _ in range(2):
            async with client.get("/healthz") as answer:
                codes.append(answer.status)
    assert codes == [200, 503]


async def test_metrics_are_in_the_text_format_of_prometheus() -> None:
    """The scraper chooses by content type, so that it has to be exact."""
    telemetry.MessagesReceived(count=3).emit()
    async with asking() as client, client.get("/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await answer.text()
    assert "# TYPE logfanout_messages_received_total counter" in text
    assert "_created" not in text


async def test_metrics_are_openmetrics_for_who_asks() -> None:
    """A newer scraper says what it prefers."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with asking() as client, client.get("/metrics", headers=accept) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert (await answer.text()).endswith("# EOF\n")


async def test_the_status_for_programs_has_totals() -> None:
    """The page and the JSON show the same facts."""
    telemetry.MessagesReceived(count=1).emit()
    async with asking() as client, client.get("/status.json") as answer:
        found = await answer.json()
    assert found["alive"] == {"ok": True, "reasons": []}
    assert found["totals"]["logfanout_messages_received_total"] >= 1


async def test_the_page_is_html() -> None:
    """For people, in a browser."""
    async with asking() as client, client.get("/") as answer:
        assert answer.content_type == "text/html"
        assert (await answer.text()).startswith("<!doctype html>")


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_answered_like_get_without_a_body(path: str) -> None:
    """Load balancers and uptime probes ask this way."""
    async with asking() as client, client.head(path) as answer:
        assert answer.status == 200
        assert await answer.read() == b""


async def test_the_console_answers_while_its_block_runs() -> None:
    """It is up when the block begins, and the port is free when it has ended."""
    port = free_port()
    for _ in range(2):
        async with (
            server.serving(host="127.0.0.1", port=port, status=lambda: STATUS),
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/healthz") as answer,
        ):
            assert answer.status == 200


async def test_port_0_is_off() -> None:
    """Nothing is listened on, and the status is never asked for."""

    def never() -> Status:
        raise AssertionError

    async with server.serving(host="nowhere.invalid", port=0, status=never):
        pass


async def test_a_port_that_is_taken_is_said_under_its_variable() -> None:
    """Whoever reads the error knows what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsWrong, match=rf"LOGFANOUT_HTTP_PORT: port {port} .* another program"):
            async with server.serving(host="127.0.0.1", port=port, status=lambda: STATUS):
                pass


async def test_a_host_that_is_not_ours_is_said_under_its_variable() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(SettingsWrong, match=r"LOGFANOUT_HTTP_HOST: 192\.0\.2\.1"):
        async with server.serving(host="192.0.2.1", port=free_port(), status=lambda: STATUS):
            pass


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

"""The image's health check, run as a program against what it may meet."""

import asyncio
import sys
from pathlib import Path

import pytest

from logfanout.demo.emulator import free_port

HEALTHCHECK = Path(__file__).parents[3] / "deploy" / "image" / "healthcheck.py"


async def check(**environment: str) -> tuple[int | None, str]:
    """Return its exit code and what it says on stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, HEALTHCHECK, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize(("status", "code"), [("200 OK", 0), ("503 Service Unavailable", 1), ("301 Moved", 1)])
async def test_only_200_is_healthy(status: str, code: int) -> None:
    """And a refusal names the status."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found, said = await check(LOGFANOUT_HTTP_PORT=str(port))
    assert asked == [b"GET /healthz HTTP/1.1\r\n"]
    assert found == code
    assert status[:3] in said or code == 0


async def test_nobody_listening_is_unhealthy() -> None:
    """With the port in the reason."""
    port = free_port()
    code, said = await check(LOGFANOUT_HTTP_PORT=str(port))
    assert code == 1
    assert f"port {port}" in said


@pytest.mark.parametrize(
    "told", [{"LOGFANOUT_HTTP_PORT": "0"}, {"EXECUTION_MODE": "manual"}, {"EXECUTION_MODE": "lambda"}]
)
async def test_what_serves_no_http_is_not_asked(told: dict[str, str]) -> None:
    """It is alive as long as its process is."""
    assert await check(**told) == (0, "")

"""Is the agent asked as it wants to be, and its every answer understood?"""

import asyncio
from typing import Any

import pytest

from logfanout.aws import Aws
from logfanout.aws import task_protection as adapter
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.testing.site import Answer, Site

ARN = "arn:aws:ecs:eu-west-1:111122223333:task/c/0123"
PROTECTED = {"protection": {"ExpirationDate": "2026-03-02T12:10:00Z", "ProtectionEnabled": True, "TaskArn": ARN}}


async def test_the_agent_is_asked(aws: Aws, site: Site) -> None:
    """Below the address ECS gives each container; nothing is signed, the agent knows who we are."""
    site.json(PROTECTED)
    protection = aws.task_protection(f"{site.url}/api/0123/")
    await protection.protect(minutes=10)
    await protection.release()
    protect, release = site.requests
    assert (protect.method, protect.target) == ("PUT", "/api/0123/task-protection/v1/state")
    assert protect.headers["content-type"] == "application/json"
    assert "authorization" not in protect.headers
    assert protect.json() == {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
    assert release.json() == {"ProtectionEnabled": False}


@pytest.mark.parametrize(
    ("status", "answer", "expected", "says"),
    [
        (200, {"failure": {"Arn": ARN, "Detail": None, "Reason": "TASK_NOT_VALID"}}, Unavailable, "TASK_NOT_VALID"),
        (200, {"failure": {"arn": ARN, "detail": "now", "reason": "DEPLOYMENT_BLOCKED"}}, Unavailable, "BLOCKED: now"),
        (
            400,
            {"requestID": "r-1", "error": {"Arn": ARN, "Code": "AccessDeniedException", "Message": "not allowed"}},
            AccessRefused,
            r"AccessDeniedException: not allowed \(request r-1\)",
        ),
        (403, {"error": {"Code": "AccessDeniedException", "Message": "no task role"}}, AccessRefused, "no task role"),
        (400, {"error": {"Arn": ARN, "Code": "ThrottlingException", "Message": "Rate"}}, Throttled, "Rate"),
        (400, {"error": {"Code": "InvalidParameterException", "Message": "m"}}, Unavailable, "InvalidParameter"),
        (400, {"error": {"Code": "SomethingNewException", "Message": "m"}}, Unavailable, "SomethingNew"),
        (404, {"error": {"Code": "ResourceNotFoundException", "Message": "m"}}, Unavailable, "ResourceNotFound"),
        (500, {"error": {"Code": "ServerException", "Message": "m"}}, Unavailable, "ServerException"),
        (504, {"error": {"Code": "RequestCanceled", "Message": "Timed out"}}, Unavailable, "Timed out"),
        (200, {}, Unavailable, "no answer of the agent's"),
        (200, [], Unavailable, "no answer of the agent's"),
        (500, PROTECTED, Unavailable, "no answer of the agent's"),
    ],
)
async def test_a_refusal_is_one_of_ours(
    aws: Aws, site: Site, status: int, answer: Any, expected: type[LogfanoutError], says: str
) -> None:
    """None of them, a code we never heard of included, is a reason to stop delivering."""
    site.json(answer, status=status)
    with pytest.raises(LogfanoutError, match=says) as caught:
        await aws.task_protection(site.url).protect(minutes=10)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    "answer", [Answer(reset=True), Answer(body=b"no JSON"), Answer(status=404, body=b"404 page not found"), Answer()]
)
async def test_whatever_else_listens_there_is_no_agent(aws: Aws, site: Site, answer: Answer) -> None:
    """An old agent answers 404."""
    site.play(answer)
    with pytest.raises(Unavailable, match="release the task"):
        await aws.task_protection(site.url).release()


async def test_an_agent_that_says_nothing_is_not_waited_for(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """For long."""
    monkeypatch.setattr(adapter, "AGENT_SECONDS", 0.01)
    silence = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unavailable, match="TimeoutError"):
            await aws.task_protection(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").protect(minutes=1)
        silence.set()

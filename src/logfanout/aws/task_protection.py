"""How does the task ask ECS not to scale it in?

    PUT $ECS_AGENT_URI/task-protection/v1/state ──► protection, failure or error

Plain HTTP to the agent beside the container, which asks ECS with the task's role (``ecs:UpdateTaskProtection``).
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import asyncio
from typing import Any

import msgspec

from logfanout.aws.faults import Refused, as_ours, kind_of
from logfanout.aws.http import MOST_ERROR_BYTES, Http
from logfanout.errors import Unavailable

# The agent allows ECS four seconds.
AGENT_SECONDS = 6.0
HEADERS = {"content-type": "application/json"}


class EcsTaskProtection:
    """The ``TaskProtection`` port over the agent's endpoint."""

    def __init__(self, http: Http, agent_uri: str) -> None:
        self._http = http
        self._url = f"{agent_uri.rstrip('/')}/task-protection/v1/state"

    def __repr__(self) -> str:
        return f"<EcsTaskProtection {self._url}>"

    async def protect(self, *, minutes: int) -> None:
        """Ask for protection for *minutes* (1 to 2,880) from now; what was left of an earlier one does not count."""
        await self._put({"ProtectionEnabled": True, "ExpiresInMinutes": minutes}, f"protect the task for {minutes} min")

    async def release(self) -> None:
        """Give the protection up; a task that has none is fine."""
        await self._put({"ProtectionEnabled": False}, "release the task")

    async def _put(self, wanted: dict[str, Any], asked: str) -> None:
        with as_ours({}, asked):
            async with asyncio.timeout(AGENT_SECONDS):
                answer = await self._http.request("PUT", self._url, headers=HEADERS, body=msgspec.json.encode(wanted))
                try:
                    body = await answer.beginning(MOST_ERROR_BYTES)
                finally:
                    answer.close()
        if (said := _refusal(answer.status, body)) is None:
            return
        # Whatever else ECS says, as TASK_NOT_VALID of a task that is in no service or DEPLOYMENT_BLOCKED of one about
        # to be replaced, is worth another try later on, and never a reason to stop delivering.
        raise (kind_of(said, {}) or Unavailable)(f"{asked}: {said}")


def _refusal(status: int, body: bytes) -> Refused | None:
    """Return what the agent refuses, ``None`` if it did as asked.

    Agents have written the inner names with and without capitals; a failure comes with status 200.
    """
    match _lowered(body):
        case {"error": {"code": str(code), **rest}, **outer}:
            return Refused(
                status=status,
                code=code,
                message=str(rest.get("message") or ""),
                request_id=str(outer.get("requestid") or ""),
            )
        case {"failure": {"reason": str(reason), **rest}}:
            return Refused(status=status, code=reason, message=str(rest.get("detail") or ""), request_id="")
        case {"protection": dict()} if status == 200:
            return None
        case _:
            return Refused(status=status, code="", message="no answer of the agent's", request_id="")


def _lowered(body: bytes) -> Any:
    """Return JSON with every name in lower case; ``None`` for what is none."""

    def lower(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(name).lower(): lower(each) for name, each in value.items()}
        return value

    try:
        return lower(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return None

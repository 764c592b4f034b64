"""What may a worker rely on when it asks not to be scaled in?

No emulator has ECS's agent: the adapter speaks to one made of a server that plays its part.
"""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from logfanout.aws import open_aws
from logfanout.ports import TaskProtection
from logfanout.testing import World
from logfanout.testing.site import Answer, Request, Site, open_site


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A task, and whether ECS protects it."""

    protection: TaskProtection
    protected: Callable[[], bool]


class Agent:
    """Keeps what it was asked, and answers as ECS does."""

    protected = False

    def __call__(self, request: Request) -> Answer:
        asked = request.json()
        if request.target != "/api/1/task-protection/v1/state" or set(asked) - {
            "ProtectionEnabled",
            "ExpiresInMinutes",
        }:
            return Answer(status=400, body=b'{"error": {"Code": "InvalidParameterException", "Message": "no"}}')
        self.protected = asked["ProtectionEnabled"]
        protection = {"ProtectionEnabled": self.protected, "TaskArn": "arn:aws:ecs:eu-west-1:111122223333:task/c/1"}
        return Answer(body=json.dumps({"protection": protection}).encode())


@pytest.fixture(params=["fake", "agent"])
async def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    if request.param == "fake":
        fake = World().task_protection
        yield Stage(protection=fake, protected=lambda: fake.protected)
        return
    for variable, value in {"ACCESS_KEY_ID": "AKID", "SECRET_ACCESS_KEY": "s", "REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{variable}", value)
    async with open_site() as site, open_aws() as aws:
        yield Stage(protection=aws.task_protection(f"{site.url}/api/1"), protected=plays_agent(site))


def plays_agent(site: Site) -> Callable[[], bool]:
    agent = Agent()
    site.rule(agent)
    return lambda: agent.protected


async def test_a_task_is_protected_and_released(stage: Stage) -> None:
    """And protected again."""
    for _ in range(2):
        await stage.protection.protect(minutes=10)
        assert stage.protected()
        await stage.protection.release()
        assert not stage.protected()


async def test_protection_is_renewed(stage: Stage) -> None:
    """By asking for it once more."""
    await stage.protection.protect(minutes=1)
    await stage.protection.protect(minutes=2880)
    assert stage.protected()


async def test_a_task_without_protection_may_release_it(stage: Stage) -> None:
    """Nobody knows what became of a lost answer."""
    await stage.protection.release()
    assert not stage.protected()

"""The built image as a container engine runs it, beside one embedded AWS with one tenant."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from logfanout.demo import fleet
from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.demo.region import Region, provision
from logfanout.demo.roster import PLATFORM_ACCOUNT, roster

IMAGE = "localhost/logfanout:check"
# What a container may on Fargate and Kubernetes with our settings: nothing to write to, no capability, no way up. runc
# and the two limits are for machines where a container cannot raise its own.
CONFINED = [
    "--runtime=runc",
    "--network=host",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command of the engine's ended."""

    code: int
    out: str
    error: str


async def podman(*arguments: str, stdin: bytes = b"") -> Ran:
    """Run podman to its end."""
    process = await asyncio.create_subprocess_exec(
        "podman",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate(stdin)
    assert process.returncode is not None
    return Ran(code=process.returncode, out=out.decode(), error=error.decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container that was started."""

    name: str
    console_url: str

    async def inside(self, *command: str) -> Ran:
        """Run a command in it, as ``kubectl exec`` and ECS Exec do."""
        return await podman("exec", self.name, *command)

    async def tell(self, *arguments: str) -> Ran:
        """Run one of the engine's commands on it: ``tell("stop", "--time=30")``."""
        return await podman(*arguments, self.name)

    async def ended(self) -> int:
        """Return its exit code once it has one."""
        return int((await self.tell("wait")).out)

    async def log(self) -> str:
        """Return all it has said."""
        said = await self.tell("logs")
        return said.out + said.error


Start = Callable[..., Awaitable[Container]]


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[Emulator]:
    with lasting_emulator() as aws:
        yield aws


@pytest.fixture
async def aws(shared_aws: Emulator) -> Emulator:
    await shared_aws.reset()
    return shared_aws


@pytest.fixture
async def region(aws: Emulator) -> Region:
    return await provision(aws, roster(1))


@pytest.fixture
async def told(aws: Emulator, region: Region) -> dict[str, str]:
    """The environment of a task, with the task role's credentials; a port of its own, since the network is shared."""
    everything = fleet.environment(
        region,
        endpoint_url=aws.endpoint_url,
        session=await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT),
        processes=None,
        caller={},
    )
    return {name: value for name, value in everything.items() if value != os.devnull}


@pytest.fixture
async def start(told: dict[str, str]) -> AsyncIterator[Start]:
    """Return what starts a confined container; it is removed after the test."""
    async with AsyncExitStack() as started:

        async def begin(*options: str, command: tuple[str, ...] = (), **changed: str) -> Container:
            name = f"logfanout-check-{uuid.uuid4().hex[:8]}"
            environment = [f"--env={key}={value}" for key, value in (told | changed).items()]
            ran = await podman("run", "--detach", f"--name={name}", *CONFINED, *options, *environment, IMAGE, *command)
            started.push_async_callback(podman, "rm", "--force", "--time=1", name)
            assert ran.code == 0, ran.error
            return Container(name=name, console_url=f"http://127.0.0.1:{told['LOGFANOUT_HTTP_PORT']}")

        yield begin


@pytest.fixture
def once(told: dict[str, str]) -> Callable[..., Awaitable[Ran]]:
    """Return what runs a confined container to its end, with *stdin*."""

    async def run(*command: str, stdin: bytes = b"", entrypoint: str = "", **changed: str) -> Ran:
        environment = [f"--env={key}={value}" for key, value in (told | changed).items() if value]
        instead = [f"--entrypoint={json.dumps([entrypoint])}"] if entrypoint else []
        return await podman(
            "run", "--rm", "--interactive", *CONFINED, *instead, *environment, IMAGE, *command, stdin=stdin
        )

    return run


@pytest.fixture
async def inspected() -> dict[str, object]:
    """What the image says of itself."""
    shown = await podman("image", "inspect", IMAGE)
    assert shown.code == 0, shown.error
    [found] = json.loads(shown.out)
    return {**found["Config"], "Healthcheck": found["Healthcheck"]}

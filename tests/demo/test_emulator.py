"""The embedded AWS is strict, alone, and gone afterwards."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from logfanout.demo.emulator import Emulator, emulator, free_port
from logfanout.demo.errors import DemoFailed, DemoRefused
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

pytestmark = pytest.mark.emulator

Eventually = Callable[[Callable[[], bool]], bool]

ACCOUNT = "111111111111"

OUTLIVED = """
import asyncio, sys
from logfanout.demo.emulator import emulator

async def main():
    async with emulator() as aws:
        print(aws.endpoint_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def listens(endpoint_url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(endpoint_url.rsplit(":", 1)[1]))) == 0


async def test_twelve_digits_are_the_root_of_that_account(aws: Emulator) -> None:
    """Accounts are told apart by nothing but the key."""
    async with aws.client("sts", account=ACCOUNT, region="us-east-1") as sts:
        assert (await sts.get_caller_identity())["Account"] == ACCOUNT


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret_key": "not it"}, "SignatureDoesNotMatch"),
        ({"token": "not it"}, "InvalidClientTokenId"),
        ({"token": ""}, "InvalidClientTokenId"),
    ],
)
async def test_a_forged_session_is_refused(aws: Emulator, region: Region, wrong: dict[str, str], code: str) -> None:
    """Signatures and tokens are checked, or else nothing the demo shows would mean much."""
    task = await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)
    async with aws.client_of(replace(task, **wrong), "sqs", region=HOME_REGION) as sqs:
        with pytest.raises(ClientError, match=code):
            await sqs.get_queue_attributes(QueueUrl=region.queue_url, AttributeNames=["All"])


async def test_it_ends_with_its_block() -> None:
    """Nobody listens once the block is left, by an error too."""
    with pytest.raises(ValueError, match="on purpose"):
        async with emulator() as aws:
            assert listens(aws.endpoint_url)
            raise ValueError("on purpose")
    assert not listens(aws.endpoint_url)


async def test_it_ends_when_its_block_is_cancelled() -> None:
    """Ctrl-C arrives as a cancellation."""
    up: asyncio.Future[Emulator] = asyncio.get_running_loop().create_future()

    async def held() -> None:
        async with emulator() as aws:
            up.set_result(aws)
            await asyncio.Event().wait()

    task = asyncio.create_task(held())
    aws = await up
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not listens(aws.endpoint_url)


@pytest.mark.process
def test_it_ends_when_its_parent_is_killed(eventually: Eventually, tmp_path: Path) -> None:
    """No handler runs on SIGKILL, and still no server is left behind."""
    with subprocess.Popen(
        [sys.executable, "-c", OUTLIVED], stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(tmp_path)}
    ) as parent:
        assert parent.stdout is not None
        endpoint_url = parent.stdout.readline().strip()
        assert listens(endpoint_url)
        parent.kill()
    assert eventually(lambda: not listens(endpoint_url))
    assert eventually(lambda: not any(tmp_path.iterdir()))


async def test_the_callers_aws_settings_reach_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the server nor a client looks at the caller's profile, endpoints, keys or proxy."""
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "somebody's own",
        "AWS_SESSION_TOKEN": "somebody's own",
        "AWS_MAX_ATTEMPTS": "not a number",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "GATEWAY_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    async with emulator() as aws, aws.client("sts", account=ACCOUNT, region="us-east-1") as sts:
        assert (await sts.get_caller_identity())["Account"] == ACCOUNT


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The production image has no emulator, and its operator deserves more than a traceback."""
    monkeypatch.setitem(sys.modules, "ministack", None)
    with pytest.raises(DemoRefused, match=r"pip install 'logfanout\[demo\]'"):
        async with emulator():
            pass


async def test_a_death_in_between_is_the_reason_told(eventually: Eventually) -> None:
    """A client of a dead server reports a refused connection, which explains nothing."""
    with pytest.raises(DemoFailed, match="ended by itself"):
        async with emulator() as aws:
            kill_server(aws)
            assert eventually(lambda: not listens(aws.endpoint_url))
            async with aws.client("sqs", account=ACCOUNT, region="us-east-1") as sqs:
                await sqs.list_queues()


def kill_server(aws: Emulator) -> None:
    """Kill the process that says in its own folder that it is this emulator."""
    (pid_file,) = aws.log.parent.glob("ministack-*.pid")
    os.kill(int(pid_file.read_text()), signal.SIGKILL)


def test_free_ports_are_free() -> None:
    """Nobody listens on what is handed out."""
    assert not listens(f"http://127.0.0.1:{free_port()}")

"""Where does an AWS without an account come from?

    MiniStack as a child process ──► HTTP on loopback ──► one client for each (service, account, region)

Started with its authorisation on: signatures, session tokens, trust policies and ExternalId are enforced as
on AWS. An access key of twelve digits is the root of that account. The only module of the demo that meets
aiobotocore. The caller's own AWS settings reach neither the server nor these clients.
"""

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from logfanout.demo.errors import DemoFailed, DemoRefused

START_SECONDS = 30.0  # it takes one; a loaded CI machine may take some
ROOT_SECRET = "test"  # noqa: S105 - any will do: the signatures of roots are the only ones not checked

# Plain HTTP/1.1 from many tasks: the default pool of ten would be the bottleneck, not the emulator.
CLIENT_CONFIG = AioConfig(
    proxies={},  # never through the caller's proxy
    max_pool_connections=64,
    retries={"mode": "standard", "max_attempts": 3},
    s3={"addressing_style": "path"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What AssumeRole hands out."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """A running emulator. Bound to no event loop, so a whole test session can share one."""

    endpoint_url: str
    log: Path
    _aws: AioSession = field(repr=False)

    def client(self, service: str, *, account: str, region: str) -> AbstractAsyncContextManager[Any]:
        """Return a client that acts as the root of *account*, open for the length of a block."""
        return self.client_of(_root_of(account), service, region=region)

    def client_of(self, session: Session, service: str, *, region: str) -> AbstractAsyncContextManager[Any]:
        """Return a client that acts as *session*, open for the length of a block."""
        made = self._aws.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=session.access_key,
            aws_secret_access_key=session.secret_key,
            aws_session_token=session.token or None,
            config=CLIENT_CONFIG,
        )
        return cast("AbstractAsyncContextManager[Any]", made)

    async def assume(self, role_arn: str, *, using: Session | str, external_id: str = "") -> Session:
        """Return a session of *role_arn*, asked for by a session or, if *using* is an account, by its root.

        Raises botocore's ``ClientError`` with the code ``AccessDenied`` where a policy or a trust says no.
        """
        caller = _root_of(using) if isinstance(using, str) else using
        extra = {"ExternalId": external_id} if external_id else {}
        async with self.client_of(caller, "sts", region="us-east-1") as sts:
            answer = await sts.assume_role(RoleArn=role_arn, RoleSessionName="logfanout-demo", **extra)
        match answer["Credentials"]:
            case {"AccessKeyId": str(key), "SecretAccessKey": str(secret), "SessionToken": str(token)}:
                return Session(access_key=key, secret_key=secret, token=token)
        raise DemoFailed(f"The emulator's answer to AssumeRole holds no session: {sorted(answer)}")

    async def reset(self) -> None:
        """Forget everything in every account, as tests do between two stories."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.endpoint_url}/_ministack/reset") as answer,
        ):
            answer.raise_for_status()


def _root_of(account: str) -> Session:
    return Session(access_key=account, secret_key=ROOT_SECRET, token="")


@asynccontextmanager
async def emulator() -> AsyncIterator[Emulator]:
    """Run an emulator for the length of the block.

    Raises:
        DemoRefused: the ``demo`` extra is not installed.
        DemoFailed: it did not come up; the end of its log is in the text.
    """
    with _spawned() as child:
        await _until_healthy(child)
        try:
            yield child.as_emulator()
        except Exception as error:
            # Whatever a client of a dead server reports, this is the reason.
            if child.process.poll() is not None:
                raise DemoFailed(f"The embedded AWS ended by itself.\n{tail(child.log)}") from error
            raise


@contextmanager
def lasting_emulator() -> Iterator[Emulator]:
    """Run an emulator for the length of a block outside any event loop: a fixture of a whole test session."""
    with _spawned() as child:
        asyncio.run(_until_healthy(child))
        yield child.as_emulator()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """The process, as long as it lives."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def as_emulator(self) -> Emulator:
        return Emulator(endpoint_url=self.endpoint_url, log=self.log, _aws=AioSession(session_vars=_untouched()))


@contextmanager
def _spawned() -> Iterator[_Child]:
    """Start the process; kill it at the end, since it keeps nothing worth a graceful stop."""
    if importlib.util.find_spec("ministack") is None:
        raise DemoRefused("The demo needs its embedded AWS: pip install 'logfanout[demo]'")
    with tempfile.TemporaryDirectory(prefix="logfanout-demo-aws-", ignore_cleanup_errors=True) as folder:
        port, log = free_port(), Path(folder) / "ministack.log"
        lifeline_out, lifeline_in = os.pipe()
        try:
            with log.open("wb") as sink:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and folder, no shell
                    [sys.executable, "-m", "logfanout.demo.lifeline", folder],
                    stdin=lifeline_out,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    env=_environment(port, folder),
                    start_new_session=True,  # Ctrl-C is ours to answer: the fleet goes before its AWS does
                )
            with process:
                try:
                    yield _Child(process=process, port=port, log=log)
                finally:
                    process.kill()
        finally:
            os.close(lifeline_out)
            os.close(lifeline_in)


def _environment(port: int, folder: str) -> dict[str, str]:
    """Everything the server is told; nothing of AWS comes from the caller's environment."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "HOME": folder,
        "TMPDIR": folder,  # its pid file
        # At start it sweeps what it takes for its own leftovers from any Docker daemon it can reach.
        "DOCKER_HOST": f"unix://{folder}/no-docker",
    }


async def _until_healthy(child: _Child) -> None:
    """Return once it answers; raise ``DemoFailed`` when it died or takes too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while loop.time() < deadline:
            if child.process.poll() is not None:
                raise DemoFailed(f"The embedded AWS ended at once.\n{tail(child.log)}")
            try:
                async with http.get(f"{child.endpoint_url}/_ministack/health") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)
    raise DemoFailed(f"The embedded AWS did not answer within {START_SECONDS:.0f} s.\n{tail(child.log)}")


def free_port() -> int:
    """Return a loopback port nobody listens on just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


def tail(log: Path, *, lines: int = 20) -> str:
    """Return the last *lines* of *log*, empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _untouched() -> Mapping[str, tuple[object, ...]]:
    """Botocore's session variables, none of them read from the environment or a configuration file."""
    found = AioSession.SESSION_VARIABLES.items()
    unread = {name: (None, None, default, convert) for name, (_, _, default, convert) in found}
    return unread | dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))

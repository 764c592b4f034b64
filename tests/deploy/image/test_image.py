"""The image does in a container what the package does outside, with nothing to write to and nothing to gain."""

import asyncio
import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

import logfanout
from logfanout.demo import policies
from logfanout.demo.emulator import Emulator
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT
from logfanout.testing.drills.deployment import record
from logfanout.testing.lambda_runtime import open_lambda_runtime

if TYPE_CHECKING:
    from tests.deploy.image.conftest import Container, Ran, Start

pytestmark = [pytest.mark.image, pytest.mark.emulator, pytest.mark.timeout(240)]
Once = Callable[..., Awaitable["Ran"]]

REQUIREMENTS = Path(__file__).parents[3] / "requirements"
SECONDS = 60.0
KEY = "harbor/prod/storefront/storefront-7d9f/1700000000-1.log.gz"
LINES = ["first", "second"]


async def write(aws: Emulator, region: Region) -> None:
    """Put an object as the collectors do."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = "\n".join(json.dumps({"message": line, "timestamp": now}) for line in LINES)
    session = await aws.assume(region.shipper_role_arn, using=PLATFORM_ACCOUNT)
    async with aws.client_of(session, "s3", region=HOME_REGION) as s3:
        await s3.put_object(Bucket=region.bucket, Key=KEY, Body=gzip.compress(body.encode()))


async def received(aws: Emulator, region: Region) -> list[str]:
    """Return what the tenant has."""
    [tenant] = region.tenants
    async with aws.client("logs", account=tenant.account, region=tenant.region) as logs:
        try:
            answer = await logs.filter_log_events(logGroupName=tenant.log_group)
        except ClientError:
            return []
        return [event["message"] for event in answer["events"]]


async def until(holds: Callable[[], Awaitable[bool]], container: "Container") -> None:
    """Return once *holds* does; a container has no event to wait for."""
    try:
        async with asyncio.timeout(SECONDS):
            while not await holds():  # noqa: ASYNC110  see above
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(await container.log()) from None


async def answers(url: str) -> bool:
    """Whether *url* says 200."""
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_it_serves_delivers_and_stops(aws: Emulator, region: Region, start: "Start") -> None:
    """Ready and alive, one object delivered, healthy to the engine, unprivileged; SIGTERM, and it is gone with 0."""
    container = await start()
    await until(lambda: answers(f"{container.console_url}/readyz"), container)
    assert await answers(f"{container.console_url}/healthz")
    await write(aws, region)

    async def delivered() -> bool:
        return sorted(await received(aws, region)) == sorted(LINES)

    await until(delivered, container)
    healthy = await container.tell("healthcheck", "run")
    assert healthy.code == 0, healthy
    assert (await container.inside("id", "-u")).out.strip() == "65532"
    for place in ("/", "/tmp", "/opt/logfanout", "/var/tmp", "/dev/shm"):  # noqa: S108  that they cannot be written is the point
        refused = await container.inside("sh", "-c", f"touch {place}/x")
        assert refused.code != 0 or place == "/dev/shm", place  # noqa: S108
    capabilities = (await container.inside("grep", "CapEff", "/proc/1/status")).out
    assert int(capabilities.split()[1], 16) == 0
    asked = time.monotonic()
    assert (await container.tell("stop", "--time=30")).code == 0
    assert await container.ended() == 0, await container.log()
    assert time.monotonic() - asked < 25
    assert "drain_finished" in await container.log()


async def test_several_processes_need_nothing_more(start: "Start") -> None:
    """Their metrics are added up in /dev/shm, which an engine gives every container, a read-only one too."""
    container = await start(LOGFANOUT_PROCESSES="2")
    await until(lambda: answers(f"{container.console_url}/readyz"), container)
    assert "logfanout-metrics-" in (await container.inside("ls", "/dev/shm")).out  # noqa: S108  theirs to use
    assert await answers(f"{container.console_url}/metrics")
    assert (await container.tell("stop", "--time=30")).code == 0
    assert await container.ended() == 0, await container.log()


async def test_a_stop_while_it_still_starts_is_heard(start: "Start") -> None:
    """Process 1 has no default for a signal: without an init, a SIGTERM before Python's handler does nothing."""
    container = await start()
    asked = time.monotonic()
    await container.tell("kill", "--signal=TERM")
    code = await container.ended()
    assert time.monotonic() - asked < 10, "it was killed only by a timeout"
    assert code in (0, 143)


async def test_what_an_exec_leaves_behind_is_reaped(start: "Start") -> None:
    """An orphan of `kubectl exec` becomes a child of process 1, which must not let it stay as a zombie."""
    container = await start()
    await until(lambda: answers(f"{container.console_url}/healthz"), container)
    assert (await container.inside("cat", "/proc/1/comm")).out.strip() == "dumb-init"
    orphan = "import subprocess; subprocess.Popen(['sleep', '0.2'])"
    assert (await container.inside("python", "-c", orphan)).code == 0

    async def none_left() -> bool:
        states = (await container.inside("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null")).out
        return "(sleep)" not in states

    await until(none_left, container)


async def test_the_health_check_notices(start: "Start") -> None:
    """A worker that does not answer is unhealthy, and the reason is told."""
    container = await start()
    await until(lambda: answers(f"{container.console_url}/healthz"), container)
    elsewhere = await container.inside("env", "LOGFANOUT_HTTP_PORT=1", "healthcheck")
    assert elsewhere.code == 1
    assert "port 1" in elsewhere.error


async def test_the_mode_chooses_what_it_does(aws: Emulator, region: Region, once: Once) -> None:
    """EXECUTION_MODE=manual delivers the notification on stdin and ends."""
    await write(aws, region)
    s3 = {"bucket": {"name": region.bucket}, "object": {"key": KEY, "size": 1}}
    notice = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}
    ran = await once(stdin=json.dumps(notice).encode(), EXECUTION_MODE="manual")
    assert ran.code == 0, ran
    assert sorted(await received(aws, region)) == sorted(LINES)


async def test_as_a_function_it_answers_lambda(aws: Emulator, region: Region, start: "Start") -> None:
    """EXECUTION_MODE=lambda asks the runtime API for events; one is delivered, a broken one is named as failed."""
    await write(aws, region)
    async with open_lambda_runtime() as runtime:
        container = await start(
            EXECUTION_MODE="lambda",
            AWS_LAMBDA_RUNTIME_API=runtime.address,
            AWS_LAMBDA_FUNCTION_NAME="logfanout",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
            AWS_EXECUTION_ENV="AWS_Lambda_python3.13",
        )
        async with aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs:
            taken = await sqs.receive_message(
                QueueUrl=region.queue_url, AttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=10
            )
        sent = [record(message) for message in taken["Messages"]]  # S3's own test event among them
        broken = {name: value for name, value in sent[0].items() if name != "receiptHandle"} | {"messageId": "broken"}
        outcome = await runtime.invoke({"Records": [*sent, broken]}, timeout_seconds=SECONDS)
        assert outcome.response == {"batchItemFailures": [{"itemIdentifier": "broken"}]}, (
            outcome,
            await container.log(),
        )
        assert runtime.wrong == []
    assert sorted(await received(aws, region)) == sorted(LINES)


async def test_as_a_scan_it_needs_no_notice(aws: Emulator, region: Region, start: "Start") -> None:
    """EXECUTION_MODE=scan delivers what lies in the bucket, and SIGTERM ends it with 0."""
    async with aws.client("iam", account=PLATFORM_ACCOUNT, region=HOME_REGION) as iam:
        await iam.put_role_policy(
            RoleName=region.task_role_arn.rpartition("/")[2],
            PolicyName="scan",
            PolicyDocument=policies.document(policies.allow(["s3:ListBucket"], f"arn:aws:s3:::{region.bucket}")),
        )
    await write(aws, region)
    container = await start(EXECUTION_MODE="scan", SOURCE_BUCKET=region.bucket, SCAN_INTERVAL="1")

    async def delivered() -> bool:
        return sorted(await received(aws, region)) == sorted(LINES)

    await until(delivered, container)
    assert (await container.tell("stop", "--time=30")).code == 0
    assert await container.ended() == 0, await container.log()


async def test_a_mode_that_is_none_is_refused(once: Once) -> None:
    """With the exit code of wrong settings, and the variable's name."""
    ran = await once(EXECUTION_MODE="sometimes")
    assert ran.code == 2
    assert "EXECUTION_MODE" in ran.error


async def test_a_command_wins_over_the_mode(once: Once) -> None:
    """The image is the command line too."""
    ran = await once("version")
    assert (ran.code, bool(re.fullmatch(r"\d+\.\d+\.\d+\S*", ran.out.strip()))) == (0, True)


async def test_there_is_nothing_to_build_with(once: Once) -> None:
    """No compiler, no pip and no way to get one."""
    script = (
        "for tool in cc gcc g++ make pip pip3 curl wget; do command -v $tool; done; python -m pip; python -m ensurepip"
    )
    ran = await once("-c", script, entrypoint="sh")
    assert ran.out == ""
    assert "No module named pip" in ran.error
    assert "No module named ensurepip" in ran.error


def test_it_says_what_it_is(inspected: Mapping[str, Any]) -> None:
    """A number as user, a signal, a health check, labels."""
    assert inspected["User"] == "65532:65532"
    assert inspected["StopSignal"] in ("SIGTERM", "15")
    assert inspected["Healthcheck"]["Test"] == ["CMD", "healthcheck"]
    assert inspected["Entrypoint"] == ["dumb-init", "--single-child", "--", "logfanout"]
    assert not inspected.get("Cmd")
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in inspected["Labels"].items()}
    assert {"title", "description", "version", "revision", "base.name"} <= set(labels)
    assert labels["title"] == "logfanout"
    assert labels["version"] == logfanout.__version__


async def test_the_list_of_what_is_in_it_is_complete(once: Once) -> None:
    """Every package of the locks with its version, and logfanout itself, in CycloneDX."""
    shown = await once("/usr/share/doc/logfanout/sbom.cdx.json", entrypoint="cat")
    listed = json.loads(shown.out)
    assert listed["bomFormat"] == "CycloneDX"
    found = {(normal(one["name"]), one["version"]) for one in listed["components"]}
    locked = {
        (normal(name), version)
        for lock in ("run.txt", "image.txt")
        for name, version, marker in re.findall(
            r"^([\w.-]+)==([\w.!+]+)(?: ; (.*?))? \\$", (REQUIREMENTS / lock).read_text(), re.MULTILINE
        )
        if not marker
    }
    assert locked
    assert locked <= found
    names = {name for name, _ in found} | {normal(listed["metadata"]["component"]["name"])}
    assert "logfanout" in names


def normal(name: str) -> str:
    """Return a package's *name* as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", ["run.txt", "image.txt", "build.txt", "sbom.txt"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
def test_every_package_has_a_wheel_for_either_architecture(platform: str, lock: str, tmp_path: Path) -> None:
    """Without a compiler in any stage, one that has none would break the build for arm64 only."""
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("uv"),
            *("pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--python-platform", platform, "--python-version", "3.13", "--target", tmp_path),
            *("-r", REQUIREMENTS / lock),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr

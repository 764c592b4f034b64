"""``dlq`` as whole processes against the embedded AWS: what is listed, goes back, is deleted, and what stays."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.ports import ObjectRef
from logfanout.testing.clock import NOON_MS
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import notice

pytestmark = [pytest.mark.process, pytest.mark.emulator]
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with lasting_emulator() as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A queue, its dead-letter queue, and who looks at them."""

    emulator: Emulator
    sqs: Any
    url: str
    dead_url: str

    async def post(self, tenant: str, reason: str = "") -> None:
        """Leave a letter; without a *reason* as SQS does."""
        ref = ObjectRef(bucket="logs", key=f"{tenant}/c1/web/pod-1/a.gz", size_bytes=1)
        said = {"logfanout.reason": reason, "logfanout.tenant": tenant} if reason else {}
        await self.sqs.send_message(
            QueueUrl=self.dead_url,
            MessageBody=notice(ref, sent_ms=NOON_MS),
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in said.items()},
        )

    async def waiting(self, url: str) -> int:
        """Return how many messages of the queue are visible."""
        asked = ["ApproximateNumberOfMessages"]
        answer = await self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def dlq(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``logfanout dlq`` as the central account."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("LOGFANOUT_", "AWS_", "SQS_"))}
        environ = {
            "AWS_ENDPOINT_URL": self.emulator.endpoint_url,
            "AWS_ACCESS_KEY_ID": CENTRAL_ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SQS_QUEUE_URL": self.url,
        }
        command = [sys.executable, "-m", "logfanout", "dlq", *arguments]
        return subprocess.run(
            command, env=inherited | environ | more, input="", capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
async def region(emulator: Emulator, request: pytest.FixtureRequest) -> AsyncIterator[Region]:
    name = request.node.name.replace("_", "-")[:60].rstrip("-]").replace("[", "-")
    async with emulator.client("sqs", account=CENTRAL_ACCOUNT, region=REGION) as sqs:
        dead = (await sqs.create_queue(QueueName=f"{name}-dead"))["QueueUrl"]
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{CENTRAL_ACCOUNT}:{name}-dead", "maxReceiveCount": 20}
        url = (await sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)}))["QueueUrl"]
        yield Region(emulator=emulator, sqs=sqs, url=url, dead_url=dead)


async def test_letters_are_listed_and_left(region: Region) -> None:
    """By reason and tenant, for people and for programs; whoever looks next sees them too."""
    await region.post("acme", "access_denied")
    await region.post("acme", "object_gone")
    await region.post("other")
    said = region.dlq("list")
    assert (said.returncode, said.stderr) == (0, "")
    *lines, summary = said.stdout.splitlines()
    assert [line.split()[1:3] for line in lines] == [
        ["access_denied", "acme"],
        ["object_gone", "acme"],
        ["none", "other"],
    ]
    assert summary.startswith("3 letters: ")
    rows = json.loads(region.dlq("list", "--reason", "access_denied", "--reason", "none", "--json").stdout)
    assert [(row["reason"], row["tenant"]) for row in rows] == [("access_denied", "acme"), ("none", "other")]
    assert rows[0]["objects"] == ["s3://logs/acme/c1/web/pod-1/a.gz"]
    shown = region.dlq("show", rows[0]["id"], "no-such-letter")
    assert shown.returncode == 1
    assert "Records" in shown.stdout
    assert "no letter no-such-letter is there" in shown.stderr
    assert await region.waiting(region.dead_url) == 3


async def test_chosen_letters_go_back(region: Region) -> None:
    """Once, as plain notifications; a dry run sends nothing."""
    for tenant in ("acme", "acme", "other"):
        await region.post(tenant, "access_denied")
    assert region.dlq("redrive", "--tenant", "acme", "--dry-run").stdout.splitlines()[-1].startswith("2 letters: ")
    assert await region.waiting(region.dead_url) == 3
    said = region.dlq("redrive", "--tenant", "acme", "--json")
    assert (said.returncode, json.loads(said.stdout)) == (0, {"sent_back": 2, "of": 2, "more": False})
    assert (await region.waiting(region.dead_url), await region.waiting(region.url)) == (1, 2)
    answer = await region.sqs.receive_message(QueueUrl=region.url, MessageAttributeNames=["All"])
    assert not answer["Messages"][0].get("MessageAttributes")


async def test_chosen_letters_are_deleted(region: Region) -> None:
    """Not where nobody could be asked, unless that was said."""
    await region.post("acme", "unknown_tenant")
    await region.post("acme", "object_gone")
    asked = region.dlq("purge", "--reason", "unknown_tenant")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "--yes" in asked.stderr
    assert region.dlq("purge", "--reason", "unknown_tenant", "--yes").stdout == "1 of 1 letters deleted.\n"
    assert await region.waiting(region.dead_url) == 1


@pytest.mark.parametrize(
    "arguments", [("redrive",), ("purge", "--yes"), ("purge", "--all", "--tenant", "acme", "--yes")]
)
async def test_what_changes_letters_must_say_which(region: Region, arguments: tuple[str, ...]) -> None:
    """All of them are meant only where that was said."""
    said = region.dlq(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert "--all" in said.stderr


async def test_a_queue_that_is_not_known_is_a_wrong_setting(region: Region) -> None:
    """Nothing names a dead-letter queue; the one that is named lacks its source."""
    said = region.dlq("list", SQS_QUEUE_URL=region.dead_url)
    assert said.returncode == 2
    assert "LOGFANOUT_DLQ_URL" in said.stderr
    assert region.dlq("list", SQS_QUEUE_URL="").returncode == 2
    assert region.dlq("list", SQS_QUEUE_URL="", LOGFANOUT_DLQ_URL=region.dead_url).returncode == 0
    onward = region.dlq("list", LOGFANOUT_DLQ_URL=region.url)
    assert "what was looked at 20 times leaves it" in onward.stderr
    lacking = region.dlq("redrive", "--all", SQS_QUEUE_URL="", LOGFANOUT_DLQ_URL=region.dead_url)
    assert (lacking.returncode, "SQS_QUEUE_URL" in lacking.stderr) == (2, True)

"""``logfanout doctor`` as an operator runs it: with the fleet's own environment and role, against an AWS that asks."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.demo.emulator import Emulator, Session, lasting_emulator
from logfanout.demo.region import Region, provision
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, roster

pytestmark = [pytest.mark.process, pytest.mark.emulator]

KEY = "nobody/c1/web/pod-1/a.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A provisioned region with one notice on its queue, and a session of the fleet's role."""

    aws: Emulator
    region: Region
    session: Session

    @property
    def environ(self) -> Mapping[str, str]:
        """What the fleet's own processes have."""
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_REGION": HOME_REGION,
            "AWS_ACCESS_KEY_ID": self.session.access_key,
            "AWS_SECRET_ACCESS_KEY": self.session.secret_key,
            "AWS_SESSION_TOKEN": self.session.token,
            "SQS_QUEUE_URL": self.region.queue_url,
            "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN": self.region.central_role_arn,
        }


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with lasting_emulator() as aws:
        yield asyncio.run(provisioned(aws))


async def provisioned(aws: Emulator) -> Fleet:
    region = await provision(aws, roster(1))
    async with aws.client("s3", account=PLATFORM_ACCOUNT, region=HOME_REGION) as s3:
        await s3.put_object(Bucket=region.bucket, Key=KEY, Body=b"{}")
    return Fleet(aws=aws, region=region, session=await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT))


def doctor(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command with *environ* and nothing else of AWS's or ours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    command = [sys.executable, "-m", "logfanout", "doctor", *arguments]
    env = kept | nowhere | {"AWS_EC2_METADATA_DISABLED": "true"} | environ
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)


def found(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the findings by what they are about."""
    return {each["about"]: each for each in json.loads(answer.stdout)}


def test_a_fleet_that_lacks_nothing(fleet: Fleet) -> None:
    """With the permissions the fleet has and no more; the notice stays as it was, never received."""
    answer = doctor(**fleet.environ)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "ok         queue: delete and hide" in answer.stdout
    assert "0 failed" in answer.stdout.splitlines()[-1]

    async def receives() -> list[str]:
        async with fleet.aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs:
            asked = {"QueueUrl": fleet.region.queue_url, "AttributeNames": ["All"], "VisibilityTimeout": 0}
            messages = (await sqs.receive_message(**asked)).get("Messages", [])
        return [message["Attributes"]["ApproximateReceiveCount"] for message in messages]

    assert asyncio.run(receives()) == ["1"]


def test_for_programs(fleet: Fleet) -> None:
    """Every finding has the same fields; few receives are a warning."""
    answer = doctor("--json", "--object", f"s3://{fleet.region.bucket}/{KEY}", **fleet.environ)
    findings = found(answer)
    assert answer.returncode == 1
    assert {tuple(each) for each in findings.values()} == {("about", "outcome", "said", "todo")}
    assert findings["redrive policy"]["outcome"] == "warning"
    assert findings["objects"]["outcome"] == "ok"
    assert findings["object's tenant"]["outcome"] == "failed"


def test_a_role_that_may_nothing(fleet: Fleet) -> None:
    """Each finding names what is missing; the credentials are well."""
    role = asyncio.run(poor_role(fleet))
    environ = dict(fleet.environ) | {
        "AWS_ACCESS_KEY_ID": role.access_key,
        "AWS_SECRET_ACCESS_KEY": role.secret_key,
        "AWS_SESSION_TOKEN": role.token,
        "LOGFANOUT_LEDGER_TABLE": fleet.region.table,
        "SOURCE_BUCKET": fleet.region.bucket,
    }
    answer = doctor("--json", **environ)
    findings = found(answer)
    assert answer.returncode == 1
    assert findings["credentials"]["outcome"] == "ok"
    assert findings["queue"]["outcome"] == "warning"
    failures = {about: each for about, each in findings.items() if each["outcome"] == "failed"}
    assert list(failures) == ["central role", "queue: delete and hide", "tenants", "ledger"]
    assert all("AccessDenied" in each["said"] and each["todo"].startswith("allow ") for each in failures.values())


async def poor_role(fleet: Fleet) -> Session:
    trust = {"Effect": "Allow", "Principal": {"AWS": PLATFORM_ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    async with fleet.aws.client("iam", account=PLATFORM_ACCOUNT, region=HOME_REGION) as iam:
        made = await iam.create_role(RoleName="poor", AssumeRolePolicyDocument=document)
    return await fleet.aws.assume(made["Role"]["Arn"], using=PLATFORM_ACCOUNT)


def test_a_ledger_with_another_key_has_failed(fleet: Fleet) -> None:
    """As the table of tenants has; DynamoDB says what it misses."""
    root = {"AWS_ACCESS_KEY_ID": PLATFORM_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}
    answer = doctor("--json", **dict(fleet.environ) | root | {"LOGFANOUT_LEDGER_TABLE": fleet.region.table})
    findings = found(answer)
    assert (answer.returncode, findings["ledger"]["outcome"]) == (1, "failed")
    assert findings["dead-letter queue"]["outcome"] == "ok"
    assert findings["ledger: forget"]["outcome"] == "warning"


def test_a_key_that_is_wrong(fleet: Fleet) -> None:
    """The one failure there is to see; no secret is told."""
    answer = doctor(**dict(fleet.environ) | {"AWS_SECRET_ACCESS_KEY": "not-the-secret"})
    assert answer.returncode == 1
    assert [line.split()[1] for line in answer.stdout.splitlines() if line.startswith("failed")] == ["credentials"]
    assert "not-the-secret" not in answer.stdout + answer.stderr


QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/q"
KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize(
    ("arguments", "environ", "wrong"),
    [
        ((), {"LOGFANOUT_SLOTS": "0"}, ["SQS_QUEUE_URL: ", "LOGFANOUT_SLOTS: "]),
        ((), {"EXECUTION_MODE": "scan"}, ["SOURCE_BUCKET: "]),
        ((), {"EXECUTION_MODE": "daemon"}, ["EXECUTION_MODE: "]),
        ((), {"SQS_QUEUE_URL": QUEUE, **KEYS}, ["No AWS region"]),
        ((), {"SQS_QUEUE_URL": QUEUE, "AWS_REGION": "us-east-1"}, ["No AWS credentials"]),
        (("--object", "acme/a.gz"), {"SQS_QUEUE_URL": QUEUE}, ["--object: must be s3://bucket/key"]),
        (("--object", "s3://central-logs/"), {"SQS_QUEUE_URL": QUEUE}, ["--object: must be s3://bucket/key"]),
    ],
    ids=(
        "missing and wrong",
        "what a scan needs",
        "no such mode",
        "no region",
        "no credentials",
        "no address",
        "no key",
    ),
)
def test_wrong_settings_are_said_as_everywhere(
    arguments: tuple[str, ...], environ: dict[str, str], wrong: list[str]
) -> None:
    """All at once on stderr, with exit code 2; nothing is tried."""
    answer = doctor(*arguments, **environ)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert len(answer.stderr.splitlines()) == len(wrong)
    assert all(f"logfanout: {each}" in answer.stderr for each in wrong)

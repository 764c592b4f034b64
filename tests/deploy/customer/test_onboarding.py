"""A customer runs what it is given, the platform stores the row it gets back, and a real worker delivers."""

import asyncio
import gzip
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from logfanout.demo import fleet, policies
from logfanout.demo.emulator import Emulator
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

if TYPE_CHECKING:
    from tests.deploy.customer.conftest import Side

pytestmark = [pytest.mark.emulator, pytest.mark.process]
Customer = Callable[..., Awaitable["Side"]]

ACCOUNT = "222222222222"
KEY = "acme/prod/storefront/storefront-7d9f/1700000000-1.log.gz"
LINES = ["first", "second", "third"]
SECONDS = 60.0


class Platform:
    """What the platform does with one tenant: store its row, take its logs, run a worker."""

    def __init__(self, aws: Emulator, region: Region, folder: Path) -> None:
        self.aws = aws
        self.region = region
        self.log = folder / "worker.log"

    async def store(self, row: Mapping[str, Any]) -> None:
        """Put the row as the customer sent it."""
        async with self.aws.client("dynamodb", account=PLATFORM_ACCOUNT, region=HOME_REGION) as dynamodb:
            await dynamodb.put_item(TableName=self.region.table, Item=dict(row))

    async def write(self, key: str = KEY) -> None:
        """Put an object as the collectors do."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = "\n".join(json.dumps({"message": line, "timestamp": now}) for line in LINES)
        session = await self.aws.assume(self.region.shipper_role_arn, using=PLATFORM_ACCOUNT)
        async with self.aws.client_of(session, "s3", region=HOME_REGION) as s3:
            await s3.put_object(Bucket=self.region.bucket, Key=key, Body=gzip.compress(body.encode()))

    async def environment(self) -> dict[str, str]:
        """Return what the worker is told: the task's role, the central role, and no external id but the rows'."""
        return fleet.environment(
            self.region,
            endpoint_url=self.aws.endpoint_url,
            session=await self.aws.assume(self.region.task_role_arn, using=PLATFORM_ACCOUNT),
            processes="1",
            caller=dict(os.environ),
        )

    async def delivers(self) -> list[str]:
        """Run the fleet's worker until the customer has every line; return them in order."""
        async with fleet.fleet(await self.environment(), self.log) as worker, asyncio.timeout(SECONDS):
            while len(found := await self.received()) < len(LINES):
                worker.check()
                await asyncio.sleep(0.05)  # another process delivers: there is no event to wait for
            assert await worker.stop() == 0
        return found

    async def received(self, group: str = "/platform/acme") -> list[str]:
        """Return what the customer reads in its own account, as its own administrator."""
        async with self.aws.client("logs", account=ACCOUNT, region=HOME_REGION) as logs:
            try:
                answer = await logs.filter_log_events(logGroupName=group)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ResourceNotFoundException"
                return []
            return [event["message"] for event in answer["events"]]

    async def check(self, *options: str) -> tuple[int, list[dict[str, str]]]:
        """Run ``logfanout tenants check``; return its exit code and what it found."""
        code, said = await self._run("tenants", "check", "acme", "--json", *options)
        return code, json.loads(said)

    async def manual(self, key: str = KEY) -> tuple[int, str]:
        """Deliver one notification with ``logfanout manual``; return its exit code and what it says."""
        notice = {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": self.region.bucket}, "object": {"key": key, "size": 1}},
                }
            ]
        }
        return await self._run("manual", stdin=json.dumps(notice).encode())

    async def _run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "logfanout",
            *arguments,
            env=await self.environment() | {"LOGFANOUT_LOG_FORMAT": "json"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(stdin), SECONDS)
        assert process.returncode is not None
        return process.returncode, said.decode()


@pytest.fixture
def platform(aws: Emulator, region: Region, tmp_path: Path) -> Platform:
    return Platform(aws, region, tmp_path)


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param({}, marks=pytest.mark.customer),
        {"tagged": True},
        pytest.param({"group_by": "made-by-platform", "retention_days": 7}, marks=pytest.mark.customer),
        pytest.param({"group_by": "made-by-platform", "retention_days": 0, "tagged": True}, marks=pytest.mark.customer),
    ],
    ids=str,
)
async def test_the_worker_delivers_through_the_role_the_customer_made(
    customer: Customer, platform: Platform, wish: dict[str, Any]
) -> None:
    """The row is stored as the stack's output says it, and nothing is set by hand."""
    side = await customer(**wish)
    await platform.store(side.cloudwatch_row)
    await platform.write()
    assert sorted(await platform.delivers()) == sorted(LINES)


@pytest.mark.customer
@pytest.mark.timeout(900)
async def test_the_worker_delivers_through_the_role_terraform_made(
    modules_customer: Customer, platform: Platform
) -> None:
    """The same with the modules and their output."""
    side = await modules_customer(tagged=True)
    await platform.store(side.cloudwatch_row)
    await platform.write()
    assert sorted(await platform.delivers()) == sorted(LINES)


@pytest.mark.customer
async def test_the_group_keeps_what_the_customer_asked_for(
    aws: Emulator, customer: Customer, platform: Platform
) -> None:
    """Where the platform makes the group it also sets the retention that the row carries."""
    side = await customer(group_by="made-by-platform", retention_days=7)
    await platform.store(side.cloudwatch_row)
    await platform.write()
    assert (await platform.manual())[0] == 0
    async with aws.client("logs", account=ACCOUNT, region=HOME_REGION) as logs:
        [group] = (await logs.describe_log_groups(logGroupNamePrefix="/platform/acme"))["logGroups"]
    assert group["retentionInDays"] == 7


async def test_a_notice_by_hand_proves_a_new_tenant(customer: Customer, platform: Platform) -> None:
    """``logfanout manual`` is the proof at onboarding: exit code 0, and the customer reads the lines."""
    await platform.store((await customer()).cloudwatch_row)
    await platform.write()
    code, said = await platform.manual()
    assert code == 0, said
    assert await platform.received() == LINES


async def test_a_check_proves_a_new_tenant(customer: Customer, platform: Platform) -> None:
    """``logfanout tenants check``: the role chain and the group; a bucket only with an object to copy."""
    side = await customer(bucket="acme-logs")
    await platform.store(side.cloudwatch_row)
    await platform.store(side.s3_row)
    code, [group, bucket] = await platform.check()
    assert (code, group["outcome"], bucket["outcome"]) == (0, "delivered", "not tried")
    [line] = await platform.received()
    assert line.startswith("Your platform's logs for acme can be delivered here")


@pytest.mark.parametrize(
    "external_id", [{"S": "acme-4f1d"}, pytest.param(None, marks=pytest.mark.customer)], ids=["wrong", "none"]
)
async def test_a_check_tells_a_wrong_external_id(
    customer: Customer, platform: Platform, external_id: dict[str, str] | None
) -> None:
    """In STS's words, with exit code 1, and nothing arrives."""
    row = {name: value for name, value in (await customer()).cloudwatch_row.items() if name != "external_id"}
    await platform.store(row | ({"external_id": external_id} if external_id else {}))
    code, [found] = await platform.check()
    assert (code, found["outcome"]) == (1, "failed")
    assert "AssumeRole" in found["why"]
    assert "AccessDenied" in found["why"]
    assert await platform.received() == []


@pytest.mark.customer
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"external_id": {"S": "acme-4f1d"}}, "AccessDenied"),
        ({"external_id": None}, "AccessDenied"),
        ({"session_tags": {"BOOL": True}}, "TagSession"),
        ({"log_group_name": {"S": "/platform/another"}}, "PutLogEvents /platform/another"),
        (
            {"log_distribution_role_arn": {"S": f"arn:aws:iam::{ACCOUNT}:role/CustomerLogDistribution-x"}},
            "AccessDenied",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "+".join(value),
)
async def test_a_row_that_is_wrong_is_refused_and_says_why(
    customer: Customer, platform: Platform, change: dict[str, Any], said: str
) -> None:
    """A wrong external id, none (the platform's own is sent), tags nobody takes, another group, another role."""
    row = {**(await customer()).cloudwatch_row, **change}
    await platform.store({name: value for name, value in row.items() if value is not None})
    await platform.write()
    code, output = await platform.manual()
    assert code == 1
    assert said in output
    assert "logfanout: not delivered" in output
    assert await platform.received() == []


async def test_another_tenants_row_cannot_borrow_the_role(customer: Customer, platform: Platform) -> None:
    """The confused deputy: a row of another tenant that names this role and its external id is stopped by the tag."""
    side = await customer(tagged=True)
    await platform.store({**side.cloudwatch_row, "tenant_id": {"S": "mallory"}})
    key = KEY.replace("acme/", "mallory/", 1)
    await platform.write(key)
    code, output = await platform.manual(key)
    assert (code, "AccessDenied" in output) == (1, True)
    assert await platform.received() == []


@pytest.mark.customer
async def test_offboarding_ends_the_delivery_and_keeps_the_logs(
    aws: Emulator, customer: Customer, platform: Platform
) -> None:
    """Deleting the stack takes the role away; what was delivered stays."""
    await platform.store((await customer()).cloudwatch_row)
    await platform.write()
    assert (await platform.manual())[0] == 0
    async with aws.client("cloudformation", account=ACCOUNT, region=HOME_REGION) as cloudformation:
        await cloudformation.delete_stack(StackName="logfanout")
        async with asyncio.timeout(SECONDS):
            # Deleted by a task of the emulator's: there is no event to wait for.
            while not (await cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"]))["StackSummaries"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert await platform.received() == LINES
    await platform.write(KEY.replace("-1.", "-2."))
    assert (await platform.manual(KEY.replace("-1.", "-2.")))[0] == 1
    assert await platform.received() == LINES


async def test_copies_go_below_the_tenants_name(aws: Emulator, region: Region, customer: Customer) -> None:
    """The central role may add objects there; elsewhere, without the ACL or over plain HTTP it may not, nor read."""
    side = await customer(bucket="acme-logs")
    task = await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)
    central = await aws.assume(region.central_role_arn, using=task)
    copied = "ROSA/cluster-logs/acme/storefront/pod/1.log.gz"
    # The emulator copies within one account only; of the destination a copy asks what a put asks.
    asked = {"Bucket": "acme-logs", "Key": copied, "Body": b"as collected", "ACL": "bucket-owner-full-control"}
    async with (
        aws.client("s3", account=ACCOUNT, region=HOME_REGION) as as_customer,
        aws.client_of(central, "s3", region=HOME_REGION) as as_central,
    ):
        # It speaks plain HTTP, which the policy refuses, and knows callers of another account by their account alone.
        # That seen, the rest is tried without the one and for the other (test_policies.py asks of both).
        with pytest.raises(ClientError, match="AccessDenied"):
            await as_central.put_object(**asked)
        whole_platform = {"Principal": {"AWS": f"arn:aws:iam::{PLATFORM_ACCOUNT}:root"}}
        let_in = [one | whole_platform for one in side.bucket_policy["Statement"] if one["Sid"] != "TlsOnly"]
        await as_customer.put_bucket_policy(Bucket="acme-logs", Policy=policies.document(*let_in))
        await as_central.put_object(**asked)
        for changed in ({"Key": copied.replace("/acme/", "/other/")}, {"ACL": "private"}):
            with pytest.raises(ClientError, match="AccessDenied"):
                await as_central.put_object(**asked | changed)
        with pytest.raises(ClientError, match="AccessDenied"):
            await as_central.get_object(Bucket="acme-logs", Key=copied)
        place = {"Bucket": "acme-logs", "Key": copied.replace("/1.", "/large.")}
        begun = await as_central.create_multipart_upload(**place, ACL="bucket-owner-full-control")
        await as_central.abort_multipart_upload(**place, UploadId=begun["UploadId"])
        assert not (await as_customer.list_multipart_uploads(Bucket="acme-logs")).get("Uploads")
        assert await (await as_customer.get_object(Bucket="acme-logs", Key=copied))["Body"].read() == b"as collected"

"""What is provisioned is enough for the fleet, and no more than that."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logfanout.demo import backlog
from logfanout.demo.emulator import Emulator, Session
from logfanout.demo.region import Region, row
from logfanout.demo.roster import HOME_REGION, OTHER_REGION, PLATFORM_ACCOUNT, Tenant, roster

emulated = pytest.mark.emulator


async def refused(call: Awaitable[Any]) -> bool:
    """Whether AWS's answer is that one may not."""
    try:
        await call
    except ClientError as error:
        return bool(error.response["Error"]["Code"].startswith("AccessDenied"))
    return False


async def task_of(aws: Emulator, region: Region) -> Session:
    return await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)


async def central_of(aws: Emulator, region: Region) -> Session:
    return await aws.assume(region.central_role_arn, using=await task_of(aws, region))


async def customer_of(aws: Emulator, region: Region, tenant: Tenant) -> Session:
    return await aws.assume(tenant.role_arn, using=await central_of(aws, region), external_id=tenant.external_id)


@emulated
async def test_the_role_chain_leads_into_every_account(aws: Emulator, region: Region) -> None:
    """Task role, central role, customer's role: each tenant's group can be made and written."""
    for tenant in region.tenants:
        session = await customer_of(aws, region, tenant)
        async with aws.client_of(session, "logs", region=tenant.region) as logs:
            where = {"logGroupName": tenant.log_group}
            await logs.create_log_group(**where)
            await logs.put_retention_policy(**where, retentionInDays=7)
            await logs.create_log_stream(**where, logStreamName="s")
            await logs.put_log_events(**where, logStreamName="s", logEvents=[{"timestamp": 1, "message": "x"}])


@emulated
@pytest.mark.parametrize("said", ["", "something else"])
async def test_a_wrong_external_id_is_refused(aws: Emulator, region: Region, said: str) -> None:
    """The confused deputy gets nowhere, with a wrong ExternalId and with none."""
    central = await central_of(aws, region)
    for tenant in region.tenants:
        assert await refused(aws.assume(tenant.role_arn, using=central, external_id=said))


@emulated
async def test_one_tenants_external_id_does_not_open_another(aws: Emulator, region: Region) -> None:
    """The tenant with an ExternalId of its own is not reached with the platform's."""
    own = next(tenant for tenant in region.tenants if tenant.external_id != PLATFORM_ACCOUNT)
    central = await central_of(aws, region)
    assert await refused(aws.assume(own.role_arn, using=central, external_id=PLATFORM_ACCOUNT))


@emulated
async def test_customers_trust_the_central_role_alone(aws: Emulator, region: Region) -> None:
    """The task role cannot skip the first hop, and a customer cannot become another one."""
    first, second = region.tenants[:2]
    task, customer = await task_of(aws, region), await customer_of(aws, region, first)
    assert await refused(aws.assume(first.role_arn, using=task, external_id=first.external_id))
    assert await refused(aws.assume(second.role_arn, using=customer, external_id=second.external_id))


@emulated
async def test_a_tenants_role_cannot_write_to_another_tenants_group(aws: Emulator, region: Region) -> None:
    """Not in the other account, nor to a group of that name in its own, nor in another region."""
    first, second = region.tenants[:2]
    async with aws.client_of(await customer_of(aws, region, second), "logs", region=second.region) as logs:
        await logs.create_log_group(logGroupName=second.log_group)
        await logs.create_log_stream(logGroupName=second.log_group, logStreamName="s")
    event = [{"timestamp": 1, "message": "x"}]
    session = await customer_of(aws, region, first)
    for where in (HOME_REGION, OTHER_REGION):
        async with aws.client_of(session, "logs", region=where) as logs:
            put = logs.put_log_events(logGroupName=second.log_group, logStreamName="s", logEvents=event)
            assert await refused(put)
            assert await refused(logs.create_log_group(logGroupName=second.log_group))
    async with aws.client_of(session, "logs", region=OTHER_REGION) as logs:
        assert await refused(logs.create_log_group(logGroupName=first.log_group))
        assert await refused(logs.describe_log_groups())


@emulated
async def test_the_worker_may_not_more_than_it_must(aws: Emulator, region: Region) -> None:
    """It writes no objects, changes no tenants, reads no dead letters."""
    task = await task_of(aws, region)
    async with (
        aws.client_of(task, "s3", region=HOME_REGION) as s3,
        aws.client_of(task, "sqs", region=HOME_REGION) as sqs,
        aws.client_of(task, "dynamodb", region=HOME_REGION) as dynamodb,
    ):
        assert await refused(s3.put_object(Bucket=region.bucket, Key="x", Body=b""))
        assert await refused(s3.list_objects_v2(Bucket=region.bucket))
        assert await refused(sqs.receive_message(QueueUrl=region.dead_letters_url))
        assert await refused(sqs.send_message(QueueUrl=region.queue_url, MessageBody="x"))
        assert await refused(dynamodb.put_item(TableName=region.table, Item=row(region.tenants[0])))
        assert await refused(dynamodb.scan(TableName=region.table))


@emulated
async def test_the_worker_may_what_it_must(aws: Emulator, region: Region) -> None:
    """The queue, its attributes, the table, and the dead letters to write to."""
    task = await task_of(aws, region)
    async with (
        aws.client_of(task, "sqs", region=HOME_REGION) as sqs,
        aws.client_of(task, "dynamodb", region=HOME_REGION) as dynamodb,
    ):
        attributes = await sqs.get_queue_attributes(QueueUrl=region.queue_url, AttributeNames=["RedrivePolicy"])
        dead_letters_arn = json.loads(attributes["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
        assert region.dead_letters_url.endswith(f"/{dead_letters_arn.rsplit(':', 1)[1]}")
        await sqs.send_message(QueueUrl=region.dead_letters_url, MessageBody="x")
        key = {"tenant_id": {"S": region.tenants[0].name}, "type": {"S": "cloudwatch"}}
        assert (await dynamodb.get_item(TableName=region.table, Key=key))["Item"] == row(region.tenants[0])


@emulated
async def test_a_put_is_announced_in_an_sns_envelope_and_tallied(aws: Emulator, region: Region) -> None:
    """The fleet's queue and the tally both hear of S3's test event and of every object."""
    two_announced = backlog.Depth(announced=2, waiting=2, in_hand=0, dead=0)
    async with aws.client("s3", account=PLATFORM_ACCOUNT, region=HOME_REGION) as s3:
        await s3.put_object(Bucket=region.bucket, Key="a/b c", Body=b"")
    async with aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs:
        async with asyncio.timeout(10):
            # Another process delivers: there is no event to wait for.
            while (await backlog.depth(sqs, region)) != two_announced:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        received = await sqs.receive_message(QueueUrl=region.queue_url, MaxNumberOfMessages=10)
    told = [json.loads(json.loads(message["Body"])["Message"]) for message in received["Messages"]]
    assert {one.get("Event") for one in told} == {"s3:TestEvent", None}
    (records,) = (one["Records"] for one in told if "Records" in one)
    assert records[0]["s3"]["object"]["key"] == "a/b+c"


def test_rows_say_only_what_is_not_the_default() -> None:
    """Each variation is a field of its own; the plain tenant has none of them."""
    optional = {"target_region", "external_id", "log_retention_days", "desired_logs"}
    plain, _, keeps, own, picky = (set(row(tenant)) & optional for tenant in roster(5))
    assert plain == set()
    assert keeps == {"log_retention_days"}
    assert own == {"target_region", "external_id"}
    assert picky == {"desired_logs"}

"""What must stand in AWS before the fleet can run?

    bucket ──► SNS topic ──► SQS queue (+ its dead letters, + a tally of our own)
    table of tenants · task role ──► central role ──► a role in each tenant's account

All of it through AWS's own API, as Terraform would. What a tenant's role can make itself is not made:
groups and streams appear when the fleet first delivers.
"""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from logfanout.demo import policies
from logfanout.demo.emulator import Emulator
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, Tenant

BUCKET = "logfanout-demo-logs"
TOPIC = "logfanout-demo-notices"
QUEUE = "logfanout-demo-notices"
DEAD_LETTERS = "logfanout-demo-notices-dlq"
TALLY = "logfanout-demo-tally"
TABLE = "tenant-configurations"
TASK_ROLE, CENTRAL_ROLE, SHIPPER_ROLE = "logfanout-task", "CentralLogDistribution", "logfanout-demo-vector"
MOST_RECEIVES = 5  # before SQS gives a message up by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The platform's side of one region, provisioned."""

    tenants: tuple[Tenant, ...]
    bucket: str
    queue_url: str
    dead_letters_url: str
    tally_url: str  # a second subscriber nobody reads from: its depth is the number of notices S3 has sent
    table: str
    task_role_arn: str
    central_role_arn: str
    shipper_role_arn: str


async def provision(aws: Emulator, tenants: Sequence[Tenant]) -> Region:
    """Build everything for *tenants* in an empty emulator and return where it is."""
    async with AsyncExitStack() as opened:
        clients = {
            service: await opened.enter_async_context(aws.client(service, account=PLATFORM_ACCOUNT, region=HOME_REGION))
            for service in ("s3", "sns", "sqs", "dynamodb", "iam")
        }
        region = await _platform(clients, tenants)
    for tenant in tenants:
        await _customer(aws, tenant, trusts=region.central_role_arn)
    return region


async def _platform(clients: dict[str, Any], tenants: Sequence[Tenant]) -> Region:
    topic_arn = await _topic(clients["sns"])
    dead_letters_url, dead_letters_arn = await _queue(clients["sqs"], DEAD_LETTERS)
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": MOST_RECEIVES}
    queue_url, queue_arn = await _queue(
        clients["sqs"], QUEUE, fed_by=topic_arn, RedrivePolicy=json.dumps(redrive), VisibilityTimeout="120"
    )
    tally_url, tally_arn = await _queue(clients["sqs"], TALLY, fed_by=topic_arn)
    for queue in (queue_arn, tally_arn):
        await clients["sns"].subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue)
    await _bucket(clients["s3"], announces_to=topic_arn)
    table_arn = await _table(clients["dynamodb"], tenants)
    iam, trusted = clients["iam"], f"arn:aws:iam::{PLATFORM_ACCOUNT}:root"
    task_role_arn = await _role(iam, TASK_ROLE, trusted_by=policies.trust(trusted))
    central_role_arn = await _role(iam, CENTRAL_ROLE, trusted_by=policies.trust(task_role_arn), may=policies.central())
    allowed = policies.worker(
        queue_arn=queue_arn,
        dead_letters_arn=dead_letters_arn,
        bucket=BUCKET,
        table_arn=table_arn,
        central_role_arn=central_role_arn,
    )
    await iam.put_role_policy(RoleName=TASK_ROLE, PolicyName="needed", PolicyDocument=allowed)
    return Region(
        tenants=tuple(tenants),
        bucket=BUCKET,
        queue_url=queue_url,
        dead_letters_url=dead_letters_url,
        tally_url=tally_url,
        table=TABLE,
        task_role_arn=task_role_arn,
        central_role_arn=central_role_arn,
        shipper_role_arn=await _role(
            iam, SHIPPER_ROLE, trusted_by=policies.trust(trusted), may=policies.shipper(BUCKET)
        ),
    )


async def _topic(sns: Any) -> str:
    topic_arn = str((await sns.create_topic(Name=TOPIC))["TopicArn"])
    allowed = policies.published_by(
        "s3.amazonaws.com", source_arn=f"arn:aws:s3:::{BUCKET}", action="sns:Publish", resource=topic_arn
    )
    await sns.set_topic_attributes(TopicArn=topic_arn, AttributeName="Policy", AttributeValue=allowed)
    return topic_arn


async def _queue(sqs: Any, name: str, *, fed_by: str = "", **attributes: str) -> tuple[str, str]:
    """Make a queue, which *fed_by* may send to; return its URL and its ARN."""
    arn = f"arn:aws:sqs:{HOME_REGION}:{PLATFORM_ACCOUNT}:{name}"
    if fed_by:
        attributes["Policy"] = policies.published_by(
            "sns.amazonaws.com", source_arn=fed_by, action="sqs:SendMessage", resource=arn
        )
    return str((await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"]), arn


async def _bucket(s3: Any, *, announces_to: str) -> None:
    await s3.create_bucket(Bucket=BUCKET)
    await s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": announces_to, "Events": ["s3:ObjectCreated:*"]}]
        },
    )


async def _table(dynamodb: Any, tenants: Sequence[Tenant]) -> str:
    made = await dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "tenant_id", "AttributeType": "S"},
            {"AttributeName": "type", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "tenant_id", "KeyType": "HASH"},
            {"AttributeName": "type", "KeyType": "RANGE"},
        ],
    )
    for tenant in tenants:
        await dynamodb.put_item(TableName=TABLE, Item=row(tenant))
    return str(made["TableDescription"]["TableArn"])


def row(tenant: Tenant) -> dict[str, Any]:
    """Return *tenant*'s row as PutItem wants it; what is the default is left out."""
    item: dict[str, Any] = {
        "tenant_id": {"S": tenant.name},
        "type": {"S": "cloudwatch"},
        "enabled": {"BOOL": True},
        "log_distribution_role_arn": {"S": tenant.role_arn},
        "log_group_name": {"S": tenant.log_group},
    }
    if tenant.region != HOME_REGION:
        item["target_region"] = {"S": tenant.region}
    if tenant.external_id != PLATFORM_ACCOUNT:
        item["external_id"] = {"S": tenant.external_id}
    if tenant.retention_days is not None:
        item["log_retention_days"] = {"N": str(tenant.retention_days)}
    if tenant.wanted:
        item["desired_logs"] = {"L": [{"S": pattern} for pattern in tenant.wanted]}
    return item


async def _customer(aws: Emulator, tenant: Tenant, *, trusts: str) -> None:
    """Do what a customer does once, in its own account."""
    allowed = policies.customer(account=tenant.account, region=tenant.region, log_group=tenant.log_group)
    async with aws.client("iam", account=tenant.account, region=HOME_REGION) as iam:
        await _role(
            iam,
            tenant.role_name,
            trusted_by=policies.trust(trusts, external_id=tenant.external_id),
            may=allowed,
        )


async def _role(iam: Any, name: str, *, trusted_by: str, may: str = "") -> str:
    made = await iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted_by)
    if may:
        await iam.put_role_policy(RoleName=name, PolicyName="needed", PolicyDocument=may)
    return str(made["Role"]["Arn"])

"""What lies in the tenants' own buckets?

enrol ──► a bucket in the tenant's account and region, and its row        held ──► what was copied, byte for byte
"""

import json
from collections.abc import Iterable, Mapping

from logfanout.demo import policies
from logfanout.demo.region import CENTRAL_ROLE
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, Tenant
from logfanout.demo.vector import LogObject
from logfanout.testing.drills.stage import Drill

PREFIX = "from-the-platform/"


def bucket_of(tenant: Tenant) -> str:
    """Return the bucket's name."""
    return f"{tenant.name}-log-archive"


async def enrol(stage: Drill, *tenants: Tenant) -> None:
    """Give *tenants* a bucket beside their log group, and let the central role read our objects and put theirs."""
    allowed = policies.document(
        policies.allow(["sts:AssumeRole"], "arn:aws:iam::*:role/CustomerLogDistribution-*"),
        policies.allow(["s3:GetObject"], f"arn:aws:s3:::{stage.region.bucket}/*"),
        policies.allow(["s3:PutObject", "s3:PutObjectAcl"], *(f"arn:aws:s3:::{bucket_of(each)}/*" for each in tenants)),
    )
    async with stage.client("iam") as iam:
        await iam.put_role_policy(RoleName=CENTRAL_ROLE, PolicyName="copies", PolicyDocument=allowed)
    for tenant in tenants:
        place = {} if tenant.region == "us-east-1" else {"LocationConstraint": tenant.region}
        async with stage.aws.client("s3", account=tenant.account, region=tenant.region) as s3:
            await s3.create_bucket(Bucket=bucket_of(tenant), **({"CreateBucketConfiguration": place} if place else {}))
        await let_in(stage, tenant)
    async with stage.aws.client("dynamodb", account=PLATFORM_ACCOUNT, region=HOME_REGION) as dynamodb:
        for tenant in tenants:
            await dynamodb.put_item(TableName=stage.region.table, Item=_row(tenant))


def _row(tenant: Tenant) -> Mapping[str, object]:
    wanted = {"desired_logs": {"SS": list(tenant.wanted)}} if tenant.wanted else {}
    return wanted | {
        "tenant_id": {"S": tenant.name},
        "type": {"S": "s3"},
        "bucket_name": {"S": bucket_of(tenant)},
        "bucket_prefix": {"S": PREFIX},
        "target_region": {"S": tenant.region},
    }


async def let_in(stage: Drill, tenant: Tenant, *, effect: str = "Allow") -> None:
    """Let *tenant*'s bucket policy take what the central role puts under the prefix, or with ``Deny`` nothing."""
    statement = {
        "Effect": effect,
        # A tenant would name the central role alone; the embedded AWS tells accounts apart here, and not their roles.
        "Principal": {"AWS": f"arn:aws:iam::{PLATFORM_ACCOUNT}:root"},
        "Action": ["s3:PutObject", "s3:PutObjectAcl"],
        "Resource": f"arn:aws:s3:::{bucket_of(tenant)}/{PREFIX}*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    async with stage.aws.client("s3", account=tenant.account, region=tenant.region) as s3:
        await s3.put_bucket_policy(Bucket=bucket_of(tenant), Policy=document)


async def held(stage: Drill, tenant: Tenant) -> dict[str, bytes]:
    """Return what lies in *tenant*'s bucket, by key."""
    found: dict[str, bytes] = {}
    async with stage.aws.client("s3", account=tenant.account, region=tenant.region) as s3:
        listed = await s3.list_objects_v2(Bucket=bucket_of(tenant))
        for each in listed.get("Contents", []):
            answer = await s3.get_object(Bucket=bucket_of(tenant), Key=each["Key"])
            async with answer["Body"] as body:
                found[each["Key"]] = await body.read()
    return found


def due(tenant: Tenant, written: Iterable[LogObject]) -> dict[str, bytes]:
    """Return what must lie in *tenant*'s bucket once *written* is delivered."""
    found: dict[str, bytes] = {}
    for one in written:
        if one.tenant == tenant.name and tenant.wants(one.application):
            name, _cluster, application, pod, file = one.key.split("/", 4)
            found[f"{PREFIX}{name}/{application}/{pod}/{file}"] = one.body
    return found

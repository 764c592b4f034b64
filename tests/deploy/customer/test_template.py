"""The template tells a customer what is wrong before it makes anything, and everything it asks is explained."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import ClientError

from logfanout.demo.emulator import Emulator
from logfanout.demo.roster import HOME_REGION
from logfanout.tenants.log_groups import RETENTION_DAYS

DOCS = Path(__file__).parents[3]
CUSTOMER = DOCS / "deploy" / "customer"
Stack = Callable[..., Awaitable[dict[str, str]]]
KEY = "arn:aws:kms:us-east-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"

WRONG = [
    ({"TenantId": "acme*"}, "1 to 255 letters"),
    ({"TenantId": "acme/other"}, "1 to 255 letters"),
    ({"TenantId": '","admin":{"BOOL":true},"x":"'}, "1 to 255 letters"),
    ({"CentralRoleArn": "arn:aws:iam::999999999999:root"}, "no account's root"),
    ({"CentralRoleArn": "*"}, "no wildcard"),
    ({"CentralRoleArn": "arn:aws:iam::999999999999:role/*"}, "no wildcard"),
    ({"ExternalId": "x"}, "2 to 1,224"),
    ({"ExternalId": "acme 4f1c"}, "2 to 1,224"),
    ({"SessionTags": "yes"}, "SessionTags"),
    ({"RoleSuffix": "a" * 41}, "1 to 40"),
    ({"LogGroupName": "/platform/*"}, "1 to 512"),
    ({"LogGroupName": "aws/lambda"}, "AWS's own"),
    ({"LogGroup": "yes"}, "LogGroup"),
    ({"RetentionDays": "31"}, "RetentionDays"),
    ({"KmsKeyArn": "alias/logs"}, "not of an alias"),
    ({"S3Destination": "yes"}, "S3Destination"),
    ({"S3Destination": "made-here", "S3BucketName": "Acme_Logs"}, "3 to 63"),
    ({"S3Prefix": "logs"}, "each ending with /"),
]
DISAGREEING = [
    ({"KmsKeyArn": KEY, "LogGroup": "existing"}, "LogGroup must be made-here"),
    ({"S3Destination": "made-here"}, "S3BucketName must name the bucket"),
    ({"S3BucketName": "acme-logs"}, "S3Destination must be made-here or existing"),
]


@pytest.mark.emulator
@pytest.mark.parametrize(("told", "said"), WRONG + DISAGREEING, ids=lambda value: str(value)[:60])
async def test_what_is_wrong_is_refused_with_what_is_right(stack: Stack, told: dict[str, str], said: str) -> None:
    """Before anything is made, in words the customer can act on."""
    with pytest.raises(ClientError, match=re.escape(said)):
        await stack(**told)


@pytest.mark.emulator
@pytest.mark.parametrize(
    "told",
    [
        {},
        {"KmsKeyArn": KEY},
        {"SessionTags": "required", "LogGroup": "existing"},
        {"S3Destination": "existing", "S3BucketName": "acme-logs", "S3Prefix": ""},
        {"CentralRoleArn": "arn:aws-us-gov:iam::999999999999:role/path/central"},
    ],
    ids=str,
)
async def test_what_is_right_is_made(stack: Stack, told: dict[str, str]) -> None:
    """Each choice by itself."""
    assert (await stack(**told))["RoleArn"].endswith(":role/CustomerLogDistribution-acme")


async def buckets_of(aws: Emulator) -> list[str]:
    """Return the names of the customer's buckets."""
    async with aws.client("s3", account="222222222222", region=HOME_REGION) as s3:
        return [bucket["Name"] for bucket in (await s3.list_buckets())["Buckets"]]


@pytest.mark.emulator
async def test_a_bucket_that_exists_gets_a_statement_to_add(aws: Emulator, stack: Stack) -> None:
    """Its policy is the customer's: the stack does not write over it."""
    outputs = await stack(S3Destination="existing", S3BucketName="acme-logs", S3Prefix="")
    added = json.loads(f"[{outputs['S3PolicyStatements']}]")
    assert [(one["Action"], one["Resource"]) for one in added] == [
        (["s3:PutObject", "s3:PutObjectAcl"], "arn:aws:s3:::acme-logs/acme/*"),
        ("s3:AbortMultipartUpload", "arn:aws:s3:::acme-logs/acme/*"),
    ]
    assert (await buckets_of(aws)) == []


def test_every_parameter_is_explained(template: dict[str, Any]) -> None:
    """What it is, what it may be, and under which heading it is asked."""
    parameters = template["Parameters"]
    for name, parameter in parameters.items():
        assert parameter["Description"].endswith("."), name
        assert parameter["ConstraintDescription"].endswith("."), name
        assert "AllowedPattern" in parameter or "AllowedValues" in parameter, name
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for name in group["Parameters"]] == list(parameters)


def test_the_template_knows_the_days_that_the_worker_knows(template: dict[str, Any]) -> None:
    """A retention that one takes and the other refuses would dead-letter the tenant's logs."""
    assert set(template["Parameters"]["RetentionDays"]["AllowedValues"]) == {0, *RETENTION_DAYS}


@pytest.mark.parametrize(
    ("parameter", "module"),
    [
        ("TenantId", ""),
        ("TenantId", "modules/bucket"),
        ("CentralRoleArn", ""),
        ("CentralRoleArn", "modules/bucket"),
        ("ExternalId", ""),
        ("RoleSuffix", ""),
        ("S3BucketName", "modules/bucket"),
        ("S3Prefix", "modules/bucket"),
        ("KmsKeyArn", "modules/log_group"),
    ],
)
def test_the_modules_refuse_what_the_template_refuses(template: dict[str, Any], parameter: str, module: str) -> None:
    """One pattern for both: a tenant that one takes and the other does not would be a riddle."""
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    if pattern.startswith("(") and pattern.endswith(")?"):
        pattern = pattern[1:-2]  # optional in the template
    variables = (CUSTOMER / "terraform" / module / "variables.tf").read_text("utf-8")
    assert f'"^{pattern}$"' in variables


@pytest.mark.parametrize("page", ["docs/onboarding.md", "deploy/customer/README.md"])
def test_the_link_names_parameters_that_exist(template: dict[str, Any], page: str) -> None:
    """CloudFormation ignores a parameter it does not know: the customer would see an empty field."""
    text = re.sub(r"\s*\n\s*", "", (DOCS / page).read_text("utf-8"))
    links = re.findall(r"stacks/create/review\?([^\s`]+)", text)
    assert links
    for link in links:
        named = {name.removeprefix("param_") for name in parse_qs(link) if name.startswith("param_")}
        assert {"TenantId", "CentralRoleArn", "ExternalId", "LogGroupName"} <= named <= set(template["Parameters"])

"""A platform and a customer in two accounts of one embedded AWS; the customer's side is made by what customers run."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy import stack, terraform
from tests.deploy.stack import CUSTOMER, TEMPLATE, Wish, parameters

from logfanout.demo import policies
from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.demo.region import CENTRAL_ROLE, Region, provision
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

ACCOUNT = "222222222222"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What the customer has made: documents as AWS holds them, and what it sends to the platform."""

    role_arn: str
    trust: Mapping[str, Any]
    permissions: Mapping[str, Any]
    bucket_policy: Mapping[str, Any]
    cloudwatch_row: Mapping[str, Any]
    s3_row: Mapping[str, Any]


async def create_stack(aws: Emulator, told: Mapping[str, str], *, account: str = ACCOUNT) -> dict[str, str]:
    """Make the stack in the customer's account and return its outputs; raise AWS's error, or why it rolled back."""
    async with aws.client("cloudformation", account=account, region=HOME_REGION) as cloudformation:
        await cloudformation.create_stack(**stack.order(told))
        made = await until_done(cloudformation)
        if made["StackStatus"] != "CREATE_COMPLETE":
            events = (await cloudformation.describe_stack_events(StackName=stack.NAME))["StackEvents"]
            raise AssertionError([event.get("ResourceStatusReason") for event in events])
    return stack.outputs(made)


async def until_done(cloudformation: Any) -> dict[str, Any]:
    """Return the stack once it changes no more."""
    while True:
        found: dict[str, Any] = (await cloudformation.describe_stacks(StackName=stack.NAME))["Stacks"][0]
        if found["StackStatus"] in stack.DONE:
            return found


async def by_cloudformation(aws: Emulator, wish: Wish, central_role_arn: str) -> Side:
    """Make the customer's side with the template."""
    outputs = await create_stack(aws, parameters(wish, central_role_arn))
    return await side(aws, wish, outputs["CloudWatchRow"], outputs.get("S3Row", "{}"))


async def by_terraform(aws: Emulator, wish: Wish, central_role_arn: str, folder: Path) -> Side:
    """Make it with the modules, as a configuration of the customer's own that calls them."""
    rows = await asyncio.to_thread(apply, configuration(aws, wish, central_role_arn), folder)
    return await side(aws, wish, rows["cloudwatch_row"], rows.get("s3_row", "{}"))


def apply(written: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Apply what a customer has *written* in *folder*, and return its outputs."""
    shutil.copytree(CUSTOMER / "terraform", folder / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    (folder / "main.tf.json").write_text(json.dumps(written))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))} | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }

    def run(command: str, *options: str) -> str:
        return terraform.run(command, *options, folder=folder, environment=environment, seconds=terraform.LONG)

    run("init")
    run("apply", "-auto-approve")
    return {name: output["value"] for name, output in json.loads(run("output", "-json")).items()}


def configuration(aws: Emulator, wish: Wish, central_role_arn: str) -> dict[str, Any]:
    """Return what a customer would write, with the provider led to the emulator."""
    services = ("iam", "logs", "s3", "s3control", "sts")
    told = {"tenant_id": wish.tenant, "central_role_arn": central_role_arn}
    modules: dict[str, Any] = {
        "logfanout": told
        | {
            "source": "./modules",
            "external_id": wish.external_id,
            "role_suffix": wish.tenant,
            "log_group_name": wish.group,
            "require_session_tag": wish.tagged,
            "platform_makes_group": wish.group_by == "made-by-platform",
            "platform_sets_retention_days": wish.retention_days if wish.group_by == "made-by-platform" else 0,
        }
    }
    outputs = {"cloudwatch_row": {"value": "${module.logfanout.cloudwatch_row}"}}
    if wish.group_by == "made-here":
        modules["log_group"] = {
            "source": "./modules/modules/log_group",
            "name": wish.group,
            "retention_days": wish.retention_days,
        }
    if wish.bucket:
        modules["bucket"] = told | {"source": "./modules/modules/bucket", "name": wish.bucket}
        outputs["s3_row"] = {"value": "${module.bucket.s3_row}"}
    provider = {
        "region": HOME_REGION,
        "access_key": ACCOUNT,
        "secret_key": "test",
        "s3_use_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_requesting_account_id": True,
        "endpoints": [dict.fromkeys(services, aws.endpoint_url)],
    }
    return {"provider": {"aws": provider}, "module": modules, "output": outputs}


async def side(aws: Emulator, wish: Wish, cloudwatch_row: str, s3_row: str) -> Side:
    """Read back what stands in the customer's account."""
    name = f"CustomerLogDistribution-{wish.tenant}"
    async with aws.client("iam", account=ACCOUNT, region=HOME_REGION) as iam:
        role = (await iam.get_role(RoleName=name))["Role"]
        written = await iam.get_role_policy(RoleName=name, PolicyName="write-to-one-log-group")
    bucket_policy = "{}"
    if wish.bucket:
        async with aws.client("s3", account=ACCOUNT, region=HOME_REGION) as s3:
            bucket_policy = (await s3.get_bucket_policy(Bucket=wish.bucket))["Policy"]
    return Side(
        role_arn=role["Arn"],
        trust=role["AssumeRolePolicyDocument"],
        permissions=written["PolicyDocument"],
        bucket_policy=json.loads(bucket_policy),
        cloudwatch_row=json.loads(cloudwatch_row),
        s3_row=json.loads(s3_row),
    )


@pytest.fixture(scope="session")
def shared_aws() -> Iterator[Emulator]:
    with lasting_emulator() as aws:
        yield aws


@pytest.fixture
async def aws(shared_aws: Emulator) -> Emulator:
    await shared_aws.reset()
    return shared_aws


@pytest.fixture
async def region(aws: Emulator) -> AsyncIterator[Region]:
    """The platform without a tenant; its central role may tag the sessions it asks for, as deploy/terraform lets it."""
    made = await provision(aws, ())
    async with aws.client("iam", account=PLATFORM_ACCOUNT, region=HOME_REGION) as iam:
        await iam.put_role_policy(
            RoleName=CENTRAL_ROLE,
            PolicyName="needed",
            PolicyDocument=policies.document(
                policies.allow(["sts:AssumeRole", "sts:TagSession"], "arn:aws:iam::*:role/CustomerLogDistribution-*"),
                # To write where a bucket's owner lets it.
                policies.allow(["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"], "arn:aws:s3:::*/*"),
            ),
        )
    yield made


@pytest.fixture
def customer(aws: Emulator, region: Region) -> Callable[..., Awaitable[Side]]:
    """Return what makes a customer's side as it wishes, with the template."""

    async def made(**wishes: Any) -> Side:
        return await by_cloudformation(aws, Wish(**wishes), region.central_role_arn)

    return made


@pytest.fixture
def modules_customer(aws: Emulator, region: Region, tmp_path: Path) -> Callable[..., Awaitable[Side]]:
    """Return what makes it with the Terraform modules."""

    async def made(**wishes: Any) -> Side:
        return await by_terraform(aws, Wish(**wishes), region.central_role_arn, tmp_path)

    return made


@pytest.fixture(scope="session")
def sides() -> dict[Wish, Side]:
    """The customers' sides that have been made already: documents are values, and many tests ask of the same."""
    return {}


@pytest.fixture
async def made(shared_aws: Emulator, sides: dict[Wish, Side]) -> Callable[..., Awaitable[Side]]:
    """Return what shows the documents of a customer's side, made once with the template and no longer there."""

    async def shown(**wishes: Any) -> Side:
        wish = Wish(**wishes)
        if wish not in sides:
            await shared_aws.reset()
            sides[wish] = await by_cloudformation(
                shared_aws, wish, f"arn:aws:iam::{PLATFORM_ACCOUNT}:role/{CENTRAL_ROLE}"
            )
        return sides[wish]

    return shown


@pytest.fixture(name="stack")
def make_stack(aws: Emulator) -> Callable[..., Awaitable[dict[str, str]]]:
    """Return what makes the stack with a customer's usual parameters, changed as told."""

    async def made(**told: str) -> dict[str, str]:
        return await create_stack(aws, parameters(Wish(), "arn:aws:iam::999999999999:role/central") | told)

    return made


@pytest.fixture
def template() -> dict[str, Any]:
    """Return the template; CloudFormation's short forms are left as their values."""

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        assert isinstance(node, yaml.MappingNode)
        return loader.construct_mapping(node, deep=True)

    Loader.add_multi_constructor("!", plain)
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text("utf-8"), Loader)  # noqa: S506  a SafeLoader with "!" as text
    return loaded

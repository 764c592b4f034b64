"""A whole region is made by Terraform, delivers a log line into a customer's account, and is unmade.

    examples/full ──► MiniStack over TLS, authorisation on ──► writer's role puts ──► logfanout run as the worker's role
                  ──► central role ──► the customer's role ──► the customer's log group

``make check-terraform`` runs it; it takes some three minutes, most of them the provider's own waits for SQS.
"""

import gzip
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.deploy import stack, terraform
from tests.deploy.stack import Wish
from tests.deploy.tls_aws import TlsAws, root_of, tls_aws

from logfanout.demo import policies
from logfanout.demo.emulator import Session, free_port, tail

pytestmark = [pytest.mark.apply, pytest.mark.timeout(900)]

REGION = "eu-central-1"
PLATFORM, CUSTOMER = "999999999999", "111111111111"
TENANT, CLUSTER = "harbor", "c1"
LOG_GROUP = "/platform/harbor"
KEY = f"{TENANT}/{CLUSTER}/payments/payments-7d4f9/2026-01-01.log.gz"

# What a user of an endpoint of his own says once, in a file of his own; the rest is the environment.
OVERRIDES = 'provider "aws" {\n  s3_use_path_style = true\n}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What Terraform made, and where."""

    aws: TlsAws
    outputs: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]

    def client(self, service: str, *, by: Session | str = PLATFORM) -> Any:
        return self.aws.client(service, region=REGION, by=by)


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder = tmp_path_factory.mktemp("region")
    with tls_aws(folder) as aws:
        example = terraform.copy(
            "full",
            folder / "terraform",
            environment=aws.environment(root_of(PLATFORM), region=REGION),
            overrides=OVERRIDES,
        )
        example.apply(network(aws) | VARIABLES)
        made = Region(aws=aws, outputs=example.outputs(), resources=example.resources())
        with allowances(made):
            yield made
        example.destroy()
        assert example.resources() == {}
        assert aws.client("s3", region=REGION, by=PLATFORM).list_buckets()["Buckets"] == []
        assert not aws.client("sqs", region=REGION, by=PLATFORM).list_queues().get("QueueUrls")


VARIABLES = {
    "region": REGION,
    "name": "logs-proof",
    "bucket_name": "logs-proof-999999999999",
    "image_tag": "1.0.0",
    "clusters": {CLUSTER: {"tenants": [TENANT, "meadow"], "eks_cluster_name": CLUSTER}},
    "emulated": True,
    "deletion_protection": False,
    "destroy_with_logs": True,
}


def network(aws: TlsAws) -> dict[str, object]:
    """Make the network a region is put into; it is the user's, not ours."""
    ec2 = aws.client("ec2", region=REGION, by=PLATFORM)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {"vpc_id": vpc, "subnet_ids": subnets, "route_table_ids": [table]}


def onboard(region: Region) -> None:
    """Do what the customer does in its own account, and what we do in ours: store the row that its stack prints."""
    told = customers_side(region, Wish(tenant=TENANT, external_id="harbor-81d2", group=LOG_GROUP, tagged=True))
    region.client("dynamodb").put_item(
        TableName=region.outputs["tenants_table_name"], Item=json.loads(told["CloudWatchRow"])
    )


def customers_side(region: Region, wish: Wish) -> dict[str, str]:
    """Make the customer's side with the customer's template, in the customer's account; return what it prints."""
    cloudformation, name = region.client("cloudformation", by=CUSTOMER), f"logfanout-{wish.tenant}"
    cloudformation.create_stack(**stack.order(stack.parameters(wish, region.outputs["central_role_arn"]), name=name))

    def made() -> Any:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    assert until(lambda: made()["StackStatus"] in stack.DONE, seconds=60)
    return stack.outputs(made())


def session_of(region: Region, role_arn: str) -> Session:
    """Return a session of a role that only ECS or EKS may become on AWS.

    The test opens a second door into the role, for the root of its account; what the role may do, which is what is
    tried here, stays as Terraform made it.
    """
    iam, name = region.client("iam"), name_of(role_arn)
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append(json.loads(policies.trust(f"arn:aws:iam::{PLATFORM}:root"))["Statement"][0])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    return region.aws.assume(role_arn, by=PLATFORM)


@contextmanager
def allowances(region: Region) -> Iterator[None]:
    """Grant beside Terraform's policies what MiniStack asks for and AWS does not, for the length of the block.

    On AWS ``sqs:DeleteMessage`` and ``sqs:ChangeMessageVisibility`` cover their batches ("Amazon SQS API permissions");
    MiniStack asks for these by name. And it shows ``sts:ExternalId`` to the trust of a role, but not to the policy of
    who assumes it, which AWS does ("Actions, resources, and condition keys for AWS STS"): the trusts do the asking
    here, and tests/deploy/test_terraform_policies.py tries our own policy's condition.
    """
    queue = next(made["arn"] for address, made in region.resources.items() if address.endswith("aws_sqs_queue.notices"))
    granted = {
        region.outputs["worker_role_arn"]: policies.document(
            policies.allow(["sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch"], queue)
        ),
        region.outputs["central_role_arn"]: policies.central(),
    }
    iam = region.client("iam")
    for role_arn, document in granted.items():
        iam.put_role_policy(RoleName=name_of(role_arn), PolicyName="ministack", PolicyDocument=document)
    yield
    for role_arn in granted:
        iam.delete_role_policy(RoleName=name_of(role_arn), PolicyName="ministack")


def name_of(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]


@contextmanager
def worker(region: Region, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one as a task would: the variables of Terraform's task definition, the task's role."""
    environment = region.aws.environment(session_of(region, region.outputs["worker_role_arn"]), region=REGION)
    environment |= region.outputs["environment"]
    environment |= {"LOGFANOUT_HTTP_PORT": str(free_port()), "LOGFANOUT_HTTP_HOST": "127.0.0.1"}
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            [sys.executable, "-m", "logfanout"],  # EXECUTION_MODE says what it does, as in the container
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{environment['LOGFANOUT_HTTP_PORT']}/readyz"
            assert until(lambda: answers(url), seconds=60), tail(log)
            yield process
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def until(holds: Callable[[], bool], *, seconds: float) -> bool:
    """Poll a condition of other processes; return whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def refusal(call: Callable[[], object]) -> str:
    """Return the code AWS refused the call with; empty if it did not."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def messages(region: Region) -> list[str]:
    """Return what stands in the customer's log group, read by the customer."""
    logs = region.client("logs", by=CUSTOMER)
    try:
        return [event["message"] for event in logs.filter_log_events(logGroupName=LOG_GROUP)["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def line(message: str) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000001Z", time.gmtime())
    return json.dumps({"timestamp": now, "message": message}).encode() + b"\n"


def test_a_line_put_by_the_collectors_reaches_the_customers_account(region: Region, tmp_path: Path) -> None:
    """Every role, policy, key and queue of Terraform's is on the way of one line, and lets it pass."""
    onboard(region)
    collector = region.client("s3", by=session_of(region, region.outputs["writer_role_arns"][CLUSTER]))
    with worker(region, tmp_path / "worker.log") as process:
        collector.put_object(
            Bucket=region.outputs["bucket_name"], Key=KEY, Body=gzip.compress(line("first") + line("second"))
        )
        assert until(lambda: len(messages(region)) == 2, seconds=60), tail(tmp_path / "worker.log")
        assert sorted(messages(region)) == ["first", "second"]
        assert until(lambda: waiting(region) == 0, seconds=30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert dead_letters(region) == 0


def test_what_can_never_be_delivered_lies_in_the_dead_letters(region: Region, tmp_path: Path) -> None:
    """The cluster may write as the tenant, but nobody has entered that tenant: its notice is set aside."""
    collector = region.client("s3", by=session_of(region, region.outputs["writer_role_arns"][CLUSTER]))
    with worker(region, tmp_path / "worker.log"):
        collector.put_object(
            Bucket=region.outputs["bucket_name"],
            Key=f"meadow/{CLUSTER}/payments/payments-7d4f9/1.log.gz",
            Body=gzip.compress(line("nobody's")),
        )
        # MiniStack may hand a notice to a poll that the worker before this one gave up when it ended, up to 20 s ago:
        # nobody has it then, and it is seen again when its visibility, 120 s, has run out.
        assert until(lambda: dead_letters(region) == 1, seconds=200), tail(tmp_path / "worker.log")


def waiting(region: Region) -> int:
    return depth(region, region.outputs["environment"]["SQS_QUEUE_URL"])


def dead_letters(region: Region) -> int:
    return depth(region, region.outputs["dead_letters_url"])


def depth(region: Region, queue_url: str) -> int:
    found = region.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


@pytest.mark.parametrize(
    "key",
    [
        f"orchard/{CLUSTER}/payments/p/1.log.gz",  # a tenant the cluster does not serve
        f"{TENANT}/c2/payments/p/1.log.gz",  # its tenant, under another cluster's name
        f"orchard/c2/{CLUSTER}/p/1.log.gz",  # its own name, one segment too late
        "logfanout-quarantine/1.ndjson",
    ],
)
def test_a_cluster_writes_nowhere_but_below_its_own_tenants(region: Region, key: str) -> None:
    """What a stolen collector's role could do to others is nothing."""
    collector = region.client("s3", by=session_of(region, region.outputs["writer_role_arns"][CLUSTER]))
    bucket = region.outputs["bucket_name"]
    assert refusal(lambda: collector.put_object(Bucket=bucket, Key=key, Body=b"")) == "AccessDenied"
    assert refusal(lambda: collector.get_object(Bucket=bucket, Key=KEY)) == "AccessDenied"


def test_nothing_is_taken_over_plain_http(region: Region) -> None:
    """The same request that TLS lets pass is refused without it, root's own too."""
    client = region.client("s3")
    bucket = region.outputs["bucket_name"]
    assert refusal(lambda: client.put_object(Bucket=bucket, Key="probe", Body=b"")) == ""

    def as_if_plain(request: Any, **_: object) -> None:
        # The emulator takes a proxy's word for how a request came to it.
        request.headers["X-Forwarded-Proto"] = "http"

    collector = region.client("s3", by=session_of(region, region.outputs["writer_role_arns"][CLUSTER]))
    key = f"{TENANT}/{CLUSTER}/payments/p/probe.log.gz"
    assert refusal(lambda: collector.put_object(Bucket=bucket, Key=key, Body=b"")) == ""
    collector.meta.events.register("before-sign.s3", as_if_plain)
    assert refusal(lambda: collector.put_object(Bucket=bucket, Key=key, Body=b"")) == "AccessDenied"


def test_a_customer_who_asks_for_an_external_id_is_not_entered_without_it(region: Region) -> None:
    """Nor with the platform's own number."""
    worker_role = session_of(region, region.outputs["worker_role_arn"])
    sts = region.client("sts", by=region.aws.assume(region.outputs["central_role_arn"], by=worker_role))
    asked = "careful-4f1c"
    role_arn = customers_side(region, Wish(tenant="careful", external_id=asked, group="/platform/careful"))["RoleArn"]

    def enter(**said: str) -> str:
        return refusal(lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName="test", **said))

    assert [enter(), enter(ExternalId=PLATFORM), enter(ExternalId=asked)] == ["AccessDenied", "AccessDenied", ""]


def test_the_central_role_reads_what_it_copies_and_writes_nothing_of_ours(region: Region) -> None:
    """S3 destinations are served from the bucket; a row that named the bucket itself would be refused."""
    bucket, key = region.outputs["bucket_name"], f"{TENANT}/{CLUSTER}/payments/p/copied.log.gz"
    collector = region.client("s3", by=session_of(region, region.outputs["writer_role_arns"][CLUSTER]))
    collector.put_object(Bucket=bucket, Key=key, Body=b"as collected")
    worker_role = session_of(region, region.outputs["worker_role_arn"])
    central = region.client("s3", by=region.aws.assume(region.outputs["central_role_arn"], by=worker_role))
    assert central.get_object(Bucket=bucket, Key=key)["Body"].read() == b"as collected"
    assert refusal(lambda: central.put_object(Bucket=bucket, Key=key, Body=b"")) == "AccessDenied"
    assert refusal(lambda: central.delete_object(Bucket=bucket, Key=key)) == "AccessDenied"
    other = region.client("s3", by=worker_role)
    assert refusal(lambda: other.put_object(Bucket=bucket, Key=key, Body=b"")) == "AccessDenied"


def test_the_worker_becomes_nobody_but_the_central_role(region: Region) -> None:
    """A customer's role is two hops away, never one."""
    sts = region.client("sts", by=session_of(region, region.outputs["worker_role_arn"]))
    customers = f"arn:aws:iam::{CUSTOMER}:role/CustomerLogDistribution-{TENANT}"
    assert (
        refusal(lambda: sts.assume_role(RoleArn=customers, RoleSessionName="test", ExternalId=PLATFORM))
        == "AccessDenied"
    )

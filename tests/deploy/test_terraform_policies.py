"""Every policy of a region is tried: what it must allow it allows, and without any one of its conditions it does not.

terraform test -verbose -json (mocked AWS) ──► the state of examples/full ──► its policies ──► tests/deploy/iam.py
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.deploy import terraform
from tests.deploy.iam import Request, allows, denies, each, statements

pytestmark = [pytest.mark.terraform, pytest.mark.timeout(300)]

ACCOUNT, REGION = "999999999999", "eu-central-1"
BUCKET = "arn:aws:s3:::logs-999999999999"
TOPIC, ALARM_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:logs-notices", f"arn:aws:sns:{REGION}:{ACCOUNT}:logs-alarms"
NOTICES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:logs-notices"
DEAD_LETTERS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:logs-dead-letters"
TENANTS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tenant-configurations"
LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/logs-ledger"
WORKER, CENTRAL = f"arn:aws:iam::{ACCOUNT}:role/logs-worker", f"arn:aws:iam::{ACCOUNT}:role/CentralLogDistribution"
BROKER = f"arn:aws:iam::{ACCOUNT}:role/log-broker"
CUSTOMERS = "arn:aws:iam::111111111111:role/CustomerLogDistribution-acme"
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/ABC"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ALARM = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:logs-dead-letters"
COPIES = 'iam_role_policy.copies["copies"]'
TLS, PLAIN = {"aws:SecureTransport": "true"}, {"aws:SecureTransport": "false"}

Policies = Mapping[str, Mapping[str, Any]]


def key(name: str) -> str:
    """Return the ARN the test's state gives a key."""
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}"


@pytest.fixture(scope="module")
def policies() -> Policies:
    """Return every policy document of the region: where it stands to what it says."""
    folder = terraform.TREE / "examples" / "full"
    terraform.run("init", folder=folder)
    said = terraform.run("test", "-json", "-verbose", "-filter=tests/policies.tftest.hcl", folder=folder)
    lines = [json.loads(line) for line in said.splitlines()]
    state = next(line["test_state"] for line in lines if line["type"] == "test_state")
    return dict(policies_in(terraform.resources_in(state["root_module"])))


def policies_in(resources: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the documents of every resource that has one, under its last two names."""
    for address, values in resources:
        name = ".".join(address.split(".aws_", 1)[-1:]).removeprefix("aws_")
        if values.get("assume_role_policy"):
            yield f"trust of {name}", json.loads(values["assume_role_policy"])
        # A bucket's "policy" is only what the provider reads back of it, which nobody does here; a registry's speaks of
        # images.
        if str(values.get("policy")).startswith("{") and "lifecycle_policy" not in address:
            yield name, json.loads(values["policy"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One statement: a request it applies to, and for each condition's key a value it does not apply to."""

    policy: str
    sid: str
    base: Request
    without: Mapping[str, str | list[str] | None] = field(default_factory=dict)
    alone: bool = False  # tried without the policy's other statements, one of which lets the account decide

    def policy_of(self, policies: Policies) -> Mapping[str, Any]:
        """Return what the request is put to."""
        whole = policies[self.policy]
        chosen = [statement for statement in statements(whole) if statement["Sid"] == self.sid or not self.alone]
        return {**whole, "Statement": chosen}

    def spoilt(self, key: str) -> Request:
        """Return the request with another value for *key*, or none."""
        context = {name: value for name, value in self.base.context.items() if name != key}
        value = self.without[key]
        return replace(self.base, context=context if value is None else context | {key: value})


def via(service: str) -> dict[str, str]:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


OTHER_VIA = {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}
OTHER_SOURCE = {"aws:SourceAccount": "222222222222"}
POD_TAGS = {
    "aws:RequestTag/eks-cluster-name": "prod",
    "aws:RequestTag/kubernetes-namespace": "logging",
    "aws:RequestTag/kubernetes-service-account": "vector",
}
SESSION_TAGS = {"aws:RequestTag/tenant": "acme", "aws:RequestTag/cluster": "prod", "aws:TagKeys": ["tenant", "cluster"]}
PRINCIPAL = {"aws:PrincipalAccount": ACCOUNT}
TASKS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/logs/1"


def asked(action: str, resource: str = "*", *, by: str = "", **context: Any) -> Request:
    return Request(action=action, resource=resource, by=by, context=context)


def sealed(key_arn: str, service: str) -> Request:
    return Request(action="kms:Decrypt", resource=key_arn, context=via(service))


def from_bucket(action: str, resource: str) -> Request:
    context = {"aws:SourceArn": BUCKET, "aws:SourceAccount": ACCOUNT} | TLS
    return Request(action=action, resource=resource, by="s3.amazonaws.com", context=context)


def from_topic(action: str, resource: str) -> Request:
    context = {"aws:SourceArn": TOPIC} | TLS
    return Request(action=action, resource=resource, by="sns.amazonaws.com", context=context)


def from_alarm(action: str, resource: str) -> Request:
    context = {"aws:SourceArn": ALARM, "aws:SourceAccount": ACCOUNT} | TLS
    return Request(action=action, resource=resource, by="cloudwatch.amazonaws.com", context=context)


def plain(action: str, resource: str) -> Request:
    return Request(action=action, resource=resource, by=WORKER, context=PLAIN)


STAGED, COPY = f"{BUCKET}/acme/prod/app/pod/1.log.gz", "arn:aws:s3:::acme-logs/ROSA/cluster-logs/acme/app/pod/1.log.gz"
CUSTOMERS_KEY = "arn:aws:kms:us-east-1:111111111111:key/copies"
OWNED = {"s3:x-amz-acl": "bucket-owner-full-control"}


def owned_by(account: str) -> dict[str, str]:
    """Return whose the bucket or the key is, as IAM learns it."""
    return {"aws:ResourceAccount": account}


def opened(*, context_arn: str = BUCKET) -> Request:
    """Return S3's question to KMS when the central role reads a log."""
    context = via("s3") | {"kms:EncryptionContext:aws:s3:arn": context_arn}
    return Request(action="kms:Decrypt", resource=key("logs"), by=CENTRAL, context=context)


def put_copy(action: str = "s3:PutObject", *, account: str = "111111111111", **context: str) -> Request:
    return Request(action=action, resource=COPY, by=CENTRAL, context=owned_by(account) | context)


def task_trust(role: str) -> Case:
    return Case(
        policy=f"trust of iam_role.{role}",
        sid="Tasks",
        base=Request(
            action="sts:AssumeRole",
            by="ecs-tasks.amazonaws.com",
            context={"aws:SourceAccount": ACCOUNT, "aws:SourceArn": TASKS},
        ),
        without=OTHER_SOURCE | {"aws:SourceArn": TASKS.replace(ACCOUNT, "222222222222")},
    )


def endpoint(name: str, action: str) -> Case:
    return Case(
        policy=f"vpc_endpoint.{name}",
        sid="OurAccounts",
        base=Request(action=action, resource="*", by=WORKER, context=PRINCIPAL),
        without={"aws:PrincipalAccount": "222222222222"},
    )


SSE, SSE_KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
DENIALS = (
    Case(policy="s3_bucket_policy.logs", sid="OverTlsOnly", base=plain("s3:GetObject", f"{BUCKET}/a"), without=TLS),
    Case(
        policy="s3_bucket_policy.logs",
        sid="UnderOurKeyOnly",
        base=Request(action="s3:PutObject", resource=f"{BUCKET}/a", by=WORKER, context=TLS | {SSE_KEY: key("foreign")}),
        without={SSE_KEY: key("logs")},
    ),
    Case(
        policy="s3_bucket_policy.logs",
        sid="UnderKmsOnly",
        base=Request(action="s3:PutObject", resource=f"{BUCKET}/a", by=WORKER, context=TLS | {SSE: "AES256"}),
        without={SSE: None},
    ),
    Case(policy="sns_topic_policy.notices", sid="OverTlsOnly", base=plain("sns:Publish", TOPIC), without=TLS),
    Case(policy="sns_topic_policy.alarms", sid="OverTlsOnly", base=plain("sns:Publish", ALARM_TOPIC), without=TLS),
    Case(policy="sqs_queue.notices", sid="OverTlsOnly", base=plain("sqs:ReceiveMessage", NOTICES), without=TLS),
    Case(policy="sqs_queue.dead_letters", sid="OverTlsOnly", base=plain("sqs:SendMessage", DEAD_LETTERS), without=TLS),
)
OTHER_BUCKET = OTHER_SOURCE | {"aws:SourceArn": "arn:aws:s3:::other"}
OTHER_TOPIC = {"aws:SourceArn": f"{TOPIC}-other"}
OTHER_ALARM = OTHER_SOURCE | {"aws:SourceArn": ALARM.replace("logs-", "other-")}
ALLOWANCES = (
    Case(
        policy="sns_topic_policy.notices",
        sid="BucketAnnounces",
        base=from_bucket("sns:Publish", TOPIC),
        without=OTHER_BUCKET,
    ),
    Case(
        policy="kms_key.logs",
        sid="BucketAnnouncesIntoTheTopic",
        base=from_bucket("kms:GenerateDataKey", key("logs")),
        without=OTHER_BUCKET,
    ),
    Case(
        policy="sqs_queue.notices",
        sid="TopicSends",
        base=from_topic("sqs:SendMessage", NOTICES),
        without=OTHER_TOPIC,
    ),
    Case(
        policy="kms_key.notices",
        sid="TopicSends",
        base=from_topic("kms:GenerateDataKey", key("notices")),
        without=OTHER_TOPIC,
    ),
    Case(
        policy="sns_topic_policy.alarms",
        sid="AlarmsSpeak",
        base=from_alarm("sns:Publish", ALARM_TOPIC),
        without=OTHER_ALARM,
    ),
    Case(
        policy="kms_key.alarms",
        sid="AlarmsSpeak",
        base=from_alarm("kms:GenerateDataKey", key("alarms")),
        without=OTHER_ALARM,
    ),
    Case(
        policy="kms_key.log",
        sid="CloudWatchSealsTheLog",
        base=Request(
            action="kms:Encrypt",
            resource=key("log"),
            by=f"logs.{REGION}.amazonaws.com",
            context={
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/logfanout/logs"
            },
        ),
        without={"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other"},
    ),
    Case(policy="iam_policy.worker", sid="OpenAndSealNotices", base=sealed(key("notices"), "sqs"), without=OTHER_VIA),
    Case(
        policy="iam_policy.worker", sid="OpenLogsAndSealQuarantine", base=sealed(key("logs"), "s3"), without=OTHER_VIA
    ),
    Case(policy="iam_policy.worker", sid="OpenTables", base=sealed(key("tables"), "dynamodb"), without=OTHER_VIA),
    Case(
        policy="iam_role_policy.customers",
        sid="BecomeCustomersRoles",
        base=asked("sts:AssumeRole", CUSTOMERS, **{"sts:ExternalId": ACCOUNT}),
        without={"sts:ExternalId": None},
    ),
    Case(
        policy="iam_role_policy.customers",
        sid="TagSessionsWithTheTenant",
        base=Request(
            action="sts:TagSession",
            resource=CUSTOMERS,
            context={"aws:TagKeys": ["tenant"], "aws:RequestTag/tenant": "acme"},
        ),
        without={"aws:TagKeys": ["tenant", "admin"], "aws:RequestTag/tenant": None},
    ),
    Case(
        policy=COPIES,
        sid="ReadStagedLogs",
        base=asked("s3:GetObject", STAGED, **owned_by(ACCOUNT)),
        without=owned_by("222222222222"),
    ),
    Case(
        policy=COPIES,
        sid="OpenStagedLogs",
        base=opened(),
        without=OTHER_VIA | {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::other"},
    ),
    Case(
        policy=COPIES,
        sid="CopyIntoCustomersBuckets",
        base=put_copy(**OWNED),
        without=owned_by(ACCOUNT) | {"s3:x-amz-acl": "public-read"},
    ),
    Case(
        policy=COPIES,
        sid="SealCopiesUnderCustomersKeys",
        base=asked("kms:GenerateDataKey", CUSTOMERS_KEY, **via("s3") | owned_by("111111111111")),
        without=OTHER_VIA | owned_by(ACCOUNT),
    ),
    Case(
        policy="s3_bucket_policy.logs",
        sid="CentralRoleReadsWhatItCopies",
        base=asked("s3:GetObject", STAGED, by=CENTRAL, **{"aws:PrincipalArn": CENTRAL} | TLS),
        without={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/other"},
    ),
    Case(
        policy="kms_key.logs",
        sid="CentralRoleOpensLogs",
        base=asked("kms:Decrypt", key("logs"), by=CENTRAL, **{"aws:PrincipalArn": CENTRAL} | via("s3")),
        without=OTHER_VIA | {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/other"},
        alone=True,
    ),
    task_trust("worker"),
    task_trust("starter"),
    Case(
        policy='trust of iam_role.clusters["prod"]',
        sid="TheCollectorsPod",
        base=Request(
            action="sts:AssumeRole", by="pods.eks.amazonaws.com", context=POD_TAGS | {"aws:SourceAccount": ACCOUNT}
        ),
        without=OTHER_SOURCE | dict.fromkeys(POD_TAGS, "other"),
    ),
    Case(
        policy='trust of iam_role.clusters["staging"]',
        sid="TheCollectorsServiceAccount",
        base=Request(
            action="sts:AssumeRoleWithWebIdentity",
            by=OIDC,
            context={f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": "system:serviceaccount:logging:vector"},
        ),
        without={f"{ISSUER}:aud": "other", f"{ISSUER}:sub": "system:serviceaccount:default:vector"},
    ),
    Case(
        policy='trust of iam_role.brokered["broker"]',
        sid="BrokerNamesTenantAndCluster",
        base=Request(action="sts:AssumeRole", by=BROKER, context=SESSION_TAGS),
        without={
            "aws:RequestTag/tenant": "acme/prod",
            "aws:RequestTag/cluster": None,
            "aws:TagKeys": ["tenant", "cluster", "admin"],
        },
    ),
    *(
        Case(policy=policy, sid="SealLogs", base=sealed(key("logs"), "s3"), without=OTHER_VIA)
        for policy in (
            'iam_policy.clusters["prod-1"]',
            'iam_policy.clusters["staging-1"]',
            'iam_role_policy.brokered["broker"]',
        )
    ),
    endpoint('gateways["s3"]', "s3:GetObject"),
    endpoint('gateways["dynamodb"]', "dynamodb:Query"),
    endpoint('interfaces["sqs"]', "sqs:ReceiveMessage"),
    endpoint('interfaces["sts"]', "sts:AssumeRole"),
    endpoint('interfaces["logs"]', "logs:DescribeLogGroups"),
    endpoint('interfaces["ecr.api"]', "ecr:GetAuthorizationToken"),
    endpoint('interfaces["ecr.dkr"]', "ecr:BatchGetImage"),
    Case(
        policy='vpc_endpoint.interfaces["logs"]',
        sid="CustomersRoles",
        base=asked("logs:PutLogEvents", **{"aws:PrincipalArn": CUSTOMERS, "aws:PrincipalAccount": "111111111111"}),
        without={"aws:PrincipalArn": CUSTOMERS.replace("CustomerLogDistribution-", "")},
    ),
)


def named(case: Case) -> str:
    return f"{case.policy}/{case.sid}"


@pytest.mark.parametrize("case", ALLOWANCES, ids=named)
def test_without_any_one_of_its_conditions_nothing_is_allowed(policies: Policies, case: Case) -> None:
    """The request as it comes is allowed; with one value another, or missing, it is not."""
    policy = case.policy_of(policies)
    assert allows(case.base, policy)
    assert {key: allows(case.spoilt(key), policy) for key in case.without} == dict.fromkeys(case.without, False)


@pytest.mark.parametrize("case", DENIALS, ids=named)
def test_what_is_denied_is_denied_for_its_condition_alone(policies: Policies, case: Case) -> None:
    """Root's own request too; with the right value nothing is denied."""
    assert denies(case.base, policies[case.policy])
    assert {key: denies(case.spoilt(key), policies[case.policy]) for key in case.without} == dict.fromkeys(
        case.without, False
    )


def test_every_condition_of_every_policy_is_tried(policies: Policies) -> None:
    """A condition added without a case of its own fails here."""
    written = {
        (policy, statement["Sid"], key)
        for policy, document in policies.items()
        for statement in statements(document)
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }
    tried = {(case.policy, case.sid, key) for case in ALLOWANCES + DENIALS for key in case.without}
    assert tried == written


def test_the_same_topic_of_another_account_is_another(policies: Policies) -> None:
    """A topic's ARN names its account, so its condition bounds both."""
    foreign = {"aws:SourceArn": TOPIC.replace(ACCOUNT, "222222222222")} | TLS
    for sent, policy in (
        (from_topic("sqs:SendMessage", NOTICES), "sqs_queue.notices"),
        (from_topic("kms:GenerateDataKey", key("notices")), "kms_key.notices"),
    ):
        assert allows(sent, policies[policy])
        assert not allows(replace(sent, context=foreign), policies[policy])


WORKERS_CALLS = [
    ("sqs:ReceiveMessage", NOTICES),
    ("sqs:DeleteMessage", NOTICES),
    ("sqs:ChangeMessageVisibility", NOTICES),
    ("sqs:GetQueueAttributes", NOTICES),
    ("sqs:SendMessage", DEAD_LETTERS),
    ("sqs:GetQueueUrl", DEAD_LETTERS),
    ("s3:GetObject", f"{BUCKET}/acme/prod/app/pod/1.log.gz"),
    ("s3:GetObjectVersion", f"{BUCKET}/acme/prod/app/pod/1.log.gz"),
    ("s3:ListBucket", BUCKET),
    ("s3:PutObject", f"{BUCKET}/logfanout-quarantine/acme/1.ndjson"),
    ("dynamodb:Query", TENANTS),
    ("dynamodb:GetItem", LEDGER),
    ("dynamodb:PutItem", LEDGER),
    ("ecs:GetTaskProtection", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/logs/0123"),
    ("ecs:UpdateTaskProtection", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/logs/0123"),
    ("sts:AssumeRole", CENTRAL),
]
NOT_THE_WORKERS = [
    ("sqs:SendMessage", NOTICES),
    ("sqs:PurgeQueue", NOTICES),
    ("sqs:ReceiveMessage", DEAD_LETTERS),
    ("sqs:ReceiveMessage", f"{NOTICES}-2"),
    ("s3:PutObject", f"{BUCKET}/acme/prod/app/pod/1.log.gz"),
    ("s3:DeleteObject", f"{BUCKET}/acme/prod/app/pod/1.log.gz"),
    ("s3:GetObject", "arn:aws:s3:::other/a"),
    ("dynamodb:PutItem", TENANTS),
    ("dynamodb:Scan", TENANTS),
    ("dynamodb:DeleteItem", LEDGER),
    ("ecs:UpdateTaskProtection", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/other/0123"),
    ("sts:AssumeRole", CUSTOMERS),
    ("sts:AssumeRole", f"{CENTRAL}-2"),
    ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/logfanout/logs:*"),
]


def workers(policies: Policies) -> tuple[Mapping[str, Any], ...]:
    return policies["iam_policy.worker"], policies["iam_role_policy.protection"]


@pytest.mark.parametrize(("action", "resource"), WORKERS_CALLS)
def test_a_worker_may_do_what_it_does(policies: Policies, action: str, resource: str) -> None:
    """The list of docs/operating.md, line by line."""
    assert allows(asked(action, resource), *workers(policies))


@pytest.mark.parametrize(("action", "resource"), NOT_THE_WORKERS)
def test_a_worker_may_do_nothing_else(policies: Policies, action: str, resource: str) -> None:
    """What a stolen task's session could do to others is bounded by this."""
    assert not allows(asked(action, resource), *workers(policies))


def test_a_worker_may_do_as_many_things_as_are_listed_here(policies: Policies) -> None:
    """An action added to the policy without a line above fails here."""
    granted = {
        action
        for document in workers(policies)
        for statement in statements(document)
        for action in each(statement["Action"])
    }
    assert granted == {action for action, _ in WORKERS_CALLS} | {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "dynamodb:GetItem",
    }


@pytest.mark.parametrize(
    ("prefix", "may"),
    [
        ("acme/prod", True),
        ("bolt/prod", True),
        ("cord/prod", False),  # a tenant the cluster does not serve
        ("acme/staging", False),  # its tenant, under another cluster's name
        ("cord/staging/prod", False),  # its own name, one segment too late
        ("acme/production", False),
        ("logfanout-quarantine", False),
    ],
)
def test_a_cluster_writes_below_its_own_tenants_alone(policies: Policies, prefix: str, may: bool) -> None:
    """One cluster cannot write as another, nor as a tenant that is not its own."""
    put = asked("s3:PutObject", f"{BUCKET}/{prefix}/app/pod/1.log.gz")
    assert allows(put, policies['iam_policy.clusters["prod-1"]']) is may


@pytest.mark.parametrize(
    ("tags", "prefix", "may"),
    [
        ({"tenant": "acme", "cluster": "prod"}, "acme/prod", True),
        ({"tenant": "acme", "cluster": "prod"}, "bolt/prod", False),
        ({"tenant": "acme", "cluster": "prod"}, "acme/staging", False),
        ({"tenant": "*", "cluster": "prod"}, "acme/prod", False),  # a tag is text, never a pattern
        ({"cluster": "prod"}, "acme/prod", False),
        ({}, "acme/prod", False),
    ],
)
def test_a_brokered_session_writes_where_its_tags_say(
    policies: Policies, tags: Mapping[str, str], prefix: str, may: bool
) -> None:
    """What the broker has not said the session cannot do."""
    context = {f"aws:PrincipalTag/{name}": value for name, value in tags.items()}
    put = asked("s3:PutObject", f"{BUCKET}/{prefix}/app/pod/1.log.gz", **context)
    assert allows(put, policies['iam_role_policy.brokered["broker"]']) is may


@pytest.mark.parametrize("tag", ["", "a/b", "/"])
@pytest.mark.parametrize("name", ["tenant", "cluster"])
def test_a_tag_is_one_segment(policies: Policies, name: str, tag: str) -> None:
    """A slash in it would lead below another's prefix, and nothing at all to the prefix above."""
    said = Request(action="sts:AssumeRole", by=BROKER, context=SESSION_TAGS | {f"aws:RequestTag/{name}": tag})
    assert not allows(said, policies['trust of iam_role.brokered["broker"]'])


def test_nobody_but_the_workers_becomes_the_central_role(policies: Policies) -> None:
    """Another role of the same account does not either."""
    trust = policies["trust of iam_role.distribution"]
    assert allows(asked("sts:AssumeRole", by=WORKER), trust)
    assert not allows(asked("sts:AssumeRole", by=f"arn:aws:iam::{ACCOUNT}:role/other"), trust)
    assert not allows(asked("sts:AssumeRole", by="arn:aws:iam::222222222222:role/logs-worker"), trust)


def test_the_central_role_becomes_customers_roles_alone(policies: Policies) -> None:
    """In any account, by their agreed name, and nothing else."""
    held = policies["iam_role_policy.customers"]
    said = {"sts:ExternalId": ACCOUNT}
    assert allows(asked("sts:AssumeRole", CUSTOMERS, **said), held)
    assert not allows(asked("sts:AssumeRole", "arn:aws:iam::111111111111:role/Admin", **said), held)
    assert not allows(
        asked("sts:AssumeRole", "arn:aws-cn:iam::111111111111:role/CustomerLogDistribution-a", **said), held
    )
    assert not allows(asked("s3:GetObject", f"{BUCKET}/a", **said), held)


@pytest.mark.parametrize(
    ("request_", "may"),
    [
        (asked("s3:GetObject", STAGED, **owned_by(ACCOUNT)), True),
        (asked("s3:GetObjectVersion", STAGED, **owned_by(ACCOUNT)), True),
        (asked("s3:GetObject", STAGED), False),  # whose it is nobody says
        (asked("s3:GetObject", "arn:aws:s3:::other/a", **owned_by(ACCOUNT)), False),
        (asked("s3:GetObjectTagging", STAGED, **owned_by(ACCOUNT)), False),
        (asked("s3:ListBucket", BUCKET, **owned_by(ACCOUNT)), False),
        (opened(), True),  # a bucket key's
        (opened(context_arn=STAGED), True),  # the object's own, where an upload has turned the bucket key off
        (opened(context_arn=f"{BUCKET}-other/a"), False),
        (replace(opened(), resource=CUSTOMERS_KEY), False),
        (replace(opened(), action="kms:GenerateDataKey"), False),
        (put_copy(**OWNED), True),
        (put_copy("s3:PutObjectAcl", **OWNED), True),
        (put_copy(), True),  # a part of a large copy says no ACL
        (put_copy("s3:AbortMultipartUpload"), True),
        (put_copy("s3:GetObject"), False),
        (put_copy("s3:DeleteObject"), False),
        (put_copy(account=ACCOUNT, **OWNED), False),
        (replace(put_copy(**OWNED), context=OWNED), False),  # whose it is nobody says
        (asked("s3:PutObject", STAGED, **owned_by(ACCOUNT) | OWNED), False),
        (asked("s3:PutObject", "arn:aws-cn:s3:::acme-logs/a", **owned_by("111111111111") | OWNED), False),
        (asked("kms:GenerateDataKey", CUSTOMERS_KEY, **via("s3") | owned_by("111111111111")), True),
        (asked("kms:Decrypt", CUSTOMERS_KEY, **via("s3") | owned_by("111111111111")), True),
        (asked("kms:Decrypt", CUSTOMERS_KEY, **owned_by("111111111111")), False),
        (asked("kms:Decrypt", CUSTOMERS_KEY, **via("s3")), False),
        (asked("kms:GenerateDataKey", key("tables"), **via("s3") | owned_by(ACCOUNT)), False),
        (asked("kms:Decrypt", key("tables"), **via("dynamodb") | owned_by(ACCOUNT)), False),
    ],
)
def test_the_central_role_copies_from_our_bucket_into_customers(
    policies: Policies, request_: Request, *, may: bool
) -> None:
    """It reads what the collectors wrote and writes where a customer lets it: never back into an account of ours."""
    held = (policies[COPIES], policies["iam_role_policy.customers"])
    assert allows(request_, *held) is may


# Where an action, a resource or a principal may be at large, and why. Everything else must name what it means.
AT_LARGE = {
    "AccountDecides": "a key whose account is not named in it can be managed by nobody; IAM decides who uses it",
    "OverTlsOnly": "a denial is wide on purpose",
    "UnderOurKeyOnly": "a denial is wide on purpose",
    "UnderKmsOnly": "a denial is wide on purpose",
    "OurAccounts": "an endpoint bounds who passes, not what for: roles say that",
    "LayersOfImages": "ECR's buckets of layers are read with ECR's signature, not with ours",
    "CustomersRoles": "customers' groups are named in the customers' roles",
    "CopyIntoCustomersBuckets": "customers name their buckets, in policies that must let us in; ours are excluded",
    "SignInToRegistries": "ecr:GetAuthorizationToken knows no resources",
}


def test_nothing_is_at_large_without_a_reason(policies: Policies) -> None:
    """No wildcard for an action, a whole resource or a principal, but for the statements listed with their reason."""
    found = set()
    for policy, document in policies.items():
        for statement in statements(document):
            # In the policy of a key "*" is that key.
            resources = () if policy.startswith("kms_key.") else each(statement.get("Resource", ()))
            wide_action = any("*" in action for action in each(statement["Action"]))
            wide_resource = any(set(resource.split(":", 5)[-1]) <= set("*/:") for resource in resources)
            if wide_action or wide_resource or statement.get("Principal") == "*":
                found.add(statement["Sid"])
    assert found == set(AT_LARGE)


def test_who_is_anybody_is_bound_by_a_condition(policies: Policies) -> None:
    """An allowance for everybody says who that is; only ECR's public layers do without."""
    unbound = {
        statement["Sid"]
        for document in policies.values()
        for statement in statements(document)
        if statement["Effect"] == "Allow" and statement.get("Principal") == "*" and "Condition" not in statement
    }
    assert unbound == {"LayersOfImages"}

"""Who may become the role, and what may it then do? Documents as AWS holds them, evaluated; each yes beside a no."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from tests.deploy.iam import Request, allows

from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

if TYPE_CHECKING:
    from tests.deploy.customer.conftest import Side

pytestmark = pytest.mark.emulator
Made = Callable[..., Awaitable["Side"]]

CENTRAL = f"arn:aws:iam::{PLATFORM_ACCOUNT}:role/CentralLogDistribution"
GROUP = f"arn:aws:logs:{HOME_REGION}:222222222222:log-group:/platform/acme"
STREAM = f"{GROUP}:log-stream:app-pod-2026-11-25"
COPY = "arn:aws:s3:::acme-logs/ROSA/cluster-logs/acme/app/pod/1.log.gz"
TLS = {"aws:SecureTransport": "true"}
OWNED = {"s3:x-amz-acl": "bucket-owner-full-control"}


def may_become(
    side: "Side", *, by: str = CENTRAL, external_id: str | None, tags: Mapping[str, str] | None = None
) -> bool:
    """Whether AssumeRole is let through: with tags STS asks for a second action."""
    context: dict[str, str | list[str]] = {f"aws:RequestTag/{name}": value for name, value in (tags or {}).items()}
    context |= {"aws:TagKeys": list(tags)} if tags else {}
    context |= {"sts:ExternalId": external_id} if external_id is not None else {}
    return all(
        allows(Request(action=action, resource=side.role_arn, by=by, context=context), side.trust)
        for action in ["sts:AssumeRole"] + ["sts:TagSession"] * bool(tags)
    )


def may(side: "Side", action: str, resource: str, *, tenant: str = "") -> bool:
    """Whether a session of the role may do *action*; *tenant* is the session's tag."""
    context = {"aws:PrincipalTag/tenant": tenant} if tenant else {}
    return allows(Request(action=action, resource=resource, by=side.role_arn, context=context), side.permissions)


@pytest.mark.parametrize(
    ("by", "external_id", "allowed"),
    [
        (CENTRAL, "acme-4f1c", True),
        (CENTRAL, None, False),
        (CENTRAL, "", False),
        (CENTRAL, "acme-4F1C", False),
        (CENTRAL, "acme-4f1", False),
        (CENTRAL, PLATFORM_ACCOUNT, False),
        (f"arn:aws:iam::{PLATFORM_ACCOUNT}:role/logfanout-task", "acme-4f1c", False),
        (f"arn:aws:iam::{PLATFORM_ACCOUNT}:role/CentralLogDistribution-2", "acme-4f1c", False),
        (f"arn:aws:iam::{PLATFORM_ACCOUNT}:root", "acme-4f1c", False),
        ("arn:aws:iam::333333333333:role/CentralLogDistribution", "acme-4f1c", False),
    ],
)
async def test_the_central_role_alone_and_with_the_external_id(
    made: Made, by: str, external_id: str | None, *, allowed: bool
) -> None:
    """Another role, the platform's root, another account, no external id and a wrong one are all refused."""
    assert may_become(await made(), by=by, external_id=external_id) is allowed


@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        ({"tenant": "acme"}, True),
        ({}, False),
        ({"tenant": "other"}, False),
        ({"tenant": "acme", "team": "x"}, False),
        ({"team": "acme"}, False),
    ],
)
async def test_a_session_must_say_for_whom_it_is(made: Made, tags: dict[str, str], *, allowed: bool) -> None:
    """Where tags are required, a session without the tag, for another tenant or with more tags is refused."""
    side = await made(tagged=True)
    assert may_become(side, external_id="acme-4f1c", tags=tags) is allowed
    assert not may_become(side, external_id="wrong", tags=tags)


async def test_tags_nobody_asked_for_are_refused(made: Made) -> None:
    """A role made without tags does not take them: row and role must agree."""
    side = await made()
    assert may_become(side, external_id="acme-4f1c")
    assert not may_become(side, external_id="acme-4f1c", tags={"tenant": "acme"})


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("logs:PutLogEvents", STREAM, True),
        ("logs:CreateLogStream", f"{GROUP}:log-stream:", True),
        ("logs:CreateLogStream", GROUP, True),
        ("logs:PutLogEvents", STREAM.replace("/acme", "/acme2"), False),
        ("logs:PutLogEvents", STREAM.replace("/acme", "/other"), False),
        ("logs:PutLogEvents", STREAM.replace(HOME_REGION, "eu-west-1"), False),
        ("logs:PutLogEvents", STREAM.replace("222222222222", "333333333333"), False),
        ("logs:CreateLogGroup", f"{GROUP}:log-stream:", False),
        ("logs:PutRetentionPolicy", f"{GROUP}:log-stream:", False),
        ("logs:GetLogEvents", STREAM, False),
        ("logs:FilterLogEvents", f"{GROUP}:log-stream:", False),
        ("logs:DescribeLogGroups", "*", False),
        ("logs:DeleteLogGroup", GROUP, False),
        ("logs:DeleteLogStream", STREAM, False),
        ("logs:PutSubscriptionFilter", GROUP, False),
        ("sts:AssumeRole", "arn:aws:iam::222222222222:role/CustomerLogDistribution-acme", False),
        ("s3:PutObject", COPY, False),
    ],
)
async def test_it_may_write_to_one_group_and_no_more(made: Made, action: str, resource: str, *, allowed: bool) -> None:
    """It cannot read, delete or list, nor write to a group whose name begins alike, nor elsewhere."""
    assert may(await made(), action, resource) is allowed


@pytest.mark.parametrize(("tenant", "allowed"), [("acme", True), ("other", False), ("", False)])
async def test_with_tags_only_the_tenants_own_session_writes(made: Made, tenant: str, *, allowed: bool) -> None:
    """The tag is looked at again with each call."""
    assert may(await made(tagged=True), "logs:PutLogEvents", STREAM, tenant=tenant) is allowed


@pytest.mark.parametrize(
    ("retention_days", "may_set_retention"),
    [(30, True), (0, False)],
)
async def test_who_makes_the_group_may(made: Made, retention_days: int, *, may_set_retention: bool) -> None:
    """The platform may make this group and no other, and set a retention only if it is told one."""
    side = await made(group_by="made-by-platform", retention_days=retention_days)
    assert may(side, "logs:CreateLogGroup", f"{GROUP}:log-stream:")
    assert not may(side, "logs:CreateLogGroup", f"{GROUP}2:log-stream:")
    assert may(side, "logs:PutRetentionPolicy", f"{GROUP}:log-stream:") is may_set_retention
    assert not may(side, "logs:DeleteLogGroup", f"{GROUP}:log-stream:")


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({}, True),
        ({"action": "s3:PutObjectAcl"}, True),
        ({"action": "s3:AbortMultipartUpload", "context": TLS}, True),
        ({"action": "s3:AbortMultipartUpload", "resource": COPY.replace("/acme/", "/other/")}, False),
        ({"context": TLS}, False),
        ({"context": TLS | {"s3:x-amz-acl": "public-read"}}, False),
        ({"resource": COPY.replace("/acme/", "/other/")}, False),
        ({"resource": COPY.replace("/acme/", "/acme2/")}, False),
        ({"resource": COPY.replace("ROSA/cluster-logs/", "")}, False),
        ({"action": "s3:GetObject"}, False),
        ({"action": "s3:DeleteObject"}, False),
        ({"action": "s3:ListBucket", "resource": "arn:aws:s3:::acme-logs"}, False),
        ({"by": f"arn:aws:iam::{PLATFORM_ACCOUNT}:role/logfanout-task"}, False),
        ({"by": f"arn:aws:iam::{PLATFORM_ACCOUNT}:root"}, False),
        ({"context": OWNED | {"aws:SecureTransport": "false"}}, False),
    ],
)
async def test_copies_come_below_the_tenants_name_and_are_its_own(
    made: Made, changed: dict[str, Any], *, allowed: bool
) -> None:
    """Another path, another ACL, another caller, plain HTTP and reading are refused."""
    asked = {"action": "s3:PutObject", "resource": COPY, "by": CENTRAL, "context": TLS | OWNED} | changed
    assert allows(Request(**asked), (await made(bucket="acme-logs")).bucket_policy) is allowed

"""Who may become the role, and what may it then do? Documents as AWS holds them, evaluated; each yes beside a no."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from ministack.core.iam_evaluator import (
    EvalContext,
    evaluate,
    evaluate_resource_policy,
    evaluate_trust_policy,
    parse_policy_document,
)

from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

if TYPE_CHECKING:
    from tests.deploy.customer.conftest import Side

pytestmark = pytest.mark.emulator
Made = Callable[..., Awaitable["Side"]]

CENTRAL = f"arn:aws:sts::{PLATFORM_ACCOUNT}:assumed-role/CentralLogDistribution/logfanout"
GROUP = f"arn:aws:logs:{HOME_REGION}:222222222222:log-group:/platform/acme"
STREAM = f"{GROUP}:log-stream:app-pod-2026-11-25"
COPY = "arn:aws:s3:::acme-logs/ROSA/cluster-logs/acme/app/pod/1.log.gz"
OWNED = {"s3:x-amz-acl": "bucket-owner-full-control"}


def asked(action: str, resource: str, *, by: str = CENTRAL, tags: Mapping[str, str] | None = None, **more: Any) -> Any:
    """Return one request as a policy sees it; *tags* are those the request sets."""
    return EvalContext(
        principal_arn=by,
        principal_type="AssumedRole",
        principal_account=by.split(":")[4],
        action=action,
        resource_arn=resource,
        region=HOME_REGION,
        request_tags=dict(tags or {}),
        tag_keys=list(tags or {}),
        **{"secure_transport": True} | more,
    )


def may_become(
    side: "Side", *, by: str = CENTRAL, external_id: str | None, tags: Mapping[str, str] | None = None
) -> bool:
    """Whether AssumeRole is let through: with tags STS asks for a second action."""
    actions = ["sts:AssumeRole"] + ["sts:TagSession"] * bool(tags)
    told = {"sts:externalid": external_id} if external_id is not None else {}
    return all(
        evaluate_trust_policy(
            dict(side.trust), by, asked(action, side.role_arn, by=by, tags=tags, service_context=told)
        )
        for action in actions
    )


def may(side: "Side", action: str, resource: str, *, tenant: str = "") -> bool:
    """Whether a session of the role may do *action*; *tenant* is the session's tag."""
    by = f"{side.role_arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/logfanout-acme"
    keys = {"aws:principaltag/tenant": tenant} if tenant else {}
    context = asked(action, resource, by=by, principal_keys=keys)
    return bool(evaluate(context, [parse_policy_document(dict(side.permissions))]).decision == "Allow")


def may_put(side: "Side", action: str, resource: str, *, by: str = CENTRAL, **more: Any) -> bool:
    """Whether the bucket lets *by* do *action*; the platform's own policy is not asked."""
    answer = evaluate_resource_policy(dict(side.bucket_policy), asked(action, resource, by=by, **more))
    return bool(answer.decision == "Allow")


@pytest.mark.parametrize(
    ("by", "external_id", "allowed"),
    [
        (CENTRAL, "acme-4f1c", True),
        (CENTRAL, None, False),
        (CENTRAL, "", False),
        (CENTRAL, "acme-4F1C", False),
        (CENTRAL, "acme-4f1", False),
        (CENTRAL, PLATFORM_ACCOUNT, False),
        (f"arn:aws:sts::{PLATFORM_ACCOUNT}:assumed-role/logfanout-task/task", "acme-4f1c", False),
        (f"arn:aws:sts::{PLATFORM_ACCOUNT}:assumed-role/CentralLogDistribution-2/x", "acme-4f1c", False),
        (f"arn:aws:iam::{PLATFORM_ACCOUNT}:root", "acme-4f1c", False),
        ("arn:aws:sts::333333333333:assumed-role/CentralLogDistribution/x", "acme-4f1c", False),
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
        ({"action": "s3:AbortMultipartUpload", "service_context": {}}, True),
        ({"action": "s3:AbortMultipartUpload", "resource": COPY.replace("/acme/", "/other/")}, False),
        ({"service_context": {}}, False),
        ({"service_context": {"s3:x-amz-acl": "public-read"}}, False),
        ({"resource": COPY.replace("/acme/", "/other/")}, False),
        ({"resource": COPY.replace("/acme/", "/acme2/")}, False),
        ({"resource": COPY.replace("ROSA/cluster-logs/", "")}, False),
        ({"action": "s3:GetObject"}, False),
        ({"action": "s3:DeleteObject"}, False),
        ({"action": "s3:ListBucket", "resource": "arn:aws:s3:::acme-logs"}, False),
        ({"by": f"arn:aws:sts::{PLATFORM_ACCOUNT}:assumed-role/logfanout-task/task"}, False),
        ({"by": f"arn:aws:iam::{PLATFORM_ACCOUNT}:root"}, False),
        ({"secure_transport": False}, False),
    ],
)
async def test_copies_come_below_the_tenants_name_and_are_its_own(
    made: Made, changed: dict[str, Any], *, allowed: bool
) -> None:
    """Another path, another ACL, another caller, plain HTTP and reading are refused."""
    request = {"action": "s3:PutObject", "resource": COPY, "service_context": OWNED} | changed
    assert may_put(await made(bucket="acme-logs"), **request) is allowed

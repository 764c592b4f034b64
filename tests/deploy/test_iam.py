"""The judge of the policies is judged first: by IAM's own rules, and against MiniStack's evaluation."""

from typing import Any

import pytest
from ministack.core import iam_evaluator
from tests.deploy.iam import NotUnderstood, Request, allows, denies

BUCKET = "arn:aws:s3:::logs"


def policy(**statement: Any) -> dict[str, Any]:
    """Return a policy of one statement that allows reading the bucket unless told otherwise."""
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"} | statement
    return {"Version": "2012-10-17", "Statement": [whole]}


def read(key: str = "a", **context: Any) -> Request:
    return Request(action="s3:GetObject", resource=f"{BUCKET}/{key}", context=context)


def test_what_nobody_allows_is_refused() -> None:
    """There is no other default."""
    assert not allows(Request(action="s3:PutObject", resource=f"{BUCKET}/a"), policy())
    assert not allows(Request(action="s3:GetObject", resource="arn:aws:s3:::other/a"), policy())
    assert allows(read(), policy())


def test_a_denial_wins_over_every_allowance() -> None:
    """Whatever order they are written in."""
    denial = policy(Effect="Deny", Action="s3:*")
    assert not allows(read(), policy(), denial)
    assert not allows(read(), denial, policy())
    assert denies(read(), denial)
    assert not denies(read(), policy())


def test_a_wildcard_reaches_over_slashes_but_not_over_colons() -> None:
    """The first is why a tenant's prefix must not begin with one."""
    assert allows(read("victim/other/own/x"), policy(Resource=f"{BUCKET}/*/own/*"))
    assert not allows(
        Request(action="sts:AssumeRole", resource="arn:aws:iam::1:role/x"),
        policy(Action="sts:AssumeRole", Resource="arn:aws:iam:*:role/x"),
    )


def test_a_variable_is_its_value_and_no_pattern() -> None:
    """A tag that says ``*`` opens nothing, and a request without the tag matches nothing."""
    tagged = policy(Resource=f"{BUCKET}/${{aws:PrincipalTag/cluster}}/*")
    assert allows(read("c1/x", **{"aws:PrincipalTag/cluster": "c1"}), tagged)
    assert not allows(read("c2/x", **{"aws:PrincipalTag/cluster": "c1"}), tagged)
    assert not allows(read("c2/x", **{"aws:PrincipalTag/cluster": "*"}), tagged)
    assert not allows(read("c1/x"), tagged)


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"sts:ExternalId": "e"}}, {"sts:ExternalId": "e"}, True),
        ({"StringEquals": {"sts:ExternalId": ["d", "e"]}}, {"sts:ExternalId": "e"}, True),
        ({"StringEquals": {"sts:ExternalId": "e"}}, {"sts:ExternalId": "E"}, False),
        ({"StringEquals": {"sts:ExternalId": "e"}}, {}, False),
        ({"StringEqualsIfExists": {"sts:ExternalId": "e"}}, {}, True),
        ({"StringNotEquals": {"sts:ExternalId": "e"}}, {}, True),
        ({"StringNotEquals": {"sts:ExternalId": ["d", "e"]}}, {"sts:ExternalId": "e"}, False),
        ({"StringLike": {"sts:ExternalId": "e*"}}, {"sts:ExternalId": "even"}, True),
        ({"StringNotLike": {"sts:ExternalId": ["*/*", ""]}}, {"sts:ExternalId": ""}, False),
        ({"StringNotLike": {"sts:ExternalId": ["*/*", ""]}}, {"sts:ExternalId": "a/b"}, False),
        ({"StringNotLike": {"sts:ExternalId": ["*/*", ""]}}, {"sts:ExternalId": "ab"}, True),
        ({"Null": {"sts:ExternalId": "false"}}, {"sts:ExternalId": "e"}, True),
        ({"Null": {"sts:ExternalId": "false"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:t"}}, {"aws:SourceArn": "arn:aws:sns:eu:1:t"}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu:1:t"}}, {"aws:SourceArn": "arn:aws:sns:eu:1:u"}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]}}, {"aws:TagKeys": ["tenant"]}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]}}, {"aws:TagKeys": ["tenant", "x"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["tenant"]}}, {}, True),
    ],
)
def test_an_operator_means_what_iam_says(condition: dict[str, Any], context: dict[str, Any], holds: bool) -> None:
    """And what MiniStack, written by others from the same pages, makes of it."""
    assert allows(read(**context), policy(Condition=condition)) is holds
    seen = {key.lower(): value for key, value in context.items()}
    theirs = iam_evaluator.EvalContext(
        principal_arn="arn:aws:iam::1:role/r",
        principal_type="AssumedRole",
        principal_account="1",
        action="s3:GetObject",
        resource_arn=f"{BUCKET}/a",
        region="eu",
        secure_transport=context.get("aws:SecureTransport") == "true",
        tag_keys=seen.get("aws:tagkeys"),
        service_context=seen,
    )
    decided = iam_evaluator.evaluate(theirs, [iam_evaluator.parse_policy_document(policy(Condition=condition))])
    assert (decided.decision == "Allow") is holds


def test_a_principal_is_one_role_or_a_whole_account() -> None:
    """As the policy says; a service is known by its name."""
    role = "arn:aws:iam::111111111111:role/worker"
    trust = {"Action": "sts:AssumeRole"}

    def may(principal: Any, by: str) -> bool:
        made = policy(**trust, Principal=principal)
        del made["Statement"][0]["Resource"]
        return allows(Request(action="sts:AssumeRole", by=by), made)

    assert may({"AWS": role}, role)
    assert not may({"AWS": role}, f"{role}-2")
    assert may({"AWS": "arn:aws:iam::111111111111:root"}, role)
    assert not may({"AWS": "arn:aws:iam::222222222222:root"}, role)
    assert may({"Service": "s3.amazonaws.com"}, "s3.amazonaws.com")
    assert not may({"Service": "s3.amazonaws.com"}, "sns.amazonaws.com")


@pytest.mark.parametrize(
    "made",
    [
        policy(NotAction="s3:*"),
        policy(Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}),
        policy(Resource=f"{BUCKET}/${{aws:username}}/*"),
        policy(Effect="Perhaps"),
        policy() | {"Version": "2008-10-17"},
    ],
)
def test_what_it_does_not_know_it_does_not_judge(made: dict[str, Any]) -> None:
    """A policy must not pass because its judge skipped a line."""
    with pytest.raises(NotUnderstood):
        allows(read(**{"aws:CurrentTime": "2026-01-01"}), made)

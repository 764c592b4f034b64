"""A row is followed if it has AWS's form, and refused, alone, if it has not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.destinations import s3_copies
from logfanout.tenants import log_groups
from logfanout.tenants.log_groups import RETENTION_DAYS, CloudWatchDestination
from logfanout.tenants.rows import APPLICATION_GROUPS, MOST_NAMES, Tenant, read

NOW = 1_772_452_800
KINDS = {"cloudwatch": log_groups, "s3": s3_copies}
ROLE = "arn:aws:iam::111122223333:role/CustomerLogDistribution-acme"
ROW: dict[str, Any] = {
    "tenant_id": "acme",
    "type": "cloudwatch",
    "log_distribution_role_arn": ROLE,
    "log_group_name": "/platform/logs",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


def tenant_of(*rows: dict[str, Any]) -> Tenant:
    tenant = read(rows, kinds=KINDS, tenant="acme", region="us-east-1", now_seconds=NOW)
    assert tenant is not None
    return tenant


def destination_of(**changes: Any) -> CloudWatchDestination:
    (destination,) = tenant_of(ROW | changes).destinations
    assert isinstance(destination, CloudWatchDestination)
    return destination


def why(**changes: Any) -> str:
    """Why the row is refused."""
    tenant = tenant_of(ROW | changes)
    assert tenant.destinations == ()
    (unusable,) = tenant.unusable
    assert unusable.reason == "undeliverable"
    return str(unusable)


def test_a_row_names_a_log_group_in_an_account() -> None:
    """The least a row must say, and what follows from it."""
    destination = destination_of()
    assert (destination.role_arn, destination.group, destination.region) == (ROLE, "/platform/logs", "us-east-1")
    assert (destination.account, destination.external_id, destination.retention_days) == ("111122223333", None, None)
    assert destination.wanted.takes("anything")
    assert not destination.session_tags
    assert str(destination) == "log group /platform/logs of account 111122223333 in us-east-1"


def test_what_a_tenant_may_set() -> None:
    """Region, external id, retention and session tags are the tenant's own."""
    destination = destination_of(
        target_region="eu-west-1", external_id="their-own:id/1", log_retention_days=30, session_tags=True
    )
    assert destination.region == "eu-west-1"
    assert destination.external_id == "their-own:id/1"
    assert destination.retention_days == 30
    assert destination.session_tags


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"])
def test_every_partition_has_roles(partition: str) -> None:
    """ARNs differ by partition."""
    arn = f"arn:{partition}:iam::111122223333:role/path/to/role-1"
    assert destination_of(log_distribution_role_arn=arn).role_arn == arn


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-12", "mx-central-1"])
def test_every_region_has_a_name(region: str) -> None:
    """Regions that do not exist yet look like those that do."""
    assert destination_of(target_region=region).region == region


@pytest.mark.parametrize("days", [*sorted(RETENTION_DAYS), 7.0])
def test_every_retention_cloudwatch_knows(days: float) -> None:
    """DynamoDB has numbers only: a whole one may come as a float."""
    assert destination_of(log_retention_days=days).retention_days == int(days)


MALFORMED: dict[str, list[Any]] = {
    "log_distribution_role_arn": [
        None,
        "",
        "role",
        1,
        [ROLE],
        ROLE + "\n",
        ROLE.replace("role/", "user/"),
        "arn:aws:iam::1111:role/x",
    ],
    "log_group_name": [None, "", "a b", "a:b", "*", "g" * 513, 1, ["g"], "g\n"],
    "target_region": [
        "",
        "evil.example.com/",
        "us-east-1.evil",
        "US-EAST-1",
        "us-east-1\n",
        1,
        ["us-east-1"],
        "..",
        "us-east-\N{ARABIC-INDIC DIGIT ONE}",
    ],
    "external_id": ["", "x", "a b", 1, "x" * 1225, ["xx"], "x\n"],
    "log_retention_days": [0, 2, -1, 7.5, "7", True, [7], {7}, {"N": "7"}],
    "session_tags": ["true", 1, None, []],
    "enabled": ["true", "false", 1, 0, None, []],
    "type": ["s3", "S3", "CloudWatch", "", None, 1, []],
    "desired_logs": ["web", {"web": 1}, [1], [""], ["a/b"], ["a\nb"], 5, True, ["x" * 254], [None], ["*a" * 100] * 11],
    "groups": ["API", ["nobody"], [1], {"API": 1}],
}


@pytest.mark.parametrize(("field", "value"), [(field, bad) for field, values in MALFORMED.items() for bad in values])
def test_what_has_not_the_form_is_refused(field: str, value: Any) -> None:
    """A field that is missing or malformed closes its row, and says which field it was."""
    said = why(**{field: value})
    assert "'acme'" in said
    assert field in said or field == "type"
    assert len(said) < 500


def test_a_bad_row_leaves_the_good_one_alone() -> None:
    """One bad row never blocks a tenant's good one."""
    unhashable = {"type": "cloudwatch", "log_retention_days": [[]]}
    bad_rows: list[dict[str, Any]] = [{"type": "s3"}, {"type": "s3", "ttl": "never"}, {"type": []}, {}, unhashable]
    for bad in bad_rows:
        tenant = tenant_of(bad, ROW)
        assert len(tenant.destinations) == 1
        assert len(tenant.unusable) == 1


def test_a_disabled_row_is_neither_followed_nor_complained_of() -> None:
    """What a disabled row says does not matter."""
    assert tenant_of(ROW | {"enabled": False}) == Tenant(id="acme")
    assert tenant_of({"tenant_id": "acme", "type": "s3", "enabled": False}) == Tenant(id="acme")


@pytest.mark.parametrize("ttl", [NOW, NOW - 1, 1, NOW - 0.5])
def test_a_row_past_its_ttl_is_absent(ttl: float) -> None:
    """DynamoDB takes days to delete what has expired."""
    assert read([ROW | {"ttl": ttl}], kinds=KINDS, tenant="acme", region="us-east-1", now_seconds=NOW) is None
    tenant = tenant_of(ROW | {"ttl": ttl, "type": "s3"}, ROW)
    assert (len(tenant.destinations), tenant.unusable) == (1, ())


@pytest.mark.parametrize("ttl", [NOW + 1, 0, -5, None, "1", True, []])
def test_another_ttl_is_none(ttl: Any) -> None:
    """Only a number in the past ends a row; DynamoDB itself heeds nothing else."""
    assert destination_of(ttl=ttl)


def test_no_row_is_no_tenant() -> None:
    """Unknown, not unusable."""
    assert read([], kinds=KINDS, tenant="acme", region="us-east-1", now_seconds=NOW) is None


# Filters.


@pytest.mark.parametrize("kind", [list, set, frozenset, tuple])
def test_a_filter_is_a_list_or_a_string_set(kind: Any) -> None:
    """The table holds both: a string set that was taken for no filter once sent everything."""
    wanted = destination_of(desired_logs=kind(["web", "kube-*"])).wanted
    assert [wanted.takes(name) for name in ("web", "kube-x", "api")] == [True, True, False]


def test_a_filter_is_no_book() -> None:
    """Reading it is done while everybody waits: a row of the largest size would take seconds."""
    names = [f"application-{n}" for n in range(MOST_NAMES)]
    assert destination_of(desired_logs=names).wanted.takes("application-999")
    assert "desired_logs" in why(desired_logs=[*names, "one-more"])


def test_groups_add_to_the_names() -> None:
    """A group stands for its applications; its own name is told without regard to case."""
    wanted = destination_of(desired_logs=["web"], groups={"API", "controller Manager"}).wanted
    taken = {"web", *APPLICATION_GROUPS["api"], *APPLICATION_GROUPS["controller manager"]}
    assert all(wanted.takes(name) for name in taken)
    assert not wanted.takes("kube-scheduler")
    assert not destination_of(groups=["Scheduler"]).wanted.takes("web")


@pytest.mark.parametrize(
    "empty", [{}, {"desired_logs": None}, {"desired_logs": []}, {"desired_logs": [], "groups": []}]
)
def test_no_filter_takes_everything(empty: dict[str, Any]) -> None:
    """Absent or empty: all."""
    assert destination_of(**empty).wanted.takes("anything")


# Properties.

plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.binary(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
        st.sets(st.text(max_size=5), max_size=3),
    ),
    max_leaves=4,
)
FIELDS = [
    *ROW,
    "enabled",
    "desired_logs",
    "groups",
    "target_region",
    "ttl",
    "external_id",
    "log_retention_days",
    "session_tags",
]


@given(st.dictionaries(st.sampled_from(FIELDS), plain, max_size=4))
def test_any_row_is_followed_refused_or_absent(changes: dict[str, Any]) -> None:
    """Nothing that stands in the table makes the reader fail, nor hides the good row beside it."""
    tenant = read([ROW | changes, ROW], kinds=KINDS, tenant="acme", region="us-east-1", now_seconds=NOW)
    assert tenant is not None
    assert 1 <= len(tenant.destinations) + len(tenant.unusable) <= 2
    assert destination_of() in tenant.destinations


@given(plain)
def test_a_filter_is_read_or_refuses(value: Any) -> None:
    """Whatever ``desired_logs`` holds, it opens only if it is absent or empty."""
    tenant = tenant_of(ROW | {"desired_logs": value})
    opens = any(destination.wanted.takes("no such name") for destination in tenant.destinations)
    listed = isinstance(value, list | set)
    assert opens == (value is None or (listed and (not value or "*" in value))) or (
        listed and any("*" in v for v in value)
    )

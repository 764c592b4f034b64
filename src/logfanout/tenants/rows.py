"""What do a tenant's rows say?

    rows as stored ──► read ──► Tenant (destinations, and rows that cannot be followed)

Pure. Everything in a row is hostile input: a region becomes part of a host name, a role's ARN of a request. What does
not have the form AWS documents is refused, and refusing one row leaves the tenant's others alone (CONTRACT §4).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from logfanout.errors import DestinationUnusable
from logfanout.ports import Row

# The groups of applications the existing processors know; names are told apart without regard to case.
APPLICATION_GROUPS = {
    "api": ("kube-apiserver", "openshift-apiserver"),
    "authentication": ("oauth-openshift", "openshift-oauth-apiserver"),
    "controller manager": (
        "kube-controller-manager",
        "openshift-controller-manager",
        "openshift-route-controller-manager",
    ),
    "scheduler": ("kube-scheduler",),
}

# PutRetentionPolicy, "retentionInDays".
RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)

_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")  # CreateLogGroup, "logGroupName"
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,12}){1,3}-\d{1,2}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)  # AssumeRole, "ExternalId"
_APPLICATION = re.compile(r"[^/\x00-\x1f]{1,253}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which applications a destination takes: exact names and ``*`` patterns; ``None`` takes them all."""

    pattern: re.Pattern[str] | None = None

    def takes(self, application: str) -> bool:
        """Whether *application*'s logs go there; case counts."""
        return self.pattern is None or self.pattern.fullmatch(application) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchDestination:
    """One log group in one tenant's account."""

    tenant: str
    role_arn: str
    group: str
    region: str
    wanted: Wanted = Wanted()
    external_id: str | None = None  # None: the fleet's
    retention_days: int | None = None  # None: for ever, or as the tenant has set it
    session_tags: bool = False

    @property
    def id(self) -> str:
        """The place itself, however it is reached: what has been delivered there is remembered under this name."""
        return f"cloudwatch:{self.account}:{self.region}:{self.group}"

    @property
    def account(self) -> str:
        """The account the role is in: its quotas are what puts are counted against."""
        return self.role_arn.split(":")[4]

    def __str__(self) -> str:
        return f"log group {self.group} of account {self.account} in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant as the table has it now."""

    id: str
    destinations: tuple[CloudWatchDestination, ...] = ()  # the enabled ones that can be followed
    unusable: tuple[DestinationUnusable, ...] = ()  # enabled rows that cannot; each says why


def read(rows: Sequence[Row], *, tenant: str, region: str, now_seconds: float) -> Tenant | None:
    """Return the tenant that *rows* describe; ``None`` if no row is there, or all are past their ``ttl``.

    *region* is where a row without ``target_region`` delivers to.
    """
    live = [row for row in rows if not _is_past(row.get("ttl"), now_seconds)]
    if not live:
        return None
    destinations: list[CloudWatchDestination] = []
    unusable: list[DestinationUnusable] = []
    for row in live:
        try:
            destinations.extend(_destination(row, tenant=tenant, region=region))
        except DestinationUnusable as why:
            unusable.append(why)
    return Tenant(id=tenant, destinations=tuple(destinations), unusable=tuple(unusable))


def _is_past(ttl: Any, now_seconds: float) -> bool:
    """DynamoDB deletes an expired item within days, not at once ("Using time to live"); until then we ignore it."""
    return isinstance(ttl, int | float) and not isinstance(ttl, bool) and 0 < ttl <= now_seconds


def _destination(row: Row, *, tenant: str, region: str) -> Iterable[CloudWatchDestination]:
    kind = row.get("type")
    where = f"tenant {tenant!r}, row {str(kind)[:32]!r}"
    match row.get("enabled", True):
        case False:
            return
        case True:
            pass
        case _:
            raise DestinationUnusable(f"{where}: enabled must be a BOOL")
    match kind:
        case "cloudwatch":
            yield _cloudwatch(row, where=where, tenant=tenant, region=region)
        case "s3":
            raise DestinationUnusable(f"{where}: this version does not deliver to S3")
        case _:
            raise DestinationUnusable(f"{where}: type must be cloudwatch or s3")


def _cloudwatch(row: Row, *, where: str, tenant: str, region: str) -> CloudWatchDestination:
    retention = row.get("log_retention_days")
    if retention is not None and not _is_retention(retention):
        raise DestinationUnusable(f"{where}: log_retention_days must be one of {sorted(RETENTION_DAYS)}")
    tags = row.get("session_tags", False)
    if not isinstance(tags, bool):
        raise DestinationUnusable(f"{where}: session_tags must be a BOOL")
    return CloudWatchDestination(
        tenant=tenant,
        role_arn=_text(row, "log_distribution_role_arn", _ROLE_ARN, "a role's ARN", where=where),
        group=_text(row, "log_group_name", _GROUP_NAME, "1 to 512 of a-z A-Z 0-9 . - _ / #", where=where),
        region=_text(row, "target_region", _REGION, "a region's name", where=where, default=region),
        wanted=_wanted(row, where=where),
        external_id=_text(row, "external_id", _EXTERNAL_ID, "2 to 1,224 legal characters", where=where, default="")
        or None,
        retention_days=None if retention is None else int(retention),
        session_tags=tags,
    )


def _is_retention(days: Any) -> bool:
    return isinstance(days, int | float) and not isinstance(days, bool) and days in RETENTION_DAYS


def _text(row: Row, name: str, form: re.Pattern[str], says: str, *, where: str, default: str | None = None) -> str:
    value = row.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not form.fullmatch(value):
        raise DestinationUnusable(f"{where}: {name} must be {says}")
    return value


def _wanted(row: Row, *, where: str) -> Wanted:
    """Return the filter; what is not a list or set of names refuses, so that a mistake never opens it."""
    names = _names(row, "desired_logs", where=where)
    for group in _names(row, "groups", where=where):
        applications = APPLICATION_GROUPS.get(group.lower())
        if applications is None:
            raise DestinationUnusable(f"{where}: groups names {group[:64]!r}, which is not one of ours")
        names.extend(applications)
    if not names:
        return Wanted()
    return Wanted(re.compile("|".join(map(_pattern, names)), re.DOTALL))


def _pattern(name: str) -> str:
    """Return *name* as a regular expression in which ``*`` alone is special.

    Of what stands between two stars the first place that fits will do, and is never reconsidered: names come from keys,
    and a filter with many stars must not make one of them take for ever.
    """
    first, *others = map(re.escape, re.split(r"\*+", name))
    if not others:
        return first
    return first + "".join(f"(?>.*?{part})" for part in others[:-1]) + ".*" + others[-1]


def _names(row: Row, name: str, *, where: str) -> list[str]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list | tuple | set | frozenset):
        raise DestinationUnusable(f"{where}: {name} must be a list or a string set of names")
    if not all(isinstance(entry, str) and _APPLICATION.fullmatch(entry) for entry in value):
        raise DestinationUnusable(f"{where}: {name} holds something that is no application's name")
    return sorted(value)

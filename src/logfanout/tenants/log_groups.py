"""Which log group of which account does a row name?

    row of type cloudwatch ──► read ──► CloudWatchDestination

Pure.
"""

import re
from functools import cached_property
from typing import Any, ClassVar

import msgspec

from logfanout.tenants.limiter import Account
from logfanout.tenants.rows import EVERYTHING, Fields, Wanted

# PutRetentionPolicy, "retentionInDays".
RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)

_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")  # CreateLogGroup, "logGroupName"
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)  # AssumeRole, "ExternalId"


class CloudWatchDestination(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True, dict=True):
    """One log group in one tenant's account."""

    kind: ClassVar[str] = "cloudwatch"

    tenant: str
    role_arn: str
    group: str
    region: str
    wanted: Wanted = EVERYTHING
    external_id: str | None = None  # None: the fleet's
    retention_days: int | None = None  # None: for ever, or as the tenant has set it
    session_tags: bool = False

    # A row is kept for a minute, and a busy tenant's asked these with each object: they are made once.

    @cached_property
    def id(self) -> str:
        """The place itself, however it is reached: what has been delivered there is remembered under this name."""
        return f"cloudwatch:{self.account}:{self.region}:{self.group}"

    @cached_property
    def account(self) -> str:
        """The account the role is in."""
        return self.role_arn.split(":")[4]

    @cached_property
    def quota(self) -> Account:
        """What its puts are counted against."""
        return Account(id=self.account, region=self.region)

    def __str__(self) -> str:
        return f"log group {self.group} of account {self.account} in {self.region}"


def read(row: Fields) -> CloudWatchDestination:
    """Return the log group *row* describes.

    Raises:
        DestinationUnusable: a field is missing or has not the form AWS documents.
    """
    retention = row.row.get("log_retention_days")
    if retention is not None and not _is_retention(retention):
        raise row.unusable(f"log_retention_days must be one of {sorted(RETENTION_DAYS)}")
    return CloudWatchDestination(
        tenant=row.tenant,
        role_arn=row.text("log_distribution_role_arn", _ROLE_ARN, "a role's ARN"),
        group=row.text("log_group_name", _GROUP_NAME, "1 to 512 of a-z A-Z 0-9 . - _ / #"),
        region=row.target_region(),
        wanted=row.wanted(),
        external_id=row.text("external_id", _EXTERNAL_ID, "2 to 1,224 legal characters", default="") or None,
        retention_days=None if retention is None else int(retention),
        session_tags=row.flag("session_tags", default=False),
    )


def _is_retention(days: Any) -> bool:
    return isinstance(days, int | float) and not isinstance(days, bool) and days in RETENTION_DAYS

"""What is to become of a row?

    fields as given ──► replacing ─┐
    enabled, or not ──► switching ─┴──► Change ──► applied to the row as it was ──► the row as it is

Pure. A change is one write, never a read and then a write: of two operators at once, neither undoes what the other did
to a field that is not its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from logfanout.moments import iso8601
from logfanout.ports import Row

OF_ONE_TYPE: Mapping[str, Sequence[str]] = {
    "cloudwatch": (
        "log_distribution_role_arn",
        "log_group_name",
        "external_id",
        "log_retention_days",
        "session_tags",
    ),
    "s3": ("bucket_name", "bucket_owner", "bucket_prefix"),
}
_OF_EACH = ("target_region", "desired_logs", "groups", "ttl")
# A new row says all of its type's fields anew, or says them no more. These stay as they are unless something is said of
# them; ``enabled``, of which the same holds, too: whoever disabled a tenant had a reason.
_KEPT = ("external_id",)  # ``show`` does not show it, so nobody could copy it from there


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write to one row. Fields that are not named stay as they are."""

    tenant: str
    type: str
    sets: Row = field(repr=False)  # an external id may be in it
    removes: Sequence[str] = ()
    sets_once: Row = field(default_factory=dict)  # only if the row has no such field
    creates: bool = False  # the row if there is none; otherwise nothing is written then


def replacing(tenant: str, type_: str, fields: Row, *, removes: Sequence[str] = (), now_ms: int) -> Change:
    """Return what makes the row say *fields*, and of ours no more than they; *removes* names others to take away."""
    return Change(
        tenant=tenant,
        type=type_,
        sets={**fields, "updated_at": iso8601(now_ms)},
        removes=[*(name for name in (*OF_ONE_TYPE[type_], *_OF_EACH) if name not in (*fields, *_KEPT)), *removes],
        sets_once={"created_at": iso8601(now_ms)},
        creates=True,
    )


def switching(tenant: str, type_: str, *, enabled: bool, now_ms: int) -> Change:
    """Return what enables or disables a row that is there."""
    return Change(tenant=tenant, type=type_, sets={"enabled": enabled, "updated_at": iso8601(now_ms)})


def applied(change: Change, before: Row | None) -> Row | None:
    """Return the row as *change* leaves it; ``None``: there is still none."""
    if before is None and not change.creates:
        return None
    row = {"tenant_id": change.tenant, "type": change.type, **change.sets_once, **(before or {}), **change.sets}
    return {name: value for name, value in row.items() if name not in change.removes}

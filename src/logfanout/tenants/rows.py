"""What do a tenant's rows say?

    rows as stored ──► read ──► Tenant (destinations, and rows that cannot be followed)

Pure. Everything in a row is hostile input: a region becomes part of a host name, a role's ARN of a request. What does
not have the form AWS documents is refused, and refusing one row leaves the tenant's others alone (CONTRACT §4). What
fields a row has besides those all have is its kind's to say (``destinations.kind``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol

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

# Of one filter: reading it takes up to a quarter of a second then, in which nobody else is served.
MOST_NAMES, MOST_STARS = 1000, 1000

_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,12}){1,3}-\d{1,2}", re.ASCII)
_APPLICATION = re.compile(r"[^/\x00-\x1f]{1,253}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which applications a destination takes: exact names and ``*`` patterns; ``None`` takes them all."""

    pattern: re.Pattern[str] | None = None

    def takes(self, application: str) -> bool:
        """Whether *application*'s logs go there; case does not count, as with the processors that wrote these rows."""
        return self.pattern is None or self.pattern.fullmatch(application) is not None


EVERYTHING = Wanted()


class Destination(Protocol):
    """One place a tenant's logs go to; equal ones are the same place, reached in the same way."""

    kind: ClassVar[str]  # the row's ``type``

    @property
    def tenant(self) -> str:
        """Whose it is: a configured tenant."""
        ...

    @property
    def wanted(self) -> Wanted:
        """What of the tenant's goes there."""
        ...

    @property
    def id(self) -> str:
        """The place itself, however it is reached: what has been delivered there is remembered under this name."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """One row's fields, each held to its form as it is read.

    Raises:
        DestinationUnusable: from every method, when the field has not the form; the text says which it must have.
    """

    row: Row = field(repr=False)
    tenant: str
    region: str  # where a row without ``target_region`` delivers to

    def unusable(self, why: str) -> DestinationUnusable:
        """Return what to raise for a row that cannot be followed."""
        return DestinationUnusable(f"tenant {self.tenant!r}, row {str(self.row.get('type'))[:32]!r}: {why}")

    def text(self, name: str, form: re.Pattern[str], says: str, *, default: str | None = None) -> str:
        """Return the text in *name*, which must match *form* as a whole; *says* tells a reader what that is."""
        value = self.row.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not form.fullmatch(value):
            raise self.unusable(f"{name} must be {says}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether *name* is set."""
        value = self.row.get(name, default)
        if not isinstance(value, bool):
            raise self.unusable(f"{name} must be a BOOL")
        return value

    def target_region(self) -> str:
        """Return where the row delivers to."""
        return self.text("target_region", _REGION, "a region's name", default=self.region)

    def wanted(self) -> Wanted:
        """Return the filter; what is not a list or set of names refuses, so that a mistake never opens it."""
        names = self._names("desired_logs")
        for group in self._names("groups"):
            applications = APPLICATION_GROUPS.get(group.lower())
            if applications is None:
                raise self.unusable(f"groups names {group[:64]!r}, which is not one of ours")
            names.extend(applications)
        if not names:
            return EVERYTHING
        if len(names) > MOST_NAMES or sum(name.count("*") for name in names) > MOST_STARS:
            raise self.unusable(f"desired_logs has more than {MOST_NAMES:,} names, or {MOST_STARS:,} stars in them")
        return _wanted(tuple(names))

    def _names(self, name: str) -> list[str]:
        value = self.row.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple | set | frozenset):
            raise self.unusable(f"{name} must be a list or a string set of names")
        if not all(isinstance(entry, str) and _APPLICATION.fullmatch(entry) for entry in value):
            raise self.unusable(f"{name} holds something that is no application's name")
        return sorted(value)


class ReadsRows(Protocol):
    """What reads the rows of one ``type``."""

    def read(self, row: Fields) -> Destination:
        """Return the destination *row* describes.

        Raises:
            DestinationUnusable: it cannot be followed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant as the table has it now."""

    id: str
    destinations: tuple[Destination, ...] = ()  # the enabled ones that can be followed
    unusable: tuple[DestinationUnusable, ...] = ()  # enabled rows that cannot; each says why


def read(
    rows: Sequence[Row], *, kinds: Mapping[str, ReadsRows], tenant: str, region: str, now_seconds: float
) -> Tenant | None:
    """Return the tenant that *rows* describe; ``None`` if no row is there, or all are past their ``ttl``.

    *kinds* reads a row by its ``type``; *region* is where a row without ``target_region`` delivers to.
    """
    live = [row for row in rows if not _is_past(row.get("ttl"), now_seconds)]
    if not live:
        return None
    destinations: list[Destination] = []
    unusable: list[DestinationUnusable] = []
    for row in live:
        try:
            destinations.extend(_destination(Fields(row=row, tenant=tenant, region=region), kinds))
        except DestinationUnusable as why:
            unusable.append(why)
    return Tenant(id=tenant, destinations=tuple(destinations), unusable=tuple(unusable))


def _is_past(ttl: Any, now_seconds: float) -> bool:
    """DynamoDB deletes an expired item within days, not at once ("Using time to live"); until then we ignore it."""
    return isinstance(ttl, int | float) and not isinstance(ttl, bool) and 0 < ttl <= now_seconds


def _destination(row: Fields, kinds: Mapping[str, ReadsRows]) -> Iterable[Destination]:
    if not row.flag("enabled", default=True):
        return
    type_ = row.row.get("type")
    kind = kinds.get(type_) if isinstance(type_, str) else None
    if kind is None:
        raise row.unusable(f"type must be {' or '.join(sorted(kinds))}")
    yield kind.read(row)


@lru_cache(maxsize=256)
def _wanted(names: tuple[str, ...]) -> Wanted:
    """Many tenants want the same, and a tenant's rows are read again each minute."""
    return Wanted(re.compile("|".join(map(_pattern, names)), re.DOTALL | re.IGNORECASE))


def _pattern(name: str) -> str:
    """Return *name* as a regular expression in which ``*`` alone is special.

    Of what stands between two stars the first place that fits will do, and is never reconsidered: names come from keys,
    and a filter with many stars must not make one of them take for ever.
    """
    first, *others = map(re.escape, re.split(r"\*+", name))
    if not others:
        return first
    return first + "".join(f"(?>.*?{part})" for part in others[:-1]) + ".*" + others[-1]

"""Who gets what an object holds, and under which stream's name?

    key ──► KeyLayout.read ──► KeyFields ─┐
                              Tenant ─────┴──► wanting ──► (Destination, ...)
    KeyFields + the event's day ──► StreamNaming ──► the stream's name

Pure. A key is hostile input: whoever can write to the bucket chooses it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from string import Formatter

import msgspec

from logfanout.errors import KeyUnreadable
from logfanout.tenants.rows import Destination, Tenant

DAY_MS = 86_400_000
_KEYS_REMEMBERED = 256  # one is read when its message arrives, when it is delivered and when it is reported

_KEY_FIELDS = frozenset({"tenant", "cluster", "application", "pod"})
_REQUIRED_FIELDS = frozenset({"tenant", "application"})
_STREAM_FIELDS = _KEY_FIELDS | {"date"}
_STREAM_NAME_LENGTH = 512  # CreateLogStream, "logStreamName": 1 to 512, neither ":" nor "*"
_ILLEGAL_IN_STREAM_NAME = re.compile(r"[:*\x00-\x1f\x7f]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KeyFields(msgspec.Struct, frozen=True, kw_only=True):
    """What a key says about the object; a field the layout does not have is empty."""

    tenant: str
    application: str
    cluster: str = ""
    pod: str = ""
    file: str


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """How a key is read: its leading segments, each a field or a fixed text; then the file's name."""

    segments: tuple[tuple[str, bool], ...]  # (text or field, whether it is a field)
    text: str

    def __hash__(self) -> int:
        """All is made from the text, whose hash is kept: it is asked for with each key."""
        return hash(self.text)

    @classmethod
    def parse(cls, text: str) -> "KeyLayout":
        """Return the layout *text* describes, such as ``{tenant}/{cluster}/{application}/{pod}/``.

        Raises:
            ValueError: *text* is no such description.
        """
        if not text.endswith("/"):
            raise ValueError("must end with /, the file's name follows it")
        segments = tuple(_segment(part) for part in text[:-1].split("/"))
        fields = [name for name, is_field in segments if is_field]
        if len(fields) != len(set(fields)) or not _REQUIRED_FIELDS.issubset(fields):
            raise ValueError("must name {tenant} and {application}, and every field only once")
        return cls(segments, text)

    @lru_cache(maxsize=_KEYS_REMEMBERED)  # noqa: B019  a worker has one layout, for good
    def read(self, key: str) -> KeyFields:
        """Return the fields of *key*.

        Raises:
            KeyUnreadable: *key* has too few segments, an empty or a relative one, or other fixed texts.
        """
        parts = key.split("/", len(self.segments))
        if len(parts) <= len(self.segments) or not parts[-1]:
            raise KeyUnreadable(f"key {key[:200]!r} is not of the layout {self.text}<file>")
        fields = {"file": parts[-1]}
        for (name, is_field), part in zip(self.segments, parts, strict=False):
            if is_field:
                fields[name] = _whole(part, key)
            elif part != name:
                raise KeyUnreadable(f"key {key[:200]!r} is not of the layout {self.text}<file>: {name!r} is missing")
        return KeyFields(**fields)


def _segment(part: str) -> tuple[str, bool]:
    found = re.fullmatch(r"\{(\w+)\}", part)
    if found and found[1] in _KEY_FIELDS:
        return found[1], True
    if not part or "{" in part or "}" in part:
        raise ValueError(f"{part!r} is neither a fixed text nor one of {sorted(_KEY_FIELDS)} in braces")
    return part, False


def _whole(part: str, key: str) -> str:
    if part in ("", ".", "..") or part != part.strip() or not part.isprintable():
        raise KeyUnreadable(f"key {key[:200]!r} has an empty, relative or unprintable segment")
    return part


@dataclass(frozen=True, slots=True)
class StreamNaming:
    """How streams are named: a text with fields of the key, and ``{date}``, the event's own UTC date."""

    text: str
    dated: bool

    @classmethod
    def parse(cls, text: str) -> "StreamNaming":
        """Return the naming *text* describes, such as ``{application}-{pod}-{date}``.

        Raises:
            ValueError: *text* is no such description.
        """
        fields = [
            name
            for _, name, spec, conversion in Formatter().parse(text)
            if name is not None and not _odd(spec, conversion)
        ]
        asked = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        if fields != asked or not set(asked) <= _STREAM_FIELDS or not asked:
            raise ValueError(f"must be a text with some of {sorted(_STREAM_FIELDS)} in braces")
        if _ILLEGAL_IN_STREAM_NAME.search(text):
            raise ValueError("must hold neither : nor *, CloudWatch refuses them")
        return cls(text, "date" in asked)

    def name(self, key: KeyFields, *, day: int) -> str:
        """Return the stream of events of *day*, counted from 1970-01-01; what CloudWatch refuses becomes ``_``."""
        date = _date(day) if self.dated else ""
        name = self.text.format(
            tenant=key.tenant, cluster=key.cluster, application=key.application, pod=key.pod, date=date
        )
        if len(name) > _STREAM_NAME_LENGTH and self.dated:
            # The date tells one stream of a pod from the next: it is what must not be cut off.
            name = f"{name[: _STREAM_NAME_LENGTH - len(date) - 1]}-{date}"
        return _ILLEGAL_IN_STREAM_NAME.sub("_", name)[:_STREAM_NAME_LENGTH] or "_"


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    """Return a day as streams are named by it."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def _odd(spec: str | None, conversion: str | None) -> bool:
    return bool(spec) or conversion is not None


def wanting(tenant: Tenant, *, application: str) -> Sequence[Destination]:
    """Return the tenant's destinations that take *application*'s logs; none if all are disabled or filter it out."""
    return [destination for destination in tenant.destinations if destination.wanted.takes(application)]

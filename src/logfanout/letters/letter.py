"""What does one dead letter say, and is it one of those that are meant?

    Letter, as SQS keeps it ──► told ──► Told: whose, why, of which objects ──► Chosen.takes

Pure. Letters are hostile: bodies come from whoever may write to the queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logfanout.errors import KeyUnreadable, NoticeUnreadable
from logfanout.pipeline import notices
from logfanout.pipeline.routes import KeyLayout

# Of a letter that SQS moved itself, because its receives ran out: nobody was left to give a reason.
NO_REASON = "none"
_EMPTY = ("", "-")  # SQS keeps no empty attribute, so the worker writes a dash (CONTRACT §6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message of a dead-letter queue, hidden from others for a while."""

    id: str
    receipt: str = field(repr=False)
    body: str = field(repr=False)  # the notification, reduced to what is still owed
    attributes: Mapping[str, str]  # ``logfanout.reason`` and the others of CONTRACT §6; none if SQS moved it itself
    sent_ms: int  # epoch; of a letter that SQS moved itself, when its notification was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a letter says; an empty text is not known."""

    letter: Letter
    reason: str  # ``NO_REASON`` if SQS moved it itself
    detail: str
    tenant: str
    objects: tuple[str, ...]  # URIs of what is still owed; none if the body cannot be read
    receive_count: str  # of the notification, before it became a letter


def told(letter: Letter, *, layout: KeyLayout) -> Told:
    """Return what *letter* says; where it does not name its tenant, its first object's key does."""
    try:
        refs = notices.parse(letter.body)
    except NoticeUnreadable:
        refs = ()
    tenant = _attribute(letter, "tenant") or (_tenant_of(refs[0].key, layout) if refs else "")
    return Told(
        letter=letter,
        reason=_attribute(letter, "reason") or NO_REASON,
        detail=_attribute(letter, "detail"),
        tenant=tenant,
        objects=tuple(ref.uri for ref in refs),
        receive_count=_attribute(letter, "receive_count"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which letters are meant: those of any of the reasons and any of the tenants and any of the ids; none: of all."""

    reasons: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.reasons or self.tenants or self.ids)

    def takes(self, told: Told) -> bool:
        """Whether the letter that *told* is of is one of them."""
        pairs = ((self.reasons, told.reason), (self.tenants, told.tenant), (self.ids, told.letter.id))
        return all(not wanted or value in wanted for wanted, value in pairs)


def _attribute(letter: Letter, name: str) -> str:
    value = letter.attributes.get(f"logfanout.{name}", "")
    return "" if value in _EMPTY else value


def _tenant_of(key: str, layout: KeyLayout) -> str:
    try:
        return layout.read(key).tenant
    except KeyUnreadable:
        return ""

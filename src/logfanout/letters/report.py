"""How are dead letters told, to people and to programs?

    Told ──► line │ row │ page          all of them ──► summary

Pure.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from logfanout.letters.letter import Told
from logfanout.moments import iso8601
from logfanout.terminal import shown

_WITHOUT = "-"


def line(told: Told) -> str:
    """Return one letter for people, as a line."""
    more = f" and {len(told.objects) - 1:,} more" if len(told.objects) > 1 else ""
    object_ = shown(told.objects[0]) + more if told.objects else "(its body cannot be read)"
    sent, tenant = iso8601(told.letter.sent_ms), shown(told.tenant) or _WITHOUT
    return f"{sent}  {shown(told.reason):17} {tenant:20} {shown(told.letter.id)}  {object_}"


def page(told: Told) -> str:
    """Return all that one letter says, for people."""
    facts = [
        ("id", told.letter.id),
        ("sent", iso8601(told.letter.sent_ms)),
        ("reason", told.reason),
        ("detail", told.detail),
        ("tenant", told.tenant),
        ("receives", told.receive_count),
        *(("owed", uri) for uri in told.objects),
        ("body", told.letter.body),
    ]
    return "\n".join(f"{name:9} {shown(value)}" for name, value in facts if value)


def row(told: Told) -> dict[str, Any]:
    """Return one letter for programs."""
    return {
        "id": told.letter.id,
        "sent": iso8601(told.letter.sent_ms),
        "reason": told.reason,
        "detail": told.detail or None,
        "tenant": told.tenant or None,
        "objects": list(told.objects),
        "receive_count": int(told.receive_count) if told.receive_count.isdecimal() else None,
    }


def summary(letters: Sequence[Told], *, full: bool) -> str:
    """Return how many there are of which kind; *full*: there may be more."""
    kinds = Counter((told.reason, shown(told.tenant) or "no tenant") for told in letters)
    counts = ", ".join(f"{shown(reason)} of {tenant} {count:,}" for (reason, tenant), count in kinds.most_common())
    more = "; there may be more: --most raises how many are looked at" if full else ""
    count = "1 letter" if len(letters) == 1 else f"{len(letters):,} letters"
    return f"{count}{': ' if counts else ''}{counts}{more}."

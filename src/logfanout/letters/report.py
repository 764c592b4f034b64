"""How are dead letters told, to people and to programs?

    Told ──► line │ row │ page          all of them ──► summary

Pure.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from logfanout.letters.letter import Letter, Told
from logfanout.terminal import iso8601, shown

_WITHOUT = "-"


def line(letter: Told) -> str:
    """Return one letter for people, as a line."""
    more = f" and {len(letter.objects) - 1:,} more" if len(letter.objects) > 1 else ""
    object_ = shown(letter.objects[0]) + more if letter.objects else "(its body cannot be read)"
    tenant = shown(letter.tenant) or _WITHOUT
    return f"{iso8601(letter.sent_ms)}  {shown(letter.reason):17} {tenant:20} {shown(letter.id)}  {object_}"


def page(letter: Letter, said: Told) -> str:
    """Return all that one letter says, for people."""
    facts = [
        ("id", said.id),
        ("sent", iso8601(said.sent_ms)),
        ("reason", said.reason),
        ("detail", said.detail),
        ("tenant", said.tenant),
        ("receives", said.receive_count),
        *(("owed", uri) for uri in said.objects),
        ("body", letter.body),
    ]
    return "\n".join(f"{name:9} {shown(value)}" for name, value in facts if value)


def row(letter: Told) -> dict[str, Any]:
    """Return one letter for programs."""
    return {
        "id": letter.id,
        "sent": iso8601(letter.sent_ms),
        "reason": letter.reason,
        "detail": letter.detail or None,
        "tenant": letter.tenant or None,
        "objects": list(letter.objects),
        "receive_count": int(letter.receive_count) if letter.receive_count.isdecimal() else None,
    }


def summary(letters: Sequence[Told], *, full: bool) -> str:
    """Return how many there are of which kind; *full*: there may be more."""
    kinds = Counter((letter.reason, shown(letter.tenant) or "no tenant") for letter in letters)
    told = ", ".join(f"{shown(reason)} of {tenant} {count:,}" for (reason, tenant), count in kinds.most_common())
    more = "; there may be more: --most raises how many are looked at" if full else ""
    count = "1 letter" if len(letters) == 1 else f"{len(letters):,} letters"
    return f"{count}{': ' if told else ''}{told}{more}."

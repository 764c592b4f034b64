"""How is a replay told, to people and to programs?

    ObjectRef ──► listed_line │ listed_row          Totals ──► summary │ summary_row, how to go on

Pure.
"""

import shlex
from collections.abc import Mapping
from typing import Any

from logfanout.moments import iso8601
from logfanout.ports import ObjectRef
from logfanout.sweeping.replay import Asked, Totals
from logfanout.terminal import shown

MOST_FAILURES_SHOWN = 20


def listed_line(ref: ObjectRef, *, tenant: str) -> str:
    """Return one object of a dry run for people; *tenant* is empty where the key names none."""
    return f"{iso8601(ref.event_ms)}  {ref.size_bytes:>12,}  {shown(tenant) or '(no tenant)':20}  {shown(ref.uri)}"


def listed_row(ref: ObjectRef, *, tenant: str) -> dict[str, Any]:
    """Return one object of a dry run for programs."""
    return {
        "object": ref.uri,
        "tenant": tenant or None,
        "size_bytes": ref.size_bytes,
        "last_modified": iso8601(ref.event_ms),
    }


def summary(totals: Totals, *, events: Mapping[str, int], seconds: float) -> str:
    """Return how a replay went, for people; *events* counts them by outcome."""
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in events.items()) or "none"
    counts = f"{totals.done:,} of {totals.objects:,} objects delivered, {len(totals.failures):,} failed"
    lines = [f"{counts}, in {seconds:.1f} s; events: {told}."]
    lines += [
        f"  {shown(each.ref.uri)}: {each.reason}: {shown(each.detail)}"
        for each in totals.failures[:MOST_FAILURES_SHOWN]
    ]
    if len(totals.failures) > MOST_FAILURES_SHOWN:
        lines.append(f"  and {len(totals.failures) - MOST_FAILURES_SHOWN:,} more; --json lists them all")
    return "\n".join(lines)


def summary_row(totals: Totals, *, events: Mapping[str, int], seconds: float) -> dict[str, Any]:
    """Return how a replay went, for programs."""
    return {
        "objects": totals.objects,
        "delivered": totals.done,
        "failed": len(totals.failures),
        "stopped": totals.stopped,
        "continue_after": (totals.done_up_to or None) if totals.stopped else None,
        "events": dict(events),
        "seconds": round(seconds, 3),
        "failures": [
            {"object": each.ref.uri, "reason": each.reason, "detail": each.detail} for each in totals.failures
        ],
    }


def going_on(totals: Totals, asked: Asked) -> str:
    """Return the command line that delivers the rest of a stopped replay."""
    words = ["logfanout", "replay", str(asked.reach)]
    for name, at_ms in (("--since", asked.since_ms), ("--until", asked.until_ms)):
        if at_ms is not None:
            words += [name, iso8601(at_ms)]
    for tenant in asked.tenants:
        words += ["--tenant", tenant]
    if asked.skip_delivered:
        words.append("--skip-delivered")
    if totals.done_up_to:
        words.append(f"--after={totals.done_up_to}")
    return " ".join(map(_word, words))


def _word(text: str) -> str:
    """Return *text* as a word of a shell: quoted, or as bash, zsh and ksh read it where it cannot be shown."""
    if text.isprintable():
        return shlex.quote(text)
    written = "".join(
        each if each.isprintable() and each not in "'\\" else "".join(f"\\x{byte:02x}" for byte in each.encode())
        for each in text
    )
    return f"$'{written}'"

"""How is the roster told, to people and to programs?

    Entry ──► listing │ entry_row          with its fields ──► sheet │ sheet_row
    Changed ──► changed_line │ changed_row          a change that is only foreseen ──► plan │ plan_row

Pure. Rows are hostile: what could move a terminal's cursor is written out. An external id is told as set or not set.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from logfanout.ports import Row
from logfanout.roster.changes import Change
from logfanout.roster.commands import Changed
from logfanout.roster.entries import Entry, State
from logfanout.terminal import shown

_WIDEST = max(map(len, (State.ENABLED, State.DISABLED, State.EXPIRED)))  # a refused row says why in its place


def listing(entries: Sequence[Entry]) -> str:
    """Return a line for each row, for people."""
    columns = [(shown(each.tenant), shown(each.type)) for each in entries]
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    return "\n".join(
        f"{tenant:{widths[0]}}  {type_:{widths[1]}}  {_outcome(entry, width=_WIDEST)}"
        for (tenant, type_), entry in zip(columns, entries, strict=True)
    )


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return one row of the list for programs."""
    return {
        "tenant": entry.tenant,
        "type": entry.type,
        "state": entry.state,
        "to": entry.to or None,
        "refused": entry.refused or None,
    }


def sheet(entry: Entry) -> str:
    """Return all of one row for people."""
    head = f"{shown(entry.tenant)}  {shown(entry.type)}  {_outcome(entry)}"
    return "\n".join([head, *_field_lines(_told(entry))])


def sheet_row(entry: Entry) -> dict[str, Any]:
    """Return all of one row for programs."""
    return {**entry_row(entry), "fields": _told(entry)}


def changed_line(changed: Changed) -> str:
    """Return what became of one row, for people."""
    entry = changed.entry
    done = "created" if changed.created else "changed" if changed.fields else "as it was"
    names = f" ({', '.join(map(shown, changed.fields))})" if changed.fields and not changed.created else ""
    return f"{shown(entry.tenant)}  {shown(entry.type)}  {done}{names}; now {_outcome(entry)}"


def changed_row(changed: Changed, *, seen_within_seconds: int) -> dict[str, Any]:
    """Return what became of one row, for programs."""
    return {
        **entry_row(changed.entry),
        "created": changed.created,
        "changed": list(changed.fields),
        "seen_within_seconds": seen_within_seconds,
    }


def plan(change: Change, entry: Entry) -> str:
    """Return what *change* would write, for people; *entry* is what the fleet would make of it."""
    return "\n".join(
        [
            f"{shown(entry.tenant)}  {shown(entry.type)}  {_outcome(entry)}",
            "would be set:",
            *_field_lines(_masked(change.sets)),
            "would be set where the row has none:",
            *_field_lines(_masked(change.sets_once)),
            f"would be taken away where the row has it: {', '.join(change.removes) or 'nothing'}",
            "Nothing was written.",
        ]
    )


def plan_row(change: Change, entry: Entry) -> dict[str, Any]:
    """Return what *change* would write, for programs."""
    return {
        **entry_row(entry),
        "would_set": _masked(change.sets),
        "would_set_if_absent": _masked(change.sets_once),
        "would_remove": list(change.removes),
    }


def _outcome(entry: Entry, *, width: int = 0) -> str:
    """Return the state, *width* wide, and where to or why not."""
    if entry.state is State.REFUSED:
        return f"refused: {shown(entry.refused)}"
    told = shown(entry.to) if entry.to else f"refused: {shown(entry.refused)}"
    return f"{entry.state:{width}}  {told}"


def _told(entry: Entry) -> dict[str, Any]:
    """Return the row's fields as they may be told, with a word on the external id where a row may have one."""
    told = _masked(entry.row)
    return {**told, "external_id": told.get("external_id", "not set")} if entry.type == "cloudwatch" else told


def _masked(row: Row) -> dict[str, Any]:
    """Return *row* without the external id, however its name is written: a field of nearly that name is a slip."""
    return {str(name): _set_or_not(value) if _is_external_id(name) else _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return *value*, whatever DynamoDB or a file can hold, with its sets as sorted lists."""
    match value:
        case set() | frozenset():
            return sorted(value, key=str)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return _masked(value)
        case _:
            return value


def _is_external_id(name: object) -> bool:
    return "externalid" in str(name).replace("_", "").replace("-", "").lower()


def _set_or_not(value: Any) -> str:
    return "not set" if value is None else "set"


def _field_lines(fields: Mapping[str, Any]) -> list[str]:
    names = sorted(fields)
    width = max((len(shown(name)) for name in names), default=0)
    return [f"  {shown(name):{width}}  {_value(fields[name])}" for name in names]


def _value(value: Any) -> str:
    """Return one value on one line: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return shown(text)

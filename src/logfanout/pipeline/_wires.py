"""What do JSON texts say of the two wanted fields, message and timestamp?

    text of many records ──► many ──► messages and timestamps, or None if they must be read singly
    text of one          ──► one  ──► Wire, or None if it is no record

Part of the step ``records``. Pure. Both give the same for the same record; ``many`` is a few calls into C.
"""

import json
import re
from itertools import chain
from typing import Any, TypeVar

import msgspec

from logfanout.pipeline._times import Stamp

T = TypeVar("T")

# What a record without ``message`` sends is itself, less what the collector added (CONTRACT §3).
COLLECTOR_FIELDS = frozenset(
    {
        "cluster_id",
        "namespace",
        "application",
        "pod_name",
        "customer_id",
        "ingest_timestamp",
        "timestamp",
        "kubernetes",
    }
)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Wire(msgspec.Struct, gc=False):
    """The two wanted fields; the message stays the JSON token it came as."""

    message: msgspec.Raw = msgspec.Raw(b"")
    timestamp: Stamp = None


_wanted = msgspec.json.Decoder(Wire)
_wanted_in_array = msgspec.json.Decoder(list[Wire])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_fields_in_array = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_anything = msgspec.json.Decoder()


def many(text: bytes | memoryview, *, array: bool) -> tuple[list[msgspec.Raw], list[Stamp]] | None:
    """Return the messages and timestamps of all records in *text*, which is one *array*, or lines of objects or arrays.

    The messages are still to be looked at: they may be any JSON value, and no UTF-8. ``None``: *text* is something
    else, or holds a record that only ``one`` can read.
    """
    try:
        wires = _decoded(text, _wanted, _wanted_in_array, array=array)
        messages = [wire.message for wire in wires]
        if not all(messages):
            wires = [_of_all(fields) for fields in _decoded(text, _fields, _fields_in_array, array=array)]
            messages = [wire.message for wire in wires]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return messages, [wire.timestamp for wire in wires]


def _decoded(
    text: bytes | memoryview,
    single: "msgspec.json.Decoder[T]",
    in_array: "msgspec.json.Decoder[list[T]]",
    *,
    array: bool,
) -> list[T]:
    if array:
        return in_array.decode(text)
    if text[0] == ord("["):
        return list(chain.from_iterable(in_array.decode_lines(text)))
    return single.decode_lines(text)


def one(value: bytes) -> Wire | None:
    """Return one record, whatever its message and timestamp are; ``None`` if it is no JSON object.

    Its message must be UTF-8. That another field is not costs no line: it is sent to nobody.
    """
    try:
        wire = _with_message(value) or _of_all(_fields.decode(value))
        wire.message = as_string(wire.message)
    except (UnicodeDecodeError, RecursionError):
        return None
    except msgspec.DecodeError:
        return _leniently(value)
    return wire


def _with_message(value: bytes) -> Wire | None:
    """Return a record as ``many`` would; ``None`` if it has no message, or a timestamp that is no scalar."""
    try:
        wire = _wanted.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return wire if wire.message else None


def _of_all(fields: dict[str, msgspec.Raw]) -> Wire:
    """Return the record with all its *fields*; without a message it is its own message.

    Raises:
        UnicodeDecodeError: that is not UTF-8.
    """
    message = fields.get("message")
    if message is None:
        kept = {name: raw for name, raw in fields.items() if name not in COLLECTOR_FIELDS}
        message = _as_text(msgspec.json.encode(kept).decode())
    return Wire(message=message, timestamp=_stamp(fields.get("timestamp")))


def _leniently(value: bytes) -> Wire | None:
    r"""Return a record that holds half a surrogate pair, "\ud83d" alone: JSON's grammar allows it, UTF-8 does not."""
    try:
        record = json.loads(value, parse_constant=_refuse)
        if not isinstance(record, dict):
            return None
        message = record.get("message", {k: v for k, v in record.items() if k not in COLLECTOR_FIELDS})
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    stamp = record.get("timestamp")
    whole = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Wire(
        message=msgspec.Raw(msgspec.json.encode(whole)),
        timestamp=stamp if isinstance(stamp, str | int | float) else None,
    )


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _stamp(raw: msgspec.Raw | None) -> Stamp:
    if raw is None:
        return None
    try:
        value = _anything.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, str | int | float) else None


def as_string(token: msgspec.Raw) -> msgspec.Raw:
    """Return a JSON value as it is if it is a string, else as a string of its JSON text.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    text = bytes(token).decode()
    return token if text.startswith('"') else _as_text(text)


def _as_text(text: str) -> msgspec.Raw:
    """Return the JSON *text* as a JSON string."""
    return msgspec.Raw(msgspec.json.encode(text))

"""Which S3 objects does one SQS message announce?

    SQS body (JSON text) ──► parse ──► (ObjectRef, ...) ──► render ──► SQS body

Pure: no I/O, no clock, no environment.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from logfanout.errors import NoticeUnreadable
from logfanout.ports import ObjectRef

# SNS wraps once; a topic that feeds a topic, or an SQS body quoted into another, wraps again. Deeper is hostile.
_MAX_ENVELOPES = 3
# A message is read twice, to tell whose it is and to deliver it, and in between some hundred others arrive.
_BODIES_REMEMBERED = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=_BODIES_REMEMBERED)
def parse(body: str) -> tuple[ObjectRef, ...]:
    """Return the objects *body* announces, in the order it lists them.

    Read are S3's event notification (versions 2.x), alone or inside SNS's envelope, and EventBridge's "Object
    Created". S3's own ``s3:TestEvent`` announces nothing and yields ``()``; so do events other than creations.

    Raises:
        NoticeUnreadable: *body* is not an S3 event.
    """
    found = _unwrapped(body)
    match found:
        case {"Event": "s3:TestEvent"}:
            return ()
        case {"Records": [*records]} if records:
            return tuple(ref for record in records for ref in _from_record(record))
        case {"source": "aws.s3", "detail-type": str(kind), "detail": dict(detail)}:
            return (
                tuple(_from_event_bridge(detail, event_ms=_epoch_ms(found.get("time"))))
                if kind == "Object Created"
                else ()
            )
        case _:
            raise NoticeUnreadable(f"the body is no S3 event: its top-level fields are {_field_names(found)}")


def render(refs: Iterable[ObjectRef]) -> str:
    """Return a body that announces *refs*: an S3 event with the fields that ``parse`` reads."""
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": (_EPOCH + ref.event_ms * _MILLISECOND).isoformat(timespec="milliseconds"),
            "s3": {
                "bucket": {"name": ref.bucket},
                "object": {
                    "key": quote_plus(ref.key, safe="/"),
                    "size": ref.size_bytes,
                    **({"versionId": ref.version_id} if ref.version_id else {}),
                    **({"sequencer": ref.sequencer} if ref.sequencer else {}),
                },
            },
        }
        for ref in refs
    ]
    return orjson.dumps({"Records": records}).decode()


def _unwrapped(body: str) -> Mapping[str, Any]:
    """Return the event inside *body*'s envelopes."""
    text = body
    for _ in range(_MAX_ENVELOPES):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise NoticeUnreadable(f"the body is not JSON ({error.msg} at {error.pos})") from None
        match found:
            case {"Type": "Notification", "Message": str(inner)}:
                text = inner
            case {}:
                return found  # type: ignore[no-any-return]  # the pattern makes it a dict
            case _:
                raise NoticeUnreadable("the body is JSON, but not an object")
    raise NoticeUnreadable(f"the event lies more than {_MAX_ENVELOPES - 1} envelopes deep")


def _from_record(record: Any) -> Iterator[ObjectRef]:
    """Yield what *record* announces; looked up and not matched, as every object has one: that takes half the time."""
    try:
        name = record.get("eventName")
        if isinstance(name, str) and not name.removeprefix("s3:").startswith("ObjectCreated:"):
            return  # a lifecycle or removal event that someone subscribed too: nothing to deliver
        bucket, stored = _text(record["s3"]["bucket"]["name"]), record["s3"]["object"]
        key = _text(stored["key"])
    except (AttributeError, KeyError, TypeError):  # somewhere on the way is no object
        bucket = key = ""
    if not bucket or not key:
        raise NoticeUnreadable("a record names no bucket and key")
    _require_version_2(record.get("eventVersion"))
    yield ObjectRef(
        bucket=bucket,
        key=_decoded(key),
        size_bytes=_size(stored.get("size")),
        version_id=_text(stored.get("versionId")),
        sequencer=_text(stored.get("sequencer")),
        event_ms=_epoch_ms(record.get("eventTime")),
    )


def _from_event_bridge(detail: Mapping[Any, Any], *, event_ms: int) -> Iterator[ObjectRef]:
    match detail:
        case {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **rest}} if bucket and key:
            # EventBridge sends the key as it is, not URL-encoded (S3 User Guide, "EventBridge events").
            yield ObjectRef(
                bucket=bucket,
                key=key,
                size_bytes=_size(rest.get("size")),
                version_id=_text(rest.get("version-id")),
                sequencer=_text(rest.get("sequencer")),
                event_ms=event_ms,
            )
        case _:
            raise NoticeUnreadable("the EventBridge event names no bucket and key")


def _require_version_2(version: object) -> None:
    """S3 promises to change the major version when a reader of 2.x would misread it ("Event message structure")."""
    if version is not None and not _text(version).startswith("2."):
        raise NoticeUnreadable(f"the event is of version {_text(version)[:8]!r}, and 2.x is what can be read")


def _decoded(key: str) -> str:
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        raise NoticeUnreadable("a key is not URL-encoded UTF-8") from None


def _text(value: object) -> str:
    """Return *value* if it is text, else nothing: to write out another one may nest too deep."""
    return value if isinstance(value, str) else ""


def _size(size: object) -> int:
    return int(size) if isinstance(size, int) and size > 0 else 0


def _epoch_ms(text: object) -> int:
    """Return S3's event time; 0 where it is absent or unreadable, since only the lag is reckoned from it."""
    try:
        when = datetime.fromisoformat(_text(text))
        utc = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return 0
    return max((utc - _EPOCH) // _MILLISECOND, 0)


def _field_names(found: Mapping[str, Any]) -> str:
    return ", ".join(repr(name[:32]) for name in list(found)[:8]) or "none"

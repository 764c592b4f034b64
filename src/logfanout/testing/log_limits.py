"""What would CloudWatch say to this batch?

    events + now + the group's retention ──► judge ──► (messages, Rejections), or why it refuses them all

Pure. Every limit of PutLogEvents' reference, enforced to the byte; no emulator does.
"""

from collections.abc import Sequence

import msgspec

from logfanout.errors import BatchUnreadable
from logfanout.ports import Event, Rejections

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MOST_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
MOST_EVENTS = 10_000
MOST_EVENT_BYTES = 1_048_576
DAY_MS = 24 * 3600 * 1000
MOST_SPAN_MS = DAY_MS
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * 3600 * 1000


def judge(
    events: Sequence[Event], *, now_ms: int, retention_days: int | None
) -> tuple[list[tuple[int, str]], Rejections]:
    """Return the events that are stored, as (epoch ms, message) in their order, and what is rejected singly.

    Raises:
        BatchUnreadable: the batch as a whole breaks a limit; the text says which.
    """
    read = [(event.timestamp, _message(event)) for event in events]
    _require_limits(read)
    rejections = _rejections([at for at, _ in read], now_ms=now_ms, retention_days=retention_days)
    first = max(rejections.too_old_end, rejections.expired_end)
    kept = read[first : rejections.too_new_start]
    if kept and kept[-1][0] - kept[0][0] > MOST_SPAN_MS:
        _refuse("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    return kept, rejections


def _message(event: Event) -> str:
    """Return what a JSON parser makes of the token."""
    try:
        return msgspec.json.decode(event.message, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BatchUnreadable(f"PutLogEvents: SerializationException: {error}") from None


def _require_limits(read: list[tuple[int, str]]) -> None:
    sizes = [len(message.encode()) + EVENT_OVERHEAD_BYTES for _, message in read]
    if not 1 <= len(read) <= MOST_EVENTS:
        _refuse(f"{len(read)} log events; 1 to {MOST_EVENTS} are allowed")
    if min(sizes) == EVENT_OVERHEAD_BYTES:
        _refuse("'logEvents.member.message': Member must have length greater than or equal to 1")
    if max(sizes) > MOST_EVENT_BYTES:
        _refuse(f"Log event too large: {max(sizes)} bytes exceeds limit of {MOST_EVENT_BYTES}")
    if sum(sizes) > MOST_BATCH_BYTES:
        _refuse(f"Upload too large: {sum(sizes)} bytes exceeds limit of {MOST_BATCH_BYTES}")
    times = [at for at, _ in read]
    if min(times) < 0:
        _refuse("'logEvents.member.timestamp': Member must have value greater than or equal to 0")
    if times != sorted(times):
        _refuse("Log events in a single PutLogEvents request must be in chronological order.")


def _rejections(times: list[int], *, now_ms: int, retention_days: int | None) -> Rejections:
    """Return the indices CloudWatch names; *times* are sorted."""
    expired_before = now_ms - retention_days * DAY_MS if retention_days else None
    too_new = next((index for index, at in enumerate(times) if at > now_ms + NEWEST_MS), None)
    return Rejections(
        too_old_end=sum(at < now_ms - OLDEST_MS for at in times),
        expired_end=sum(at < expired_before for at in times) if expired_before is not None else 0,
        too_new_start=too_new,
    )


def _refuse(why: str) -> None:
    raise BatchUnreadable(f"PutLogEvents: InvalidParameterException: {why}")

"""How are times read that somebody wrote, and how are they written?

    "2026-03-02T12:00Z" ──► time_ms ─┐
    "36h", or a time ──► moment_ms ──┴──► epoch milliseconds ──► iso8601

Pure.
"""

import re
import time
from datetime import UTC, datetime, timedelta

_AGE = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def time_ms(text: str) -> int:
    """Return the epoch time that *text* is: a date or a time of ISO 8601, UTC unless it says otherwise.

    Raises:
        ValueError: it is none; the text is for whoever wrote it.
    """
    try:
        when = datetime.fromisoformat(text)
        utc = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        return (utc - _EPOCH) // _MILLISECOND  # exact: a float of seconds is a millisecond off now and then
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no time: write 2026-03-02 or 2026-03-02T12:00Z") from None


def moment_ms(text: str, *, now_ms: int) -> int:
    """Return when *text* was, epoch: a time as ``time_ms`` reads it, or an age as ``36h``.

    Ages are whole numbers of ``s``, ``m``, ``h`` or ``d``.

    Raises:
        ValueError: it is neither; the text is for whoever wrote it.
    """
    if (age := _AGE.fullmatch(text)) is not None:
        return max(now_ms - int(age[1]) * _UNIT_SECONDS[age[2]] * 1000, 0)
    try:
        return time_ms(text)
    except ValueError as error:
        raise ValueError(f"{error}, or an age as 36h") from None


def iso8601(at_ms: int) -> str:
    """Return an epoch time in UTC, to the millisecond where it has any: what is given back must mean the same again."""
    fraction = f".{at_ms % 1000:03}" if at_ms % 1000 else ""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_ms // 1000))}{fraction}Z"

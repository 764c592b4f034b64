"""When did an event happen, in milliseconds since 1970?

    what a record's ``timestamp`` holds ──► epoch_ms ──► int, or None if it cannot be told

Part of the step ``records``. Pure. Milliseconds are cut, never rounded: an event must not move into the future.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from operator import add, itemgetter

Stamp = str | int | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s*(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)

# A number is read as the unit that puts it nearest to our days: 1e11 s is the year 5138, 1e11 ms is 1973.
_MAGNITUDES = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000))  # below, times, divided by; beyond: ns

_EXACT = Context(prec=64)  # more digits than a number we read can have: what it computes is not rounded

_KEPT_SECONDS = 8192  # two hours; a hostile object must not fill memory
_SHAPE = b"--T::.Z\n"  # what is left of "2024-05-06T07:08:09.123456789Z" and a newline without its digits
_WHOLE, _FRACTION = itemgetter(slice(0, 20)), itemgetter(slice(20, 23))  # "2024-05-06T07:08:09." and "123"
_MILLIS = {f"{n:03}": n for n in range(1000)}


def epoch_ms(stamp: Stamp) -> int | None:
    """Return the time *stamp* tells, or ``None``.

    Text is RFC 3339 with any fraction and offset (none: UTC; a leap second is the next minute's start), or a number.
    A number is seconds, milliseconds, microseconds or nanoseconds by its magnitude.
    """
    match stamp:
        case bool() | None:
            return None
        case int():
            return _scaled(Decimal(stamp)) if abs(stamp) < 10**20 else None
        case float():
            return _scaled(Decimal(repr(stamp))) if abs(stamp) < 1e20 else None
        case str():
            return _from_text(stamp.strip())


def many(stamps: Sequence[Stamp], seconds: "Seconds") -> list[int] | list[int | None]:
    """Return ``epoch_ms`` of each; *seconds* remembers whole seconds between calls.

    Vector writes "2024-05-06T07:08:09.123456789Z": for a chunk of that shape two look-ups a record replace the parsing,
    a tenth of its cost, and no record is touched in Python. Whatever else is in the chunk sends it the long way.
    """
    try:
        text = ("\n".join(stamps) + "\n").encode("ascii")  # type: ignore[arg-type]  # what is no text raises TypeError
        if text.count(b"Z\n") == len(stamps) and text.translate(None, b"0123456789") == _SHAPE * len(stamps):
            whole = map(seconds.__getitem__, map(_WHOLE, stamps))  # type: ignore[arg-type]
            return list(map(add, whole, map(_MILLIS.__getitem__, map(_FRACTION, stamps))))  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError, KeyError):
        pass
    return [epoch_ms(stamp) for stamp in stamps]


class Seconds(dict[str, int]):
    """Epoch milliseconds of whole seconds, "2024-05-06T07:08:09."; an unreadable one raises ``KeyError``."""

    def __missing__(self, text: str) -> int:
        found = _RFC3339.fullmatch(text.removesuffix(".")) if text.endswith(".") else None
        value = _from_rfc3339(*found.groups()) if found else None
        if value is None or text.endswith(":60."):  # a leap second swallows its fraction
            raise KeyError(text)
        if len(self) >= _KEPT_SECONDS:
            self.clear()
        self[text] = value
        return value


def _from_text(text: str) -> int | None:
    if found := _RFC3339.fullmatch(text):
        return _from_rfc3339(*found.groups())
    if len(text) <= 40 and _NUMBER.fullmatch(text):
        return _scaled(Decimal(text))
    return None


def _from_rfc3339(date: str, time: str, fraction: str | None, hours: str | None, minutes: str | None) -> int | None:
    leap = time.endswith(":60")
    try:
        whole = datetime.fromisoformat(f"{date}T{time[:-2]}59+00:00" if leap else f"{date}T{time}+00:00")
    except ValueError:
        return None
    millis = (whole - _EPOCH) // _MILLISECOND + (1000 if leap else int((fraction or "")[:3].ljust(3, "0")))
    if hours is None or minutes is None:
        return millis
    offset = (abs(int(hours)) * 60 + int(minutes)) * 60_000
    return millis + offset if hours.startswith("-") else millis - offset


def _scaled(number: Decimal) -> int | None:
    for below, times, divided_by in _MAGNITUDES:
        if abs(number) < below:
            return math.floor(_EXACT.divide(_EXACT.multiply(number, Decimal(times)), Decimal(divided_by)))
    return math.floor(_EXACT.divide(number, Decimal(1_000_000))) if abs(number) < 10**20 else None

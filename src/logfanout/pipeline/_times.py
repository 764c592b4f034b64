"""When did an event happen, in milliseconds since 1970?

    what a record's ``timestamp`` holds ──► epoch_ms ──► int, or None if it cannot be told

Part of the step ``records``. Pure. Milliseconds are cut, never rounded: an event must not move into the future.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from operator import itemgetter

import msgspec

Stamp = str | int | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?\s*(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)

# A number is read as the unit that puts it nearest to our days: 1e11 s is the year 5138, 1e11 ms is 1973.
_MAGNITUDES = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000))  # below, times, divided by; beyond: ns

_EXACT = Context(prec=64)  # more digits than a number we read can have: what it computes is not rounded

_KEPT_MINUTES = 8192  # five days; a hostile object must not fill memory
_DIGITS, _AS_ZEROS = b"0123456789", bytes.maketrans(b"123456789", b"000000000")
_SHAPE = b"--T::.Z,"  # what is left of "2024-05-06T07:08:09.123456789Z" and a comma without its digits
_HEAD = itemgetter(slice(0, 23))  # "2024-05-06T07:08:09.123"
_HEADS_LAYOUT = b"0000-00-00T00:00:00.000,"
_TENS_OF_SECONDS = slice(17, None, len(_HEADS_LAYOUT))  # among heads that stand behind each other
_numbers = msgspec.json.Decoder(list[int]).decode


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


def many(stamps: Sequence[Stamp], minutes: "Minutes") -> list[int] | list[int | None]:
    """Return ``epoch_ms`` of each; *minutes* remembers them between calls.

    Vector writes "2024-05-06T07:08:09.123456789Z". A chunk of that shape is read as numbers, 20240506070809123, whose
    last five digits are the time within the minute: a tenth of the parsing's cost. Seconds could be looked up as well,
    but so many different ones lie far from the processor. Whatever else is in the chunk sends it the long way.
    """
    try:
        heads = _heads(stamps)  # type: ignore[arg-type]  # what is no text raises TypeError
        if heads:
            numbers = _numbers(b"[%b]" % heads[:-1].translate(None, b"-T:."))
            return [minutes[number // 100_000] + number % 100_000 for number in numbers]
    except (TypeError, UnicodeEncodeError, msgspec.DecodeError, KeyError):
        pass
    return [epoch_ms(stamp) for stamp in stamps]


def _heads(stamps: Sequence[str]) -> bytes:
    """Return the *stamps* up to their milliseconds, a comma behind each; nothing if one is not of Vector's shape.

    All digits and separators are then where they belong. A leap second, which swallows its fraction, is not of it.
    """
    text = (",".join(stamps) + ",").encode("ascii")
    if text.count(b"Z,") != len(stamps) or text.translate(None, _DIGITS) != _SHAPE * len(stamps):
        return b""
    heads = (",".join(map(_HEAD, stamps)) + ",").encode("ascii")
    if heads.translate(_AS_ZEROS) != _HEADS_LAYOUT * len(stamps) or heads[_TENS_OF_SECONDS].strip(b"012345"):
        return b""
    return heads


class Minutes(dict[int, int]):
    """Epoch milliseconds of whole minutes, 202405060708; one that there is not raises ``KeyError``."""

    def __missing__(self, number: int) -> int:
        digits = str(number)
        try:
            whole = datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%z")
        except ValueError:
            raise KeyError(number) from None
        if len(self) >= _KEPT_MINUTES:
            self.clear()
        self[number] = value = (whole - _EPOCH) // _MILLISECOND
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

"""When did an event happen, in milliseconds since 1970?

    what a record's ``timestamp`` holds ──► epoch_ms ──► int, or None if it cannot be told

Part of the step ``records``. Pure. Milliseconds are cut, never rounded: an event must not move into the future.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

import msgspec

Stamp = str | int | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):\d\d:\d\d)(?:[.,](\d+))?\s*(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)

# A number is read as the unit that puts it nearest to our days: 1e11 s is the year 5138, 1e11 ms is 1973.
_MAGNITUDES = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000))  # below, times, divided by; beyond: ns

_EXACT = Context(prec=64)  # more digits than a number we read can have: what it computes is not rounded

# "2024-05-06T07:08:09.123456789Z" as it stands among others of its kind, a comma behind each.
_LAYOUT = b"0000-00-00T00:00:00.000000000Z,"
_FULL = len(_LAYOUT) - 1
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_SHORTER = {len("2024-05-06T07:08:09.123456Z"): "000Z", len("2024-05-06T07:08:09.123Z"): "000000Z"}  # ends to put on
_HOUR = slice(0, 14)  # b"2024-05-06T07:"
_TENS_OF_SECONDS = slice(17, None, len(_LAYOUT))
# The digits behind the hour, without their punctuation and cut to milliseconds. The 1 is there since a JSON number does
# not begin with 0; with more than nine digits CPython computes more slowly.
_NUMBER_LAYOUT = b"10000000,"
_DIGITS = [
    (slice(to, None, len(_NUMBER_LAYOUT)), slice(at, None, len(_LAYOUT)))
    for to, at in enumerate((14, 15, 17, 18, 20, 21, 22), 1)
]
_MINUTE, _BEFORE_MINUTES = 100_000, 100  # of such a number: 1mmssmmm
_KEPT_HOURS = 100  # four days; a hostile object must not fill memory
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


def many(stamps: Sequence[Stamp], hours: "Hours") -> list[int] | list[int | None]:
    """Return ``epoch_ms`` of each; *hours* remembers them between calls.

    Vector writes "2024-05-06T07:08:09.123456789Z". A chunk of that shape is read as numbers, 10809123 of this one, by a
    few calls for all of them: a tenth of the parsing's cost. Whatever else is in it sends it the long way.
    """
    try:
        text = _laid_out(stamps)  # type: ignore[arg-type]  # what is no text raises TypeError
        if text is not None:
            return _from_layout(text, hours)
    except (TypeError, UnicodeEncodeError, LookupError):
        pass
    return [epoch_ms(stamp) for stamp in stamps]


def _from_layout(text: bytes, hours: "Hours") -> list[int]:
    """Return the times of stamps that are laid out in *text*.

    Raises:
        LookupError: one of them has no such hour or minute.
    """
    count = len(text) // len(_LAYOUT)
    digits = bytearray(_NUMBER_LAYOUT * count)
    for to, at in _DIGITS:
        digits[to] = text[at]
    digits[-1:] = b"]"
    numbers = _numbers(b"[" + digits)
    if text.count(text[_HOUR]) == count:  # as eleven of twelve objects have it that hold five minutes
        shifts = hours[text[_HOUR]]
        return [number + shifts[number // _MINUTE] for number in numbers]
    heads = (text[at : at + _HOUR.stop] for at in range(0, len(text), len(_LAYOUT)))
    return [number + hours[head][number // _MINUTE] for number, head in zip(numbers, heads, strict=True)]


def _laid_out(stamps: Sequence[str]) -> bytes | None:
    """Return the *stamps*, a comma behind each, if all are of Vector's shape; digits are then where they belong.

    Vector leaves out the last digits if they are 0: one in a thousand is shorter. A leap second, which swallows its
    fraction, is not of the shape.
    """
    layout = _LAYOUT * len(stamps)
    text = (",".join(stamps) + ",").encode("ascii")
    if text.translate(_AS_ZEROS) != layout:
        text = (",".join([each if len(each) == _FULL else _lengthened(each) for each in stamps]) + ",").encode("ascii")
        if text.translate(_AS_ZEROS) != layout:
            return None
    return None if text[_TENS_OF_SECONDS].strip(b"012345") else text


def _lengthened(stamp: str) -> str:
    """Return *stamp* with nine digits of a second if it has three or six, else as it is."""
    end = _SHORTER.get(len(stamp))
    return stamp[:-1] + end if end and stamp[-1] == "Z" else stamp


class Hours(dict[bytes, list[int]]):
    """By hour, as in b"2024-05-06T07:": what makes numbers as ``many`` reads them epoch milliseconds, by minute.

    What is no hour raises ``KeyError``.
    """

    def __missing__(self, hour: bytes) -> list[int]:
        begins = _from_text(f"{hour.decode()}00:00")
        if begins is None:
            raise KeyError(hour)
        if len(self) >= _KEPT_HOURS:
            self.clear()
        self[hour] = shifts = [0] * _BEFORE_MINUTES
        shifts += [begins + 60_000 * minute - _MINUTE * (_BEFORE_MINUTES + minute) for minute in range(60)]
        return shifts


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

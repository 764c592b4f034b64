"""Which objects does one mean who names a place in a bucket, and a time?

    "s3://bucket/acme/c1", "36h" ──► Reach.parse, moment ──► does it hold this object?

Pure.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from logfanout import s3_places
from logfanout.ports import ObjectRef

MOST_KEY_BYTES = 1024  # "Creating object key names"
ANY_END = "*"
_AGE = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A bucket, what lies below a path in it, one object, or all keys that begin in one way."""

    bucket: str
    path: str  # empty: the whole bucket
    open_end: bool = False  # whatever follows *path* will do, not a slash only

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Return what *uri* means: ``s3://bucket``, ``s3://bucket/path/``, or with an open end ``s3://bucket/beginn*``.

        A path without its last slash means the object of that name and what lies below it; never a neighbour whose
        name only begins alike, as one tenant's may with another's.

        Raises:
            ValueError: it names no place; the text is for whoever wrote it.
        """
        bucket, path = s3_places.split(uri, form="s3://bucket/path/")
        open_end = path.endswith(ANY_END)
        path = path.removesuffix(ANY_END)
        if len(path.encode(errors="surrogatepass")) > MOST_KEY_BYTES:
            raise ValueError(f"has a path of more than {MOST_KEY_BYTES} bytes")
        return cls(bucket=bucket, path=path, open_end=open_end)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.path}{ANY_END if self.open_end else ''}"

    def holds(self, ref: ObjectRef) -> bool:
        """Whether *ref* is meant; folder markers, which some tools make, never are."""
        if ref.bucket != self.bucket or (ref.key.endswith("/") and not ref.size_bytes):
            return False
        if not self.path or self.open_end or self.path.endswith("/"):
            return ref.key.startswith(self.path)
        return ref.key == self.path or ref.key.startswith(f"{self.path}/")


def moment_ms(text: str, *, now_ms: int) -> int:
    """Return when *text* was, epoch: a date or a time of ISO 8601 (UTC unless it says otherwise), or an age as ``36h``.

    Ages are whole numbers of ``s``, ``m``, ``h`` or ``d``.

    Raises:
        ValueError: it is none of these; the text is for whoever wrote it.
    """
    if (age := _AGE.fullmatch(text)) is not None:
        return max(now_ms - int(age[1]) * _UNIT_SECONDS[age[2]] * 1000, 0)
    try:
        when = datetime.fromisoformat(text)
        utc = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        return (utc - _EPOCH) // _MILLISECOND  # exact: a float of seconds is a millisecond off now and then
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no time: write 2026-03-02, 2026-03-02T12:00Z, or an age as 36h") from None

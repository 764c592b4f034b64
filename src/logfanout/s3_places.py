"""Which objects does an s3:// URI mean?

    "s3://bucket/prefix/" ──► S3Place ──► does it hold this object?

Pure.
"""

import re
from dataclasses import dataclass
from typing import Self

from logfanout.ports import ObjectRef

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
MOST_PREFIX_BYTES = 512  # of the 1,024 that a key may have: the rest is for the names below


def split(uri: str, *, form: str) -> tuple[str, str]:
    """Return the bucket that *uri* names, and what follows it; *form* says how such a URI is written.

    Raises:
        ValueError: it names no bucket; the text is for whoever wrote the URI.
    """
    scheme, found, rest = uri.partition("://")
    if scheme != "s3" or not found:
        raise ValueError(f"must be {form}")
    bucket, _, path = rest.partition("/")
    if not BUCKET.fullmatch(bucket):
        raise ValueError(f"names no bucket: {bucket[:64]!r} cannot be one")
    return bucket, path


def object_at(uri: str) -> ObjectRef:
    """Return the one object that *uri* names.

    Raises:
        ValueError: it names none; the text is for whoever wrote the URI.
    """
    form = "s3://bucket/key"
    bucket, key = split(uri, form=form)
    if not key:
        raise ValueError(f"must be {form}")
    return ObjectRef(bucket=bucket, key=key, size_bytes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """A bucket, or the part of it below a prefix."""

    bucket: str
    prefix: str  # empty, or ends with a slash

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Return the place *uri* names; a slash is put behind its prefix.

        Raises:
            ValueError: it names none; the text is for whoever wrote the URI.
        """
        bucket, prefix = split(uri, form="s3://bucket/prefix/")
        if not prefix.isprintable():
            raise ValueError("has characters in its prefix that cannot be read")
        if len(prefix.encode()) > MOST_PREFIX_BYTES:
            raise ValueError(f"has a prefix of more than {MOST_PREFIX_BYTES} bytes")
        return cls(bucket=bucket, prefix=f"{prefix.removesuffix('/')}/" if prefix else "")

    @classmethod
    def parse_below_a_prefix(cls, uri: str) -> Self:
        """Return the place *uri* names, which must not be a whole bucket: what lies here is no log object.

        Raises:
            ValueError: it names none, or a whole bucket.
        """
        place = cls.parse(uri)
        if not place.prefix.strip("/"):
            raise ValueError("must name a prefix too, s3://bucket/prefix/: all that lies in a bucket may be logs")
        if any(segment in ("", ".", "..") for segment in place.prefix.removesuffix("/").split("/")):
            raise ValueError("has a prefix with an empty or dotted segment")
        return place

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def holds(self, ref: ObjectRef) -> bool:
        """Whether *ref* lies here."""
        return ref.bucket == self.bucket and ref.key.startswith(self.prefix)

"""Which objects does one mean who names a place in a bucket?

    "s3://bucket/acme/c1" ──► Reach.parse ──► does it hold this object?

Pure.
"""

from dataclasses import dataclass
from typing import Self

from logfanout import s3_places
from logfanout.ports import ObjectRef

MOST_KEY_BYTES = 1024  # "Creating object key names"
ANY_END = "*"


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

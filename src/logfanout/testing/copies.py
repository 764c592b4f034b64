"""Which tenants' buckets are there, and what was copied into them?

copy ──► whose credentials? ──► is there such a bucket, and does it let them in? ──► held, in the order of arrival
"""

import asyncio
from dataclasses import dataclass

from logfanout.errors import AccessRefused
from logfanout.ports import Copy, SessionOf
from logfanout.testing.bucket import FakeBucket
from logfanout.testing.line import Line
from logfanout.testing.tokens import TASK_ROLE, FakeTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One copy that S3 made, as tests look at it."""

    wanted: Copy
    by: str  # the role
    data: bytes


class FakeCopies(Line):
    """Tenants' buckets in memory. Its calls are told apart by the bucket."""

    def __init__(self, *, source: FakeBucket, tokens: FakeTokens) -> None:
        super().__init__()
        self.copied: list[Copied] = []  # in order of arrival, those made twice too
        self._source = source
        self._tokens = tokens
        self._buckets: dict[str, set[str]] = {}  # the roles each lets in

    def __repr__(self) -> str:
        return f"<FakeCopies {len(self._buckets)} buckets, {len(self.copied)} copies>"

    def add_bucket(self, name: str, *, lets_in: str) -> None:
        """Make a bucket whose policy lets a role put objects into it."""
        self._buckets.setdefault(name, set()).add(lets_in)

    def remove_bucket(self, name: str) -> None:
        """Delete a bucket; what was copied stays readable for the test."""
        del self._buckets[name]

    def shut(self, name: str) -> None:
        """Let the bucket's policy refuse everybody."""
        self._buckets[name].clear()

    def held(self, name: str) -> dict[str, bytes]:
        """Return what lies in a bucket, by key."""
        return {each.wanted.key: each.data for each in self.copied if each.wanted.bucket == name}

    async def copy(self, wanted: Copy, *, credentials: SessionOf) -> None:
        """Return once the copy lies there."""
        session = await credentials()
        by = TASK_ROLE if session is None else self._tokens.session_of(session).wanted.role_arn
        async with self._call("copy", wanted.bucket):
            if wanted.bucket not in self._buckets:
                raise AccessRefused(f"CopyObject {wanted.uri}: NoSuchBucket: The specified bucket does not exist")
            if by not in self._buckets[wanted.bucket]:
                raise AccessRefused(f"CopyObject {wanted.uri}: AccessDenied: {by} is not authorized")
            data = self._source.stored(wanted.source)
            await asyncio.sleep(0)
            self.copied.append(Copied(wanted=wanted, by=by, data=data))

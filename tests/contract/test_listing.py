"""What may a sweep rely on when it lists a bucket?"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.errors import AccessRefused, Unavailable
from logfanout.ports import Listed, Listing
from logfanout.testing import World

THEIRS = "111122223333"
HOSTILE = [
    "a//b",
    "/lead",
    "a+b c",
    "100%",
    "%2e%2e/x",
    "q?x=1#y&z",
    "é/日本",
    "a'b\"c<&>",
    "*~()!",
    "tab\tend",
    "\x01",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A bucket to list."""

    listing: Listing
    bucket: str
    put: Callable[[str, bytes], Awaitable[None]]
    forbidden: Callable[[], Awaitable[str]]
    now_ms: Callable[[], int]

    async def all(self, *, prefix: str = "", after: str = "", most: int = 1000) -> list[list[Listed]]:
        """Return every page."""
        pages, token = [], ""
        while True:
            page = await self.listing.page(self.bucket, prefix=prefix, after=after, token=token, most=most)
            pages.append(list(page.objects))
            if not (token := page.token):
                return pages


@pytest.fixture
async def stage(side: Any, name: str) -> Any:
    if isinstance(side, World):
        yield fake(side, name)
    else:
        async with side.aws.listing() as listing:
            yield await real(side, name, listing)


def fake(world: World, name: str) -> Stage:
    async def put(key: str, data: bytes) -> None:
        world.bucket.put(name, key, data)

    async def forbidden() -> str:
        world.bucket.close(f"{name}-theirs")
        return f"{name}-theirs"

    world.bucket.miss("no-such-bucket-anywhere")
    return Stage(listing=world.bucket, bucket=name, put=put, forbidden=forbidden, now_ms=world.clock.epoch_ms)


async def real(cloud: Any, name: str, listing: Listing) -> Stage:
    ours, theirs, place = f"{name}-ours", f"{name}-theirs", {"LocationConstraint": cloud.region}
    async with cloud.client("s3") as s3:
        await s3.create_bucket(Bucket=ours, CreateBucketConfiguration=place)

    async def put(key: str, data: bytes) -> None:
        async with cloud.client("s3") as s3:
            await s3.put_object(Bucket=ours, Key=key, Body=data)

    async def forbidden() -> str:
        async with cloud.client("s3", account=THEIRS) as s3:
            await s3.create_bucket(Bucket=theirs, CreateBucketConfiguration=place)
        return theirs

    return Stage(listing=listing, bucket=ours, put=put, forbidden=forbidden, now_ms=lambda: int(time.time() * 1000))


def keys(pages: list[list[Listed]]) -> list[str]:
    return [listed.key for page in pages for listed in page]


async def test_every_object_is_listed_once(stage: Stage) -> None:
    """In pages as large as asked, in the order of the keys."""
    names = [f"k/{n:03}" for n in range(25)]
    for name in reversed(names):
        await stage.put(name, b"x")
    pages = await stage.all(most=10)
    assert [len(page) for page in pages] == [10, 10, 5]
    assert keys(pages) == names


async def test_a_full_last_page_is_the_last(stage: Stage) -> None:
    """Or is followed by an empty one; either way nothing is missing."""
    for n in range(4):
        await stage.put(f"{n}", b"x")
    assert keys(await stage.all(most=2)) == ["0", "1", "2", "3"]


async def test_nothing_is_an_empty_page(stage: Stage) -> None:
    """And no error."""
    assert await stage.all() == [[]]


async def test_a_prefix_narrows_it(stage: Stage) -> None:
    """Byte for byte; a slash means nothing to it."""
    for key in ("acme/1", "acme-corp/1", "acm", "b"):
        await stage.put(key, b"x")
    assert keys(await stage.all(prefix="acme")) == ["acme-corp/1", "acme/1"]
    assert keys(await stage.all(prefix="acme/")) == ["acme/1"]


async def test_a_listing_may_begin_behind_a_key(stage: Stage) -> None:
    """One that need not be there any more."""
    for key in ("a", "c", "d"):
        await stage.put(key, b"x")
    assert keys(await stage.all(after="a")) == ["c", "d"]
    assert keys(await stage.all(after="b", most=1)) == ["c", "d"]


async def test_an_object_is_told_from_what_was_there_before(stage: Stage) -> None:
    """By its ETag, its size and the second it was written in."""
    await stage.put("k", b"one")
    [[first]] = await stage.all()
    await stage.put("k", b"two two")
    [[second]] = await stage.all()
    assert (first.size_bytes, second.size_bytes) == (3, 7)
    assert len({first.etag, second.etag}) == 2
    assert '"' not in first.etag
    assert first.last_modified_ms % 1000 == 0
    assert -2_000 < first.last_modified_ms - stage.now_ms() < 60_000


@pytest.mark.parametrize("key", HOSTILE)
async def test_any_key_is_listed_as_it_is(stage: Stage, key: str) -> None:
    """So that it can be read."""
    await stage.put(key, b"x")
    assert keys(await stage.all()) == [key]


@pytest.mark.parametrize("bucket", ["no-such-bucket-anywhere"])
async def test_a_bucket_that_is_not_there_may_come(stage: Stage, bucket: str) -> None:
    """An operator sees to it; no object is to blame."""
    with pytest.raises(Unavailable, match=bucket):
        await stage.listing.page(bucket, prefix="")


async def test_a_policy_may_refuse_the_list(stage: Stage) -> None:
    """Which its owner can change."""
    theirs = await stage.forbidden()
    with pytest.raises(AccessRefused, match=theirs):
        await stage.listing.page(theirs, prefix="")

"""What may the pipeline rely on when it reads an object?"""

import gzip
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from logfanout.errors import AccessRefused, ObjectGone
from logfanout.ports import Bucket, ObjectRef
from logfanout.testing import World

THEIRS = "111122223333"
HOSTILE = [
    "../up",
    "a/../b",
    "a//b",
    "/lead",
    "trail/",
    "a+b c",
    "100%",
    "%2e%2e/x",
    "q?x=1#y&z",
    "é/日本",
    "a'b\"c",
    "*~()!",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A versioned bucket, and something the worker may not read."""

    bucket: Bucket
    put: Callable[[str, bytes], Awaitable[ObjectRef]]
    forbidden: Callable[[], Awaitable[ObjectRef]]
    now_ms: Callable[[], int]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side, name) if isinstance(side, World) else await real(side, name)


def fake(world: World, name: str) -> Stage:
    versions = itertools.count()

    async def put(key: str, data: bytes) -> ObjectRef:
        return world.bucket.put(name, key, data, version_id=f"v{next(versions)}")

    async def forbidden() -> ObjectRef:
        ref = world.bucket.put(name, "k", b"x")
        world.bucket.deny(ref)
        return ref

    return Stage(bucket=world.bucket, put=put, forbidden=forbidden, now_ms=world.clock.epoch_ms)


async def real(cloud: Any, name: str) -> Stage:
    ours, theirs, place = f"{name}-ours", f"{name}-theirs", {"LocationConstraint": cloud.region}
    async with cloud.client("s3") as s3:
        await s3.create_bucket(Bucket=ours, CreateBucketConfiguration=place)
        await s3.put_bucket_versioning(Bucket=ours, VersioningConfiguration={"Status": "Enabled"})

    async def put(key: str, data: bytes) -> ObjectRef:
        async with cloud.client("s3") as s3:
            answer = await s3.put_object(Bucket=ours, Key=key, Body=data, ContentEncoding="gzip")
        return ObjectRef(bucket=ours, key=key, size_bytes=len(data), version_id=answer["VersionId"])

    async def forbidden() -> ObjectRef:
        async with cloud.client("s3", account=THEIRS) as s3:
            await s3.create_bucket(Bucket=theirs, CreateBucketConfiguration=place)
            await s3.put_object(Bucket=theirs, Key="k", Body=b"x")
        return ObjectRef(bucket=theirs, key="k", size_bytes=1)

    return Stage(bucket=cloud.aws.bucket(), put=put, forbidden=forbidden, now_ms=lambda: int(time.time() * 1000))


async def read(stage: Stage, ref: ObjectRef) -> bytes:
    with closing(await stage.bucket.open(ref)) as body:
        return b"".join([chunk async for chunk in body.chunks])


async def test_stored_bytes_come_as_they_are(stage: Stage) -> None:
    """Not inflated, whatever the object's Content-Encoding says; in as many chunks as it takes."""
    stored = gzip.compress(bytes(range(256)) * 4000, compresslevel=0)
    assert await read(stage, await stage.put("t/c/a/p/o.json.gz", stored)) == stored


async def test_an_empty_object_is_read(stage: Stage) -> None:
    """It has no chunks."""
    assert await read(stage, await stage.put("k", b"")) == b""


@pytest.mark.parametrize("key", HOSTILE)
async def test_any_key_can_be_read(stage: Stage, key: str) -> None:
    """Exactly that one, and not what a path normaliser makes of it."""
    assert await read(stage, replace(await stage.put(key, key.encode()), version_id="")) == key.encode()


async def test_an_object_knows_when_it_was_written(stage: Stage) -> None:
    """To the second, as S3 says it."""
    before_ms = stage.now_ms()
    with closing(await stage.bucket.open(await stage.put("k", b"x"))) as body:
        assert -2_000 < body.last_modified_ms - before_ms < 60_000


async def test_the_version_announced_is_the_one_read(stage: Stage) -> None:
    """Without one it is the newest."""
    old, new = await stage.put("k", b"old"), await stage.put("k", b"new")
    assert await read(stage, old) == b"old"
    assert await read(stage, new) == b"new"
    assert await read(stage, replace(old, version_id="")) == b"new"


@pytest.mark.parametrize("change", [{"key": "other"}, {"bucket": "no-such-bucket-anywhere"}, {"key": ""}])
async def test_what_is_not_there_is_gone(stage: Stage, change: dict[str, Any]) -> None:
    """The key or the whole bucket."""
    ref = replace(await stage.put("k", b"x"), version_id="", **change)
    with pytest.raises(ObjectGone, match="GetObject"):
        await read(stage, ref)


async def test_a_policy_may_refuse(stage: Stage) -> None:
    """Which its owner can change."""
    ref = await stage.forbidden()
    with pytest.raises(AccessRefused, match=ref.uri):
        await read(stage, ref)


async def test_one_may_stop_reading(stage: Stage) -> None:
    """The next object is read from its own beginning."""
    first, second = await stage.put("a", b"a" * 3_000_000), await stage.put("b", b"b")
    with closing(await stage.bucket.open(first)) as body:
        assert (await anext(aiter(body.chunks)))[:1] == b"a"
    assert await read(stage, second) == b"b"

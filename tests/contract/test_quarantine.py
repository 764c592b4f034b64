"""What may the pipeline rely on when it puts a record away?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.ports import ObjectRef, Quarantine
from logfanout.s3_places import S3Place
from logfanout.testing import World

RECORD = '{"reason": "too_old", "record": "é"}\n'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A place for records, and how a test looks into it."""

    quarantine: Quarantine
    read: Callable[[str], Awaitable[bytes]]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side) if isinstance(side, World) else await real(side, f"{name}-quarantine")


def fake(world: World) -> Stage:
    async def read(uri: str) -> bytes:
        return world.quarantine.kept[uri]

    return Stage(quarantine=world.quarantine, read=read)


async def real(cloud: Any, bucket: str) -> Stage:
    async with cloud.client("s3") as s3:
        await s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": cloud.region})

    async def read(uri: str) -> bytes:
        ref = ref_of(uri)
        async with cloud.client("s3") as s3:
            answer = await s3.get_object(Bucket=ref.bucket, Key=ref.key)
            assert answer["ContentType"] == "application/x-ndjson"
            async with answer["Body"] as body:
                found: bytes = await body.read()
        return found

    return Stage(quarantine=cloud.aws.quarantine(S3Place.parse(f"s3://{bucket}/records/")), read=read)


def ref_of(uri: str) -> ObjectRef:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return ObjectRef(bucket=bucket, key=key, size_bytes=0)


async def test_what_is_put_is_kept(stage: Stage) -> None:
    """Where the answer says."""
    uri = await stage.quarantine.put("acme/0a-17.ndjson", RECORD)
    assert uri.endswith("/records/acme/0a-17.ndjson")
    assert await stage.read(uri) == RECORD


async def test_a_second_attempt_replaces_the_first(stage: Stage) -> None:
    """The same records under the same name are one object."""
    first = await stage.quarantine.put("acme/0a-17.ndjson", b"{}\n")
    assert await stage.quarantine.put("acme/0a-17.ndjson", RECORD) == first
    assert await stage.read(first) == RECORD


async def test_what_lies_there_is_no_log_object(stage: Stage) -> None:
    """Though S3 may announce it; its neighbours are."""
    kept = ref_of(await stage.quarantine.put("acme/0a-17.ndjson", RECORD))
    assert stage.quarantine.holds(kept)
    for other in (
        ObjectRef(bucket=kept.bucket, key="records2/acme/x.json", size_bytes=0),
        ObjectRef(bucket=kept.bucket, key="acme/records/x.json", size_bytes=0),
        ObjectRef(bucket=f"{kept.bucket}2", key=kept.key, size_bytes=0),
    ):
        assert not stage.quarantine.holds(other)

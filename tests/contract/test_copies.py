"""What may the pipeline rely on when it asks for a copy into somebody else's bucket?"""

import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from logfanout.demo import policies
from logfanout.errors import AccessRefused, ObjectGone
from logfanout.ports import Assumption, Bucket, Copies, Copy, Credentials, ObjectFacts, ObjectRef
from logfanout.testing import World
from logfanout.testing.world import CENTRAL_ROLE

ELSEWHERE = "ap-southeast-2"
STORED = gzip.compress(b'{"message": "hi"}\n', mtime=0)
METADATA = {"tenant-id": "acme", "pod-name": "pod-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The platform's bucket, and a tenant's that lets the central role in."""

    copies: Copies
    source: Bucket
    put: Callable[[str, bytes], Awaitable[ObjectRef]]
    theirs: str
    region: str
    held: Callable[[str], Awaitable[Mapping[str, Any]]]  # what lies under a key: data, metadata, content_encoding
    shut: Callable[[], Awaitable[None]]
    session: Callable[[], Awaitable[Credentials | None]]

    async def wanted(self, ref: ObjectRef, key: str) -> Copy:
        facts = await self.source.describe(ref)
        return Copy(source=ref, facts=facts, bucket=self.theirs, region=self.region, key=key, metadata=METADATA)


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return await fake(side, name) if isinstance(side, World) else await real(side, name)


async def fake(world: World, name: str) -> Stage:
    theirs = f"{name}-theirs"
    world.copies.add_bucket(theirs, lets_in=CENTRAL_ROLE)
    session = await world.tokens.assume(Assumption(role_arn=CENTRAL_ROLE, session_name="s-1"), using=None)

    async def put(key: str, data: bytes) -> ObjectRef:
        return world.bucket.put(name, key, data)

    async def held(key: str) -> Mapping[str, Any]:
        copied = [each for each in world.copies.copied if each.wanted.key == key][-1]
        encoding = copied.wanted.facts.content_encoding
        return {"data": copied.data, "metadata": copied.wanted.metadata, "content_encoding": encoding}

    async def shut() -> None:
        world.copies.shut(theirs)

    async def central() -> Credentials:
        return session

    return Stage(
        copies=world.copies,
        source=world.bucket,
        put=put,
        theirs=theirs,
        region="us-east-1",
        held=held,
        shut=shut,
        session=central,
    )


async def real(cloud: Any, name: str) -> Stage:
    """Two buckets of one account in two regions: the embedded AWS copies nothing between accounts (the drills do)."""
    ours, theirs = f"{name}-ours", f"{name}-theirs"
    async with cloud.client("s3") as s3:
        await s3.create_bucket(Bucket=ours, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    async with cloud.client("s3", region=ELSEWHERE) as s3:
        await s3.create_bucket(Bucket=theirs, CreateBucketConfiguration={"LocationConstraint": ELSEWHERE})
    read = policies.allow(["s3:GetObject"], f"arn:aws:s3:::{ours}/*")
    role = policies.document(read, policies.allow(["s3:PutObject", "s3:PutObjectAcl"], "arn:aws:s3:::*/*"))
    async with cloud.client("iam") as iam:
        trusted = policies.trust(f"arn:aws:iam::{cloud.account}:root")
        made = await iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)
        await iam.put_role_policy(RoleName=name, PolicyName="copies", PolicyDocument=role)
    given = await cloud.emulator.assume(made["Role"]["Arn"], using=cloud.account)

    async def put(key: str, data: bytes) -> ObjectRef:
        async with cloud.client("s3") as s3:
            await s3.put_object(Bucket=ours, Key=key, Body=data, ContentEncoding="gzip", Metadata={"cluster": "c1"})
        return ObjectRef(bucket=ours, key=key, size_bytes=len(data))

    async def held(key: str) -> Mapping[str, Any]:
        async with cloud.client("s3", region=ELSEWHERE) as s3:
            answer = await s3.get_object(Bucket=theirs, Key=key)
            async with answer["Body"] as body:
                data = await body.read()
        return {"data": data, "metadata": answer["Metadata"], "content_encoding": answer["ContentEncoding"]}

    async def shut() -> None:
        async with cloud.client("iam") as iam:
            await iam.put_role_policy(RoleName=name, PolicyName="copies", PolicyDocument=policies.document(read))

    async def session() -> Credentials:
        return Credentials(access_key=given.access_key, secret_key=given.secret_key, token=given.token, expires_ms=0)

    return Stage(
        copies=cloud.aws.copies(),
        source=cloud.aws.bucket(),
        put=put,
        theirs=theirs,
        region=ELSEWHERE,
        held=held,
        shut=shut,
        session=session,
    )


async def test_a_copy_is_the_object_as_it_lies(stage: Stage) -> None:
    """Its bytes and what they are encoded in; the metadata is the delivery's, and nothing of the source's."""
    ref = await stage.put("acme/c1/web/pod-1/a.gz", STORED)
    await stage.copies.copy(await stage.wanted(ref, "logs/acme/web/pod-1/a.gz"), credentials=stage.session)
    held = await stage.held("logs/acme/web/pod-1/a.gz")
    assert held == {"data": STORED, "metadata": METADATA, "content_encoding": "gzip"}


async def test_a_copy_made_twice_is_one(stage: Stage) -> None:
    """After an answer that was lost it is simply made again."""
    wanted = await stage.wanted(await stage.put("k", STORED), "k")
    await stage.copies.copy(wanted, credentials=stage.session)
    await stage.copies.copy(wanted, credentials=stage.session)
    assert (await stage.held("k"))["data"] == STORED


@pytest.mark.parametrize("key", ["a+b c", "100%", "é/日本", "a'b\"c", "*~()!", "q?x=1#y&z"])
async def test_any_key_can_be_copied(stage: Stage, key: str) -> None:
    """From the name it has, to that name."""
    await stage.copies.copy(await stage.wanted(await stage.put(key, STORED), f"p/{key}"), credentials=stage.session)
    assert (await stage.held(f"p/{key}"))["data"] == STORED


async def test_a_bucket_may_refuse(stage: Stage) -> None:
    """Which its owner can change."""
    wanted = await stage.wanted(await stage.put("k", STORED), "k")
    await stage.shut()
    with pytest.raises(AccessRefused, match=wanted.uri):
        await stage.copies.copy(wanted, credentials=stage.session)


async def test_a_bucket_may_be_missing(stage: Stage) -> None:
    """Its owner can make it: no reason to give the logs up."""
    wanted = replace(await stage.wanted(await stage.put("k", STORED), "k"), bucket="no-such-bucket-anywhere")
    with pytest.raises(AccessRefused, match="no-such-bucket-anywhere"):
        await stage.copies.copy(wanted, credentials=stage.session)


async def test_a_source_may_be_gone(stage: Stage) -> None:
    """Since it was described, or before."""
    ref = await stage.put("k", STORED)
    gone = ObjectRef(bucket=ref.bucket, key="other", size_bytes=ref.size_bytes)
    with pytest.raises(ObjectGone, match=gone.uri):
        await stage.source.describe(gone)
    wanted = replace(await stage.wanted(ref, "k"), source=gone)
    with pytest.raises(ObjectGone, match=gone.uri):
        await stage.copies.copy(wanted, credentials=stage.session)


async def test_an_object_is_described(stage: Stage) -> None:
    """Its size as stored, and something that tells this writing of it from the next."""
    ref = await stage.put("k", STORED)
    facts = await stage.source.describe(ref)
    assert (facts.size_bytes, facts.content_encoding) == (len(STORED), "gzip")
    await stage.put("k", STORED + STORED)
    again = await stage.source.describe(ref)
    assert isinstance(again, ObjectFacts)
    assert again.etag != facts.etag

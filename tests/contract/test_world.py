"""Do the fakes fail as told, and does a story play in them?"""

import asyncio
import json
from contextlib import closing

import msgspec
import pytest

from logfanout.errors import AccessRefused, CredentialsExpired, Throttled, Unavailable
from logfanout.ports import Assumption, Credentials, Event, LogEvents, LogStream
from logfanout.testing import World, virtual_time
from logfanout.testing.world import BUCKET, CENTRAL_ROLE, ndjson

ACME, UMBRELLA = "111122223333", "444455556666"


async def session(world: World, role_arn: str, external_id: str = "999999999999") -> Credentials:
    """Walk the chain."""
    hop = await world.tokens.assume(Assumption(role_arn=CENTRAL_ROLE, session_name="s-1"), using=None)
    wanted = Assumption(role_arn=role_arn, session_name="s-1", external_id=external_id)
    return await world.tokens.assume(wanted, using=hop)


def one(world: World, text: str = "m") -> LogEvents:
    return LogEvents.of([Event(world.clock.epoch_ms(), msgspec.Raw(msgspec.json.encode(text)))])


@virtual_time
async def test_a_tenant_is_ready_to_be_delivered_to() -> None:
    """A row, a role that trusts, an object, a notice: what most tests begin with."""
    world = World()
    acme = world.add_tenant("acme", account=ACME, desired_logs=["web"])
    ref = world.upload("acme/c/web/pod-1/a b+c.json.gz", ndjson("hi", at_ms=world.clock.epoch_ms()))
    [row] = await world.rows.of("acme")
    assert row["desired_logs"] == ["web"]
    [message] = await world.queue.receive(most=10, wait_seconds=0, hide_seconds=30)
    [record] = json.loads(json.loads(message.body)["Message"])["Records"]
    assert record["s3"]["object"]["key"] == "acme/c/web/pod-1/a+b%2Bc.json.gz"
    assert (record["s3"]["bucket"]["name"], record["s3"]["object"]["size"]) == (BUCKET, ref.size_bytes)
    to = LogStream(acme.region, acme.group, "web")
    credentials = await session(world, acme.role_arn)
    await world.logs.create_group(to, retention_days=None, credentials=credentials)
    await world.logs.create_stream(to, credentials=credentials)
    await world.logs.put(to, one(world), credentials=credentials)
    assert world.logs.messages(ACME, acme.group) == ["m"]


@virtual_time
async def test_failures_are_for_whom_they_are_meant() -> None:
    """One account throttled, the other not; then it is over."""
    world = World()
    streams = {}
    for name, account in (("acme", ACME), ("umbrella", UMBRELLA)):
        made = world.add_tenant(name, account=account)
        world.logs.add_group(account, made.group)
        streams[account] = (LogStream(made.region, made.group, "s"), await session(world, made.role_arn))
        await world.logs.create_stream(streams[account][0], credentials=streams[account][1])
    world.logs.fail_next(2, Throttled("slow down"), on="put", where=ACME)

    async def put(account: str) -> None:
        await world.logs.put(streams[account][0], one(world), credentials=streams[account][1])

    await put(UMBRELLA)
    for _ in range(2):
        with pytest.raises(Throttled, match="slow down"):
            await put(ACME)
    await put(ACME)
    assert world.logs.calls_by_place["put", ACME] == 3
    assert len(world.logs.puts) == 2


@virtual_time
async def test_an_answer_may_be_lost_after_the_work() -> None:
    """The duplicate that at-least-once is about."""
    world = World()
    acme = world.add_tenant("acme", account=ACME)
    world.logs.add_group(ACME, acme.group)
    to, credentials = LogStream(acme.region, acme.group, "s"), await session(world, acme.role_arn)
    await world.logs.create_stream(to, credentials=credentials)
    world.logs.fail_next(1, Unavailable("reset"), on="put", after=True)
    with pytest.raises(Unavailable):
        await world.logs.put(to, one(world), credentials=credentials)
    await world.logs.put(to, one(world), credentials=credentials)
    assert world.logs.messages(ACME, acme.group) == ["m", "m"]


@virtual_time
async def test_a_slow_call_takes_its_time() -> None:
    """Others go on meanwhile, and the most side by side is known."""
    world = World()
    world.queue.slow(10, on="receive")
    began = asyncio.get_running_loop().time()
    calls = (world.queue.receive(most=1, wait_seconds=0, hide_seconds=0) for _ in range(3))
    assert await asyncio.gather(*calls) == [[], [], []]
    assert asyncio.get_running_loop().time() - began == 10
    assert (world.queue.most_under_way, world.queue.under_way, world.queue.calls["receive"]) == (3, 0, 3)
    world.queue.heal()
    await world.queue.receive(most=1, wait_seconds=0, hide_seconds=0)
    assert asyncio.get_running_loop().time() - began == 10


@virtual_time
async def test_a_long_poll_wakes_when_a_message_comes() -> None:
    """Not at its end."""
    world = World()
    began = asyncio.get_running_loop().time()
    poll = asyncio.create_task(world.queue.receive(most=1, wait_seconds=20, hide_seconds=30))
    await asyncio.sleep(3)
    world.queue.send("m")
    assert len(await poll) == 1
    assert asyncio.get_running_loop().time() - began == 3


@virtual_time
async def test_a_lease_may_be_taken_away() -> None:
    """As when SQS delivers twice."""
    world = World()
    world.queue.send("m")
    [first] = await world.queue.receive(most=1, wait_seconds=0, hide_seconds=600)
    assert world.queue.in_flight == 1
    world.queue.show_again()
    [second] = await world.queue.receive(most=1, wait_seconds=0, hide_seconds=600)
    assert (first.id, second.receive_count) == (second.id, 2)
    assert [refusal.lost for refusal in await world.queue.delete([first.receipt])] == [True]


@virtual_time
async def test_twelve_hours_are_the_longest_lease() -> None:
    """Then hiding is refused, though the receipt still deletes."""
    world = World()
    world.queue.send("m")
    [message] = await world.queue.receive(most=1, wait_seconds=0, hide_seconds=43_200)
    await asyncio.sleep(43_000)
    [refusal] = await world.queue.hide([message.receipt], seconds=900)
    assert not refusal.lost
    assert await world.queue.delete([message.receipt]) == []


@virtual_time
async def test_sessions_end() -> None:
    """After their hour, or when a test says so."""
    world = World()
    acme = world.add_tenant("acme", account=ACME)
    world.logs.add_group(ACME, acme.group)
    to, credentials = LogStream(acme.region, acme.group, "s"), await session(world, acme.role_arn)
    await asyncio.sleep(3599)
    await world.logs.create_stream(to, credentials=credentials)
    await asyncio.sleep(1)
    with pytest.raises(CredentialsExpired):
        await world.logs.put(to, one(world), credentials=credentials)
    renewed = await session(world, acme.role_arn)
    world.tokens.expire(acme.role_arn)
    with pytest.raises(CredentialsExpired):
        await world.logs.put(to, one(world), credentials=renewed)


@virtual_time
async def test_what_is_forbidden_can_be_allowed_again() -> None:
    """By group or for a whole account."""
    world = World()
    acme = world.add_tenant("acme", account=ACME)
    to, credentials = LogStream(acme.region, acme.group, "s"), await session(world, acme.role_arn)
    world.logs.add_group(ACME, acme.group)
    world.logs.forbid(ACME, "create_stream", group=acme.group)
    with pytest.raises(AccessRefused):
        await world.logs.create_stream(to, credentials=credentials)
    world.logs.allow(ACME)
    await world.logs.create_stream(to, credentials=credentials)
    assert world.logs.streams(ACME, acme.group) == ["s"]


@virtual_time
async def test_an_object_can_break_off() -> None:
    """Once, after some bytes; the next read has it all. Nothing stays open."""
    world = World()
    ref = world.upload("k", b"x" * 50_000, compress=False, announce=False)
    world.bucket.cut_short(ref, after_bytes=20_000)
    got = 0
    with pytest.raises(Unavailable, match="20000 of 50000"), closing(await world.bucket.open(ref)) as body:
        async for chunk in body.chunks:
            got += len(chunk)
    assert got == 20_000
    with closing(await world.bucket.open(ref)) as body:
        assert sum([len(chunk) async for chunk in body.chunks]) == 50_000
        assert world.bucket.open_now == 1
    assert world.bucket.open_now == 0

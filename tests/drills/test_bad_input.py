"""What nobody can deliver: each ends where the contract says, with its reason, and takes nothing else with it."""

import gzip
import json
import time
from collections.abc import AsyncIterator, Mapping
from random import Random

import orjson
import pytest

from logfanout.demo.pods import Event
from logfanout.demo.roster import Tenant
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.readings import metric
from logfanout.testing.drills.stage import QUARANTINE, Drill
from logfanout.testing.log_limits import DAY_MS

pytestmark = [pytest.mark.drill, pytest.mark.process, pytest.mark.emulator]

MIB = 1024 * 1024
BODIES = {  # of messages; all but S3's greeting are unreadable
    "this is no JSON": "bad_message",
    '["an", "array"]': "bad_message",
    '{"Type": "Notification", "Message": "no JSON either"}': "bad_message",
    '{"Records": [{"eventVersion": "2.1", "s3": {"bucket": {}}}]}': "bad_message",
    '{"Records": [{"eventVersion": "3.0", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}': "bad_message",
    "{" * 100_000: "bad_message",
    '{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}': "",
}


def ndjson(*records: object) -> bytes:
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def line(text: str, *, at_ms: int | None = None) -> dict[str, object]:
    return {"message": text, "timestamp": time.time_ns() // 1_000_000 if at_ms is None else at_ms}


def bad_objects() -> Mapping[str, tuple[str, bytes]]:
    """Objects of which nothing can be delivered: key to reason and stored bytes."""
    good = gzip.compress(ndjson(*(line(f"never {n}") for n in range(100))))
    blank = gzip.compress(b"\n" * 1000)
    noise = Random(0).randbytes(MIB)
    return {
        "nobody/c/web/pod/a.log.gz": ("unknown_tenant", good),
        "too/short.log.gz": ("bad_key", good),
        "harbor//web/pod/empty-segment.log.gz": ("bad_key", good),
        "harbor/../web/pod/relative.log.gz": ("bad_key", good),
        "harbor/c/web/pod/cut-off.log.gz": ("object_corrupt", good[:40]),
        "harbor/c/web/pod/wrong-checksum.log.gz": ("object_corrupt", blank[:-8] + bytes(8)),
        "harbor/c/web/pod/noise.log.gz": ("object_corrupt", noise),
        "harbor/c/web/pod/noise-inside.log.gz": ("object_corrupt", gzip.compress(noise)),
        "harbor/c/web/pod/gone.log.gz": ("object_gone", good),
        "harbor/c/web/pod/huge-record.log.gz": ("object_refused", gzip.compress(ndjson(line("x" * 17 * MIB)))),
        "harbor/c/web/pod/bomb.log.gz": ("object_refused", gzip.compress(b"\n" * 70 * MIB)),
        "malformed/c/web/pod/row.log.gz": ("undeliverable", good),
    }


async def test_bad_messages_and_objects(stage: Drill, judge: Judge) -> None:
    """Dead letters at once, each with its reason and its whole notice; what is good among them is delivered."""
    objects = bad_objects()
    await add_malformed_row(stage)
    for key, (_, stored) in objects.items():
        await stage.put_raw(key, stored)
    await stage.remove("harbor/c/web/pod/gone.log.gz")
    for body in BODIES:
        await stage.send(body)
    reasons = sorted([reason for reason, _ in objects.values()] + [reason for reason in BODIES.values() if reason])
    async with stage.worker(LOGFANOUT_MAX_INFLATED_BYTES=str(64 * MIB)):
        await stage.write(6)
        await stage.settled(dead=len(reasons))
    letters = await stage.dead_letters()
    assert sorted(letter.reason for letter in letters) == reasons
    for letter in letters:
        assert letter.attributes["receive_count"] == "1"
        if letter.reason == "bad_message":
            assert letter.body in BODIES
        else:
            key = letter.attributes["object"].removeprefix(f"s3://{stage.region.bucket}/")
            assert objects[key][0] == letter.reason
            assert key in letter.body
    judge(stage, "7 bad messages, 12 bad objects among 6 good ones", dead=len(letters))


@pytest.mark.long
async def test_objects_that_end_badly(stage: Drill, judge: Judge) -> None:
    """What lies before the bad place is delivered once; the rest is a dead letter."""
    [harbor, *_] = stage.tenants
    first, second = ([line(f"part {part} line {n}") for n in range(200)] for part in range(2))
    cut = gzip.compress(ndjson(*second))
    await stage.put_raw("harbor/c/web/pod/second-member-cut.log.gz", gzip.compress(ndjson(*first)) + cut[:40])
    await stage.put_raw("harbor/c/web/pod/never-closed.log.gz", b"[" + ndjson(*second).rstrip().replace(b"\n", b","))
    expect(stage, harbor, *first, *second)
    async with stage.worker():
        await stage.write(6)
        await stage.settled(dead=2)
    letters = await stage.dead_letters()
    assert [letter.reason for letter in letters] == ["object_corrupt"] * 2
    judge(stage, "an object whose second member is cut off, and one whose array never ends", dead=2)


@pytest.mark.long
async def test_one_notice_of_several_objects(stage: Drill, judge: Judge) -> None:
    """The dead letter is reduced to what is still owed."""
    [harbor, *_] = stage.tenants
    good = [line(f"several {n}") for n in range(50)]
    await stage.put_raw("harbor/c/web/pod/good.log", ndjson(*good))
    expect(stage, harbor, *good)
    records = [
        {
            "eventVersion": "2.1",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": stage.region.bucket}, "object": {"key": key}},
        }
        for key in ("nobody/c/web/pod/a.log", "meadow/c/web/pod/gone+too.log")
    ]
    [notice] = await stage.notices()
    event = json.loads(json.loads(notice)["Message"])
    await stage.purge()
    await stage.send(json.dumps({"Records": [*event["Records"], *records]}))
    async with stage.worker():
        await stage.settled(dead=1)
    [letter] = await stage.dead_letters()
    assert letter.reason in ("unknown_tenant", "object_gone")
    owed = [record["s3"]["object"]["key"] for record in json.loads(letter.body)["Records"]]
    assert owed == ["nobody/c/web/pod/a.log", "meadow/c/web/pod/gone+too.log"]
    judge(stage, "one notice of three objects, two of which cannot be delivered", dead=1)


async def write_bad_records(stage: Drill) -> Mapping[str, int]:
    """Put one object with a bad record of each kind for the tenant that keeps logs a week; return what is counted."""
    summit = stage.tenants[2]
    now = time.time_ns() // 1_000_000
    good = [line(f"good {n}", at_ms=now - 5000 + n) for n in range(300)]
    long = "\u00e9" * MIB  # two bytes each: three parts, since a part and its 26 bytes fit into a batch
    room = (MIB - 26) // 2
    parts = [long[:room], long[room : 2 * room], long[2 * room :]]
    bad = [
        b'{"message": "cut off\n',
        b"no JSON at all\n",
        b'{"message": "\xff"}\n',
        ndjson(line("too old", at_ms=now - 15 * DAY_MS)),
        ndjson(line("kept a week", at_ms=now - 8 * DAY_MS)),
        ndjson(line("too new", at_ms=now + 3 * 3600 * 1000)),
        ndjson(line(""), line("")),
        ndjson(line(long, at_ms=now)),
    ]
    pieces = [ndjson(*good[:100]), *bad[:4], ndjson(*good[100:200]), *bad[4:], ndjson(*good[200:])]
    await stage.put_raw("summit/c/web/pod/bad-records.log.gz", gzip.compress(b"".join(pieces)))
    expect(stage, summit, *good)
    stage.expect(summit.name, [Event(now, part) for part in parts if part])
    return {"unreadable": 3, "too_old": 1, "expired": 1, "too_new": 1}


@pytest.mark.long
async def test_bad_records_counted(stage: Drill, judge: Judge) -> None:
    """One record of many is bad: the others are delivered, it is counted by reason."""
    async with stage.worker() as one:
        counted = await write_bad_records(stage)
        await stage.write(6)
        await stage.settled()
        for reason, count in counted.items():
            name = f'logfanout_events_not_delivered_total{{reason="{reason}",tenant="summit"}}'
            assert await metric(one, name) == count
        assert await metric(one, 'logfanout_events_total{outcome="skipped",tenant="summit"}') == 2
    judge(stage, "records unreadable, too old, expired, too new, empty, oversize, among 300 good ones")


async def test_bad_records_quarantined(stage: Drill, judge: Judge) -> None:
    """With a place for them they are kept, each with its reason and where it was; that place is not read as logs."""
    async with stage.worker(LOGFANOUT_QUARANTINE_URI=f"s3://{stage.region.bucket}/{QUARANTINE}"):
        counted = await write_bad_records(stage)
        await stage.write(6)
        await stage.settled()
    kept = [record async for record in quarantined(stage)]
    reasons = [record["reason"] for record in kept]
    assert {reason: reasons.count(reason) for reason in set(reasons)} == counted
    assert {record["key"] for record in kept} == {"summit/c/web/pod/bad-records.log.gz"}
    judge(stage, "the same, with a quarantine in the bucket that announces everything")


async def quarantined(stage: Drill) -> AsyncIterator[Mapping[str, object]]:
    """Yield every record in quarantine."""
    async with stage.client("s3") as s3:
        listed = await s3.list_objects_v2(Bucket=stage.region.bucket, Prefix=QUARANTINE)
        for entry in listed.get("Contents", []):
            found = await s3.get_object(Bucket=stage.region.bucket, Key=entry["Key"])
            async with found["Body"] as body:
                for text in (await body.read()).splitlines():
                    yield orjson.loads(text)


def expect(stage: Drill, tenant: Tenant, *lines: Mapping[str, object]) -> None:
    """Note that *lines* must arrive with *tenant*."""
    stage.expect(tenant.name, [Event(int(str(one["timestamp"])), str(one["message"])) for one in lines])


async def add_malformed_row(stage: Drill) -> None:
    """Add a tenant whose filter is no list: it must refuse, never open."""
    [harbor, *_] = stage.tenants
    async with stage.client("dynamodb") as dynamodb:
        await dynamodb.put_item(
            TableName=stage.region.table,
            Item={
                "tenant_id": {"S": "malformed"},
                "type": {"S": "cloudwatch"},
                "log_distribution_role_arn": {"S": harbor.role_arn},
                "log_group_name": {"S": harbor.log_group},
                "desired_logs": {"S": "web"},
            },
        )

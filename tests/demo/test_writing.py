"""Objects are spread over tenants, pods and framings, and every one is expected."""

from pathlib import Path
from random import Random

import pytest

from logfanout.demo import pods, vector, writing
from logfanout.demo.emulator import Emulator
from logfanout.demo.errors import DemoRefused
from logfanout.demo.pods import Event
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, roster

LOGHUB = Path(__file__).parents[3] / "shared/data/loghub"


def made(count: int, *, tenants: int = 5, events: int = 3) -> list[vector.LogObject]:
    chance = Random(0)
    objects = writing.objects(roster(tenants), count=count, events=events, rng=chance, speak=pods.imitate)
    return list(objects)


def test_tenants_take_turns() -> None:
    """Each gets its share, the first ones the rest."""
    tenants = [one.tenant for one in made(7)]
    assert tenants == ["harbor", "meadow", "summit", "lantern", "orchard", "harbor", "meadow"]


def test_keys_are_unique_and_pods_return() -> None:
    """Two objects of one pod feed one stream, in both framings."""
    objects = made(200, tenants=2)
    assert len({one.key for one in objects}) == 200
    pods_seen = {one.key.rsplit("/", 1)[0] for one in objects}
    assert len(pods_seen) == 2 * len(pods.APPLICATIONS)
    starts = {one.body[:2] for one in objects}
    assert starts == {b"\x1f\x8b"}


def test_what_a_tenant_did_not_ask_for_is_withheld() -> None:
    """It is counted, and must not arrive."""
    (tenant,) = roster(5)[4:]
    one = writing.expectations([tenant])[tenant.name]
    for given in (o for o in made(70) if o.tenant == tenant.name):
        writing.expect(one, given, wanted=tenant.wants(given.application), put_ms=1)
    assert (one.objects, one.wanted + one.withheld) == (14, 42)
    assert one.wanted > 0
    assert one.withheld > 0


def test_equal_events_are_expected_as_often_as_they_were_written() -> None:
    """A line said twice in a millisecond must arrive twice."""
    one = writing.expectations(roster(1))["harbor"]
    given = vector.LogObject(tenant="harbor", application="etcd", key="k", body=b"", events=(Event(1, "x"),) * 2)
    writing.expect(one, given, wanted=True, put_ms=5)
    assert one.put_ms == {Event(1, "x"): [5, 5]}


@pytest.mark.emulator
async def test_everything_written_lies_in_the_bucket(aws: Emulator, region: Region) -> None:
    """Written as Vector's role, each object is there under its key."""
    objects = made(6)
    expected = writing.expectations(region.tenants)
    counted = [number async for number in writing.write(aws, region, iter(objects), into=expected)]
    assert counted == [1, 2, 3, 4, 5, 6]
    async with aws.client("s3", account=PLATFORM_ACCOUNT, region=HOME_REGION) as s3:
        there = await s3.list_objects_v2(Bucket=region.bucket)
    assert {entry["Key"] for entry in there["Contents"]} == {one.key for one in objects}
    assert sum(one.objects for one in expected.values()) == 6


def test_ones_own_files_speak(tmp_path: Path) -> None:
    """Lines of all files are used, in equal shares, and split at newlines alone."""
    (tmp_path / "a").write_bytes(b"one\r\ntwo\x0cstill two\nthree\n")
    (tmp_path / "b").write_bytes("un \u2028 deux\n\n\xff".encode("latin-1", "replace") + b"\n")
    speak = writing.speaker([tmp_path / "a", tmp_path / "b"], most=4)
    rng = Random(0)
    of = pods.pod("harbor", number=0, rng=rng)
    said = [line.message for line in pods.lines(of, 4, until_ns=1, rng=rng, speak=speak)]
    assert said == ["one", "two\x0cstill two", "un ? deux", "\ufffd"]


def test_files_without_a_line_are_refused(tmp_path: Path) -> None:
    """There would be nothing to deliver."""
    (tmp_path / "empty").write_text("\n\n")
    with pytest.raises(DemoRefused, match="No usable line"):
        writing.speaker([tmp_path / "empty"], most=4)
    with pytest.raises(DemoRefused, match="Cannot read"):
        writing.speaker([tmp_path], most=4)


@pytest.mark.skipif(not LOGHUB.is_dir(), reason="no sample logs at hand")
def test_real_logs_are_readable() -> None:
    """Logs of real machines, with whatever bytes they hold."""
    files = sorted(LOGHUB.glob("*.log"))
    speak = writing.speaker(files, most=3000)
    rng = Random(0)
    of = pods.pod("harbor", number=0, rng=rng)
    written = pods.lines(of, 3000, until_ns=1, rng=rng, speak=speak)
    assert all(isinstance(line.message, str) and line.message for line in written)

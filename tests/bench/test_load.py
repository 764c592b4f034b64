"""Is the load what it says: Vector's objects, whole in every framing, and every tenant in turn?"""

import gzip
import json
import time

import pytest
from bench.load import Load, notices, stored

from bench import floor, load
from logfanout.demo.vector import Framing
from logfanout.pipeline.objects import Inflation
from logfanout.pipeline.records import RecordReader


def read(members: tuple[bytes, ...]) -> list[int]:
    """Return the times of all records in an object, as the worker's own reader finds them."""
    inflation = Inflation(name="o", max_bytes=2**40)
    reader = RecordReader(name="o", untimed_ms=0)
    pieces = [*inflation.feed(b"".join(members)), *inflation.finish()]
    found = [records for piece in pieces for records in reader.feed(piece)]
    found += reader.finish()
    assert not any(records.untimed or records.skipped or records.unreadable for records in found)
    return [at for records in found for at in records.times]


@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("members", [1, 3])
def test_an_object_holds_what_is_counted(framing: Framing, members: int) -> None:
    """Whatever its framing and however often its records are repeated; near to now, so that all are accepted."""
    given = Load(objects=1, records=50, framing=framing, members=members)
    made = stored(given, variant=1)
    text = b"".join(map(gzip.decompress, made.members))
    assert made.inflated_bytes == len(text)
    times = read(made.members)
    assert len(times) == given.events == 50 * members
    assert time.time() * 1000 - 3_600_000 < min(times) <= max(times) <= time.time() * 1000
    assert 100_000 < max(times) - min(times) < 600_000


def test_a_record_is_as_long_as_a_collectors() -> None:
    """About 1.5 kB, of which the message is about 370 bytes."""
    made = stored(Load(objects=1, records=200), variant=3)
    records = [json.loads(line) for line in gzip.decompress(made.members[0]).splitlines()]
    assert 1400 < made.inflated_bytes / 200 < 1600
    assert 360 < sum(len(record["message"]) for record in records) / 200 < 390


@pytest.mark.parametrize("framing", list(Framing))
def test_the_floor_does_all_of_it(framing: Framing) -> None:
    """A floor that skipped a part would be too low, and the worker look worse than it is."""
    made = stored(Load(objects=1, records=3000, framing=framing, members=2), variant=0)
    for member in made.members:
        # What stands between records, and around an array, is not counted.
        assert len(gzip.decompress(member)) - 8 <= floor.delivered(member) <= len(gzip.decompress(member))


def test_tenants_take_turns_and_the_noisy_one_has_its_share() -> None:
    """Serials go on, so that no object is announced twice."""
    given = list(notices(Load(objects=0, records=1, tenants=5, noisy_of=4), first=8, count=40))
    assert [notice.serial for notice in given] == list(range(8, 48))
    assert sum(notice.tenant == load.NOISY for notice in given) == 10
    assert {notice.tenant for notice in given} == {0, 1, 2, 3, 4}
    quiet = list(notices(Load(objects=0, records=1, tenants=5), first=0, count=10))
    assert [notice.tenant for notice in quiet] == [0, 1, 2, 3, 4] * 2

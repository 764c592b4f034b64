"""Objects as the collectors of k8s/ write them are read to the letter.

They are made from tests/k8s/cases.yaml by the collector's own programs (`make k8s-fixtures`).
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logfanout.pipeline.objects import Inflation
from logfanout.pipeline.records import RecordReader

FOLDER = Path(__file__).parents[1] / "fixtures" / "collected"
OBJECTS = sorted(FOLDER.glob("*.log.*"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at_ms(timestamp: str) -> int:
    """Milliseconds, cut, of a time that has nine digits."""
    whole = datetime.fromisoformat(f"{timestamp[:23]}+00:00")
    return (whole - EPOCH) // timedelta(milliseconds=1)


def test_there_is_an_object_of_each_kind() -> None:
    """Both framings, both compressions."""
    assert [path.name for path in OBJECTS] == [
        "character_delimited.log.gz",
        "character_delimited.log.zst",
        "newline_delimited.log.gz",
        "newline_delimited.log.zst",
    ]


@pytest.mark.parametrize("read_bytes", [1, 100, 1 << 20])
@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name)
def test_every_line_is_read_with_its_time(path: Path, read_bytes: int) -> None:
    """However the network cuts it: each message as it was written, in order; the empty one is skipped and counted."""
    inflation = Inflation(name=path.name, max_bytes=1 << 30)
    reader = RecordReader(name=path.name, untimed_ms=0)
    stored = path.read_bytes()
    pieces = [p for at in range(0, len(stored), read_bytes) for p in inflation.feed(stored[at : at + read_bytes])]
    pieces.extend(inflation.finish())
    read = [records for piece in pieces for records in reader.feed(piece)]
    read.extend(reader.finish())
    expected = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    assert [
        (json.loads(bytes(m)), t) for records in read for m, t in zip(records.messages, records.times, strict=True)
    ] == [(line["message"], at_ms(line["timestamp"])) for line in expected if line["message"]]
    assert sum(records.skipped for records in read) == sum(not line["message"] for line in expected) == 1
    assert not any(records.untimed or records.unreadable for records in read)

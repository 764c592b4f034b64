"""Real log lines come out byte by byte as they went in, in both framings.

The lines are those of Loghub's samples (Zhu et al., "Loghub", ISSRE 2023), which lie beside the project where it is
built, or where LOGFANOUT_LOGHUB says; they are read in place and never copied.
"""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from logfanout.pipeline.objects import Inflation
from logfanout.pipeline.records import RecordReader
from logfanout.pipeline.routes import KeyFields, StreamNaming
from logfanout.pipeline.stream_batches import Batch, StreamBatches, Window
from logfanout.testing.log_limits import judge
from logfanout.testing.world import iso8601

PROJECT = Path(__file__).parents[2]
LOGHUB = Path(os.environ.get("LOGFANOUT_LOGHUB") or PROJECT.parent / "shared" / "data" / "loghub")
FILES = sorted(LOGHUB.glob("*.log"))
NOW_MS = 1_772_452_800_000
KEY = KeyFields(tenant="acme", cluster="c1", application="web", pod="p-1", file="f")
READ_BYTES = 16 * 1024

pytestmark = pytest.mark.skipif(not FILES, reason=f"Loghub's samples are not at {LOGHUB}; set LOGFANOUT_LOGHUB")


def lines_of(path: Path) -> list[str]:
    """The file's lines as a collector reads them: a byte that is no UTF-8 is replaced, an empty line is none."""
    return [line for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if line]


def as_object(lines: list[str], framing: str) -> bytes:
    """What the collectors store of *lines*."""
    records = [
        json.dumps(
            {
                "timestamp": iso8601(NOW_MS - len(lines) + n),
                "message": line,
                "kubernetes": {"namespace_name": "acme", "pod_name": "p-1", "labels": {"app": "web"}},
                "cluster_id": "c1",
            },
            ensure_ascii=n % 2 == 0,
            separators=(",", ":"),
        )
        for n, line in enumerate(lines)
    ]
    text = "\n".join(records) + "\n" if framing == "lines" else "[" + ",".join(records) + "]"
    return gzip.compress(text.encode(), mtime=0)


def through_the_steps(stored: bytes) -> Iterator[tuple[int, str]]:
    """What CloudWatch would store of an object, in the order of the batches."""
    inflation = Inflation(name="s3://b/k", max_bytes=1 << 30)
    reader = RecordReader(name="s3://b/k", untimed_ms=0)
    batches = StreamBatches(key=KEY, naming=StreamNaming.parse("{application}-{pod}"))
    window = Window.at(NOW_MS, retention_days=None)
    ready: list[Batch] = []
    for at in range(0, len(stored), READ_BYTES):
        for piece in inflation.feed(stored[at : at + READ_BYTES]):
            for records in reader.feed(piece):
                ready.extend(batches.add(records, window=window))
    for piece in inflation.finish():
        for records in reader.feed(piece):
            ready.extend(batches.add(records, window=window))
    for records in reader.finish():
        ready.extend(batches.add(records, window=window))
    ready.extend(batches.finish())
    for batch in ready:
        assert all(msgspec.json.decode(event.message) for event in batch.events)
        yield from judge(batch.events, now_ms=NOW_MS, retention_days=None)[0]


@pytest.mark.parametrize("framing", ["lines", "array"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_line_arrives_as_it_was_written(path: Path, framing: str) -> None:
    """In its order, with its time, and with every byte."""
    lines = lines_of(path)
    assert len(lines) > 100
    expected = [(NOW_MS - len(lines) + n, line) for n, line in enumerate(lines)]
    assert list(through_the_steps(as_object(lines, framing))) == expected

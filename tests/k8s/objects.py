"""Which objects do the worker's tests read, so that they are this sink's?

    cases.yaml ──► identified, timed ──► only_fields ──► each framing and compression ──► tests/fixtures/collected/

Follows Vector's reference: the ``json`` codec writes compact UTF-8 with its keys sorted; ``newline_delimited`` ends
each record with a newline, the default ``character_delimited`` makes one array of an object's records.
``python -m tests.k8s.objects`` writes them anew; a test holds that they hold what it would write.
"""

import gzip
import sys
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import yaml
from tests.k8s.programs import PODS, ROOT, VECTOR, Case, cases, environments, through, within

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FOLDER = ROOT / "tests" / "fixtures" / "collected"
FRAMINGS: dict[str, Callable[[list[bytes]], bytes]] = {
    "newline_delimited": lambda records: b"".join(record + b"\n" for record in records),
    "character_delimited": lambda records: b"[" + b",".join(records) + b"]",
}
COMPRESSIONS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gz", lambda data: gzip.compress(data, mtime=0)),
    "zstd": ("zst", zstd.compress),
}
INFLATERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress}


def sink() -> dict[str, Any]:
    """Return the sink of base."""
    found: dict[str, Any] = yaml.safe_load((VECTOR / "s3.yaml").read_text("utf-8"))["sinks"]["s3"]
    return found


def _event(case: Case) -> dict[str, Any]:
    with within(environments()["dedicated"]):
        event = through(PODS, {**case.event, "kubernetes": {"pod_name": "web-0", "container_name": "web"}})
    assert event is not None
    return event


def records() -> list[bytes]:
    """Return each line of the cases of ``timed``, as the sink encodes it."""
    kept = sink()["encoding"]["only_fields"]
    events = [_event(case) for case in cases() if case.transforms == ("timed",)]
    return [orjson.dumps({name: e[name] for name in kept}, option=orjson.OPT_SORT_KEYS) for e in events]


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Yield the name of each file, its compression, and what it holds inflated."""
    given = records()
    for framing, framed in FRAMINGS.items():
        for compression, (extension, _) in COMPRESSIONS.items():
            yield f"{framing}.log.{extension}", compression, framed(given)


def expected() -> bytes:
    """Return the messages and their times, which both framings and both compressions must give."""
    read = [orjson.loads(record) for record in records()]
    shown = [{"message": each["message"], "timestamp": each["timestamp"]} for each in read]
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Write the objects, and what must be read of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, compression, body in bodies():
        (FOLDER / name).write_bytes(COMPRESSIONS[compression][1](body))
    (FOLDER / "expected.json").write_bytes(expected())


if __name__ == "__main__":
    main()

"""What ``manual --to`` shows is what would be sent, and nothing is."""

import io
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from logfanout import courier
from logfanout.courier import Courier
from logfanout.destinations.lines import Lines, LinesDestination
from logfanout.errors import DestinationUnusable, Verdict
from logfanout.memory import Gate
from logfanout.pipeline.routes import StreamNaming
from logfanout.ports import Received
from logfanout.tenants.directory import Directory
from logfanout.tenants.rows import EVERYTHING, Fields, Wanted
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import STREAM_NAME, parts_of, rules_of
from logfanout.testing.world import ndjson, notice
from logfanout.worker import Report, Worker

ACCOUNT = "111122223333"
DAY_MS = 86_400_000


def shown(world: World, out: io.BytesIO) -> courier.World:
    """The parts of a worker whose every destination is shown instead."""
    parts = parts_of(world, gate=Gate(2**26))
    naming = StreamNaming.parse(STREAM_NAME)
    kinds = {name: Lines(kind=kind, out=out, naming=naming, clock=world.clock) for name, kind in parts.kinds.items()}
    return courier.World(
        bucket=parts.bucket,
        directory=Directory(world.rows, kinds=kinds, region="us-east-1", keep_seconds=60, clock=world.clock),
        kinds=kinds | {LinesDestination.kind: kinds["cloudwatch"]},
        ledgers=parts.ledgers,
        clock=world.clock,
        breakers=parts.breakers,
        gate=parts.gate,
    )


async def deliver(world: World, data: bytes) -> tuple[Report, list[dict[str, Any]]]:
    """Deliver one object; return how it went, and the lines."""
    out = io.BytesIO()
    ref = world.upload("acme/c1/web/pod-1/a.gz", data, announce=False)
    body = notice(ref, sent_ms=NOON_MS)
    message = Received(id="m", receipt="", body=body, receive_count=1, sent_ms=NOON_MS)
    report = await Worker(Courier(shown(world, out), rules_of())).deliver(message)
    return report, [json.loads(line) for line in out.getvalue().splitlines()]


@virtual_time
async def test_every_event_is_a_line_and_nothing_is_sent() -> None:
    """Stream, time and message as they would go out; no role is assumed, no put made."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group="/acme")
    report, lines = await deliver(world, ndjson('one "quoted"', "two é", at_ms=NOON_MS))
    assert report.verdict is Verdict.DELETE
    where = {
        "tenant": "acme",
        "to": "cloudwatch",
        "account": ACCOUNT,
        "region": "us-east-1",
        "log_group": "/acme",
        "log_stream": "web-pod-1-2026-03-02",
    }
    assert lines == [
        where | {"timestamp": NOON_MS, "message": 'one "quoted"'},
        where | {"timestamp": NOON_MS + 1, "message": "two é"},
    ]
    assert world.logs.puts == []
    assert world.tokens.assumed == []


@virtual_time
async def test_what_would_not_be_sent_is_not_shown() -> None:
    """An event outside CloudWatch's window, an empty one, one of an application nobody wants."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, desired_logs=["web"], log_retention_days=1)
    data = ndjson("old", at_ms=NOON_MS - 3 * DAY_MS) + ndjson("", "new", at_ms=NOON_MS)
    _, lines = await deliver(world, data)
    assert [line["message"] for line in lines] == ["new"]
    world.rows.change("acme", desired_logs=["api"])
    report, lines = await deliver(world, data)
    assert (report.verdict, lines) == (Verdict.DELETE, [])


@virtual_time
async def test_a_large_object_is_shown_in_order() -> None:
    """Batch by batch, as it would go out."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT)
    _, lines = await deliver(world, ndjson(*(f"{n:05} {'x' * 300}" for n in range(12_000)), at_ms=NOON_MS))
    assert [int(line["message"][:5]) for line in lines] == list(range(12_000))


@virtual_time
async def test_a_copy_is_one_line() -> None:
    """Where to, and what it would say of itself; the object is not read for it."""
    world = World()
    world.add_bucket("acme", bucket="acme-archive")
    report, [line] = await deliver(world, b"{}")
    assert report.verdict is Verdict.DELETE
    assert (line["to"], line["copy"]) == ("s3", "s3://acme-archive/ROSA/cluster-logs/acme/web/pod-1/a.gz")
    assert line["metadata"]["tenant-id"] == "acme"
    assert world.copies.copied == []
    assert not world.bucket.calls["open"]


def test_a_kind_without_a_form_is_said() -> None:
    """A kind that is new here need not know of this one: its rows are refused, and the tenant's others shown."""

    @dataclass(frozen=True, slots=True)
    class Firehose:
        kind: ClassVar[str] = "firehose"
        tenant: str = "acme"
        wanted: Wanted = EVERYTHING
        id: str = "firehose:x"

    class Kind:
        def read(self, row: Fields) -> Firehose:
            return Firehose(tenant=row.tenant)

    naming = StreamNaming.parse(STREAM_NAME)
    lines = Lines(kind=Kind(), out=io.BytesIO(), naming=naming, clock=World().clock)
    with pytest.raises(DestinationUnusable, match="'firehose': what goes there has no form as lines yet"):
        lines.read(Fields(row={"type": "firehose"}, tenant="acme", region="us-east-1"))


@virtual_time
async def test_a_row_that_cannot_be_followed_is_said() -> None:
    """As when it is delivered: that is what one looks for."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, log_group_name="no group!")
    report, lines = await deliver(world, ndjson("one", at_ms=NOON_MS))
    assert report.verdict is Verdict.SET_ASIDE
    assert "log_group_name must be" in str(report.failures[0][1])
    assert lines == []

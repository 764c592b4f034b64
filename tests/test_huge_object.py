"""An object of 1 GB on a single line goes through a worker whose memory does not grow with it.

The worker runs in a process of its own, whose peak the kernel reports; only the far ends are made up: a bucket that
compresses the object while it is being read, and a CloudWatch that counts and forgets.
"""

import asyncio
import json
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logfanout.app.parts import WallClock
from logfanout.courier import Courier, Rules, World
from logfanout.destinations.cloudwatch import CloudWatch
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import WorkerLedger
from logfanout.memory import Gate
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.pipeline.writer import Writer
from logfanout.ports import (
    Assumption,
    Credentials,
    LogEvents,
    LogStream,
    ObjectBody,
    ObjectFacts,
    ObjectRef,
    Received,
    Rejections,
    Row,
)
from logfanout.tenants.breaker import Breakers
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.directory import Directory
from logfanout.worker import Worker

GIGABYTE = 1_000_000_000
MOST_PEAK_BYTES = 250_000_000
RECORDS_A_BLOCK = 1000
HOUR_MS = 3_600_000


class OneLongLine:
    """A bucket with one object: a JSON array on one line, gzipped while it is read."""

    def __init__(self, *, size_bytes: int) -> None:
        stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "789Z")
        record = {
            "message": 'E1124 reconciler.go:42] "sync failed" err="conflict" \N{SNOWMAN} ' + "x" * 300,
            "timestamp": stamp,
            "kubernetes": {"labels": {f"label-{n}": "value" * 4 for n in range(30)}},
        }
        self._block = ",".join([json.dumps(record)] * RECORDS_A_BLOCK).encode()
        self._blocks = size_bytes // len(self._block) + 1
        self.records = self._blocks * RECORDS_A_BLOCK

    async def open(self, ref: ObjectRef) -> ObjectBody:
        return ObjectBody(last_modified_ms=WallClock().epoch_ms(), chunks=self._chunks(), close=lambda: None)

    async def describe(self, ref: ObjectRef) -> ObjectFacts:
        """It is written while it is read: nobody can say how long it will be."""
        return ObjectFacts(size_bytes=0, etag="")

    async def _chunks(self) -> AsyncIterator[bytes]:
        gzip = zlib.compressobj(level=1, wbits=31)
        for n in range(self._blocks):
            stored = gzip.compress((b"," if n else b"[") + self._block)
            for at in range(0, len(stored), 65_536):
                yield stored[at : at + 65_536]
        yield gzip.compress(b"]") + gzip.flush()


class Counter:
    """A CloudWatch that takes everything, a moment later."""

    def __init__(self) -> None:
        self.events = 0

    async def put(self, to: LogStream, events: LogEvents, *, credentials: Credentials) -> Rejections:
        await asyncio.sleep(0)
        self.events += len(events.decoded())
        return Rejections()

    async def create_stream(self, to: LogStream, *, credentials: Credentials) -> None: ...

    async def create_group(self, to: LogStream, *, retention_days: int | None, credentials: Credentials) -> None: ...


class AnyRole:
    """An STS that trusts everybody."""

    async def assume(self, wanted: Assumption, *, using: Credentials | None) -> Credentials:
        expires_ms = WallClock().epoch_ms() + HOUR_MS
        return Credentials(access_key="key", secret_key="secret", token="token", expires_ms=expires_ms)


class OneTenant:
    """A table with one row."""

    async def of(self, tenant: str) -> Sequence[Row]:
        role = "arn:aws:iam::111111111111:role/CustomerLogDistribution-acme"
        row = {"tenant_id": tenant, "type": "cloudwatch", "log_distribution_role_arn": role, "log_group_name": "/acme"}
        return [row]


async def deliver(size_bytes: int) -> dict[str, int]:
    """Deliver one object that inflates to about *size_bytes*; return what was counted."""
    bucket, logs, clock = OneLongLine(size_bytes=size_bytes), Counter(), WallClock()
    credentials = CredentialCache(tokens=AnyRole(), central_role=None, external_id="111111111111", clock=clock)
    naming = StreamNaming.parse("{application}-{pod}-{date}")
    kinds = {"cloudwatch": CloudWatch(writer=Writer(logs, credentials=credentials), naming=naming, clock=clock)}
    world = World(
        bucket=bucket,
        directory=Directory(OneTenant(), kinds=kinds, region="us-east-1", keep_seconds=60, clock=clock),
        kinds=kinds,
        ledgers=Ledgers(WorkerLedger(clock=clock)),
        clock=clock,
        breakers=Breakers(),
        gate=Gate(GIGABYTE),
    )
    rules = Rules(
        layout=KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/"),
        drop_unknown_tenants=False,
        max_inflated_bytes=4 * 1024**3,
    )
    notice = {"Records": [{"s3": {"bucket": {"name": "logs"}, "object": {"key": "acme/c/app/pod/1.gz"}}}]}
    report = await Worker(Courier(world, rules)).deliver(
        Received(id="m", receipt="r", body=json.dumps(notice), receive_count=1, sent_ms=clock.epoch_ms())
    )
    return {
        "failures": len(report.failures),
        "written": bucket.records,
        "delivered": logs.events,
        "peak_bytes": peak_bytes(),
    }


def peak_bytes() -> int:
    """Return the most memory this process has had: VmHWM in /proc/self/status, in kB (proc_pid_status(5)).

    Not getrusage's figure, which begins with that of the process we were forked from.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.mark.long
def test_a_gigabyte_on_one_line_needs_no_memory_of_its_own() -> None:
    """Every event of a 1 GB array on one line is delivered while the process stays under 250 MB."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__)), str(GIGABYTE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted["failures"] == 0
    assert counted["delivered"] == counted["written"] > 500_000
    assert counted["peak_bytes"] < MOST_PEAK_BYTES, counted


if __name__ == "__main__":
    print(json.dumps(asyncio.run(deliver(int(sys.argv[1])))))  # noqa: T201  it is what the parent reads

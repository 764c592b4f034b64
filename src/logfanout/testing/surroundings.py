"""What does the doctor see?

FakeIdentity: who we are, and what time it is          FakeInspection: queues and tables as they are described
healthy(World) ──► Case of a fleet that lacks nothing, for a test to break one thing of
"""

from typing import Any

from logfanout.doctoring.surroundings import Caller, Case, QueueFacts, Setup, Surroundings
from logfanout.errors import Unavailable
from logfanout.testing.line import Line
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import BUCKET, CENTRAL_ROLE, World

QUEUE_URL = f"https://sqs.us-east-1.amazonaws.com/{CENTRAL_ACCOUNT}/notices"
DEAD_LETTERS_URL = f"{QUEUE_URL}-dead"
CALLER = f"arn:aws:sts::{CENTRAL_ACCOUNT}:assumed-role/logfanout-task/task"
DAY_SECONDS = 24 * 3600


class FakeIdentity(Line):
    """STS, asked about ourselves."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_seconds: float | None = 0.0  # our clock of AWS's

    def __repr__(self) -> str:
        return "<FakeIdentity>"

    async def caller(self) -> Caller:
        """Return who we are."""
        async with self._call("caller"):
            return Caller(account=CENTRAL_ACCOUNT, arn=CALLER)

    async def clock_ahead_seconds(self) -> float | None:
        """Return how far our clock is ahead."""
        async with self._call("clock_ahead_seconds"):
            return self.ahead_seconds


class FakeInspection(Line):
    """Descriptions of queues and tables. Calls are told apart by the queue's URL or the table's name."""

    def __init__(self) -> None:
        super().__init__()
        self._queues: dict[str, QueueFacts] = {}
        self._tables: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<FakeInspection {len(self._queues)} queues, {len(self._tables)} tables>"

    def put_queue(self, url: str, facts: QueueFacts) -> None:
        """Describe the queue at *url* so from now on."""
        self._queues[url] = facts

    def remove_queue(self, url: str) -> None:
        """Let there be no queue at *url*."""
        del self._queues[url]

    def put_table(self, name: str, *, expires_by: str) -> None:
        """Let the table's items be deleted by the attribute *expires_by*; empty: by none."""
        self._tables[name] = expires_by

    async def queue(self, url: str) -> QueueFacts:
        """Return what was said of the queue at *url*."""
        async with self._call("queue", url):
            if url not in self._queues:
                raise Unavailable(f"GetQueueAttributes {url}: QueueDoesNotExist")
            return self._queues[url]

    async def expiry_attribute(self, table: str) -> str:
        """Return what was said of *table*."""
        async with self._call("expiry_attribute", table):
            if table not in self._tables:
                raise Unavailable(f"DescribeTimeToLive {table}: ResourceNotFoundException")
            return self._tables[table]


def facts(url: str, **changes: Any) -> QueueFacts:
    """Return what SQS says of an empty queue that keeps messages for 14 days, with *changes*."""
    account, name = url.split("/")[-2:]
    usual: dict[str, Any] = {
        "arn": f"arn:aws:sqs:us-east-1:{account}:{name}",
        "retention_seconds": 14 * DAY_SECONDS,
        "visibility_seconds": 120,
        "waiting": 0,
        "in_flight": 0,
        "delayed": 0,
    }
    return QueueFacts(**(usual | changes))


def healthy(
    world: World, *, identity: FakeIdentity | None = None, inspection: FakeInspection | None = None, **changes: Any
) -> Case:
    """Return the case of a fleet that lacks nothing, its setup with *changes*."""
    usual: dict[str, Any] = {
        "mode": "sqs",
        "region": "us-east-1",
        "memory_bytes": 1024**3,
        "container_bytes": 1024**3,
        "processes": 1,
        "vcpus": 1,
        "visibility_seconds": 120,
        "drop_unknown_tenants": False,
        "key_layout": "{tenant}/{cluster}/{application}/{pod}/",
        "heartbeat_tenant": "_heartbeat",
        "queue_url": QUEUE_URL,
        "tenants_table": "tenant-configurations",
        "central_role": CENTRAL_ROLE,
        "ledger_table": "ledger",
        "source_bucket": BUCKET,
    }
    inspection = inspection or FakeInspection()
    inspection.put_queue(QUEUE_URL, facts(QUEUE_URL, dead_letters_url=DEAD_LETTERS_URL, max_receive_count=20))
    inspection.put_queue(DEAD_LETTERS_URL, facts(DEAD_LETTERS_URL))
    inspection.put_table("ledger", expires_by="ttl")
    around = Surroundings(
        identity=identity or FakeIdentity(),
        inspection=inspection,
        tokens=world.tokens,
        rows=world.rows,
        bucket=world.bucket,
        listing=world.bucket,
        queue=world.queue,
        ledger=world.ledger,
    )
    return Case(setup=Setup(**(usual | changes)), around=around)

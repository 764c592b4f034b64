"""What does a whole fake AWS look like to one test?

    World() ──► queue · dead_letters · bucket · copies · tokens · logs · rows · ledger · quarantine · task_protection
       │        and the clock (each but the clock a ``Line``)
       │
       ├── add_tenant("acme", account=...)   its row, and its role's trust; the group is not made
       ├── add_bucket("acme", bucket=...)    its row of type s3, and its bucket, which lets the central role in
       └── upload(key, data)                 the object, and its notice on the queue

Made inside a running loop, usually a virtual one (``testing.clock``). Time in it begins at ``NOON_MS``.
"""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from logfanout.ports import ObjectRef
from logfanout.testing.bucket import FakeBucket
from logfanout.testing.clock import LoopClock
from logfanout.testing.copies import FakeCopies
from logfanout.testing.dead_letters import FakeDeadLetters
from logfanout.testing.ledger import FakeLedger
from logfanout.testing.logs import REGION, FakeLogs
from logfanout.testing.quarantine import FakeQuarantine
from logfanout.testing.queue import FakeQueue
from logfanout.testing.task_protection import FakeTaskProtection
from logfanout.testing.tenant_rows import FakeTenantRows
from logfanout.testing.tokens import CENTRAL_ACCOUNT, TASK_ROLE, FakeTokens

BUCKET = "central-logs"
CENTRAL_ROLE = f"arn:aws:iam::{CENTRAL_ACCOUNT}:role/logfanout-central"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSetup:
    """What ``add_tenant`` made."""

    name: str
    account: str
    role_arn: str
    group: str
    region: str


class World:
    """Every port in memory, and the few gestures most tests begin with.

    The central role trusts the task; its account's id is the external id that tenants ask for.
    """

    def __init__(self, *, max_receive_count: int = 5) -> None:
        self.clock = LoopClock()
        self.dead_letters = FakeDeadLetters()
        self.queue = FakeQueue(clock=self.clock, redrive_to=self.dead_letters, max_receive_count=max_receive_count)
        self.bucket = FakeBucket(clock=self.clock)
        self.tokens = FakeTokens(clock=self.clock)
        self.copies = FakeCopies(source=self.bucket, tokens=self.tokens)
        self.logs = FakeLogs(clock=self.clock, tokens=self.tokens)
        self.rows = FakeTenantRows()
        self.ledger = FakeLedger(clock=self.clock)
        self.quarantine = FakeQuarantine()
        self.task_protection = FakeTaskProtection(clock=self.clock)
        self.tokens.trust(CENTRAL_ROLE, by=TASK_ROLE)

    def add_tenant(
        self,
        name: str,
        *,
        account: str,
        group: str = "/platform/logs",
        region: str = REGION,
        external_id: str = CENTRAL_ACCOUNT,
        **fields: Any,
    ) -> TenantSetup:
        """Enrol a tenant: its row, with *fields* on top, and a role that the central role may assume."""
        role_arn = f"arn:aws:iam::{account}:role/logfanout-customer"
        self.tokens.trust(role_arn, by=CENTRAL_ROLE, external_id=external_id)
        self.rows.put(
            {
                "tenant_id": name,
                "type": "cloudwatch",
                "log_distribution_role_arn": role_arn,
                "log_group_name": group,
                "target_region": region,
                **fields,
            }
        )
        return TenantSetup(name=name, account=account, role_arn=role_arn, group=group, region=region)

    def add_bucket(self, name: str, *, bucket: str, region: str = REGION, **fields: Any) -> None:
        """Enrol a tenant's bucket: its row, with *fields* on top, and a policy that lets the central role put."""
        self.copies.add_bucket(bucket, lets_in=CENTRAL_ROLE)
        self.rows.put({"tenant_id": name, "type": "s3", "bucket_name": bucket, "target_region": region, **fields})

    def upload(self, key: str, data: bytes, *, compress: bool = True, announce: bool = True) -> ObjectRef:
        """Store an object, gzipped as the collectors do, and put its notice on the queue."""
        stored = gzip.compress(data, mtime=0) if compress else data
        ref = self.bucket.put(BUCKET, key, stored)
        if announce:
            self.queue.send(notice(ref, sent_ms=self.clock.epoch_ms()))
        return ref


def notice(*refs: ObjectRef, sent_ms: int) -> str:
    """Return the SQS body by which SNS announces *refs* for S3."""
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventTime": iso8601(sent_ms),
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": ref.bucket},
                "object": {"key": quote_plus(ref.key, safe="/"), "size": ref.size_bytes}
                | ({"versionId": ref.version_id} if ref.version_id else {}),
            },
        }
        for ref in refs
    ]
    envelope = {"Type": "Notification", "MessageId": "0", "Message": json.dumps({"Records": records})}
    return json.dumps(envelope)


def iso8601(at_ms: int) -> str:
    """Return an epoch time as S3 and the collectors write it."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def ndjson(*messages: str, at_ms: int, step_ms: int = 1) -> bytes:
    """Return records as the collectors write them, one *step_ms* after the other."""
    lines = [
        json.dumps({"timestamp": iso8601(at_ms + n * step_ms), "message": message})
        for n, message in enumerate(messages)
    ]
    return "".join(line + "\n" for line in lines).encode()

"""What does the doctor ask of the world?

    doctoring/ ──► these Protocols, and those of ``ports`` ◄── aws/inspection.py, testing/surroundings.py

Nothing that is asked here changes anything: no message is received, nothing is written.
"""

from dataclasses import dataclass
from typing import Protocol

from logfanout.ports import Bucket, Ledger, Listing, ObjectRef, Queue, TenantRows, Tokens
from logfanout.tenants.file import FileRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who we are to AWS."""

    account: str
    arn: str


class Identity(Protocol):
    """STS, asked about ourselves.

    Errors: ``CredentialsExpired``, ``AccessRefused`` (a wrong secret), ``Throttled``, ``Unavailable``.
    """

    async def caller(self) -> Caller:
        """Return who we are; it needs no permission."""
        ...

    async def clock_ahead_seconds(self) -> float | None:
        """Return how far this machine's clock is ahead of AWS's, to the second; negative: behind; ``None``: not said.

        Also where AWS refuses our signature, which a wrong clock makes it do.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """What SQS says of a queue."""

    arn: str
    retention_seconds: int
    visibility_seconds: int  # its own, for who asks for none
    waiting: int  # these three are approximate
    in_flight: int
    delayed: int
    dead_letters_url: str = ""  # from its redrive policy; empty: it has none
    max_receive_count: int = 0  # likewise


class Inspection(Protocol):
    """How queues and tables are set up. Errors: ``AccessRefused``, ``Throttled``, ``Unavailable`` (also: not there)."""

    async def queue(self, url: str) -> QueueFacts:
        """Return what SQS says of the queue at *url*."""
        ...

    async def expiry_attribute(self, table: str) -> str:
        """Return by which attribute DynamoDB deletes items of *table*; empty: it deletes none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The settings that matter here, and the machine they meet; durations in seconds, sizes in bytes."""

    mode: str  # sqs, lambda, manual, scan
    region: str
    memory_bytes: int  # what the process goes by
    container_bytes: int  # what the container or the machine allows
    processes: int
    vcpus: int
    visibility_seconds: int
    drop_unknown_tenants: bool
    key_layout: str
    heartbeat_tenant: str
    queue_url: str = ""  # this and all below: empty, unset
    dlq_url: str = ""
    tenants_table: str = ""  # unset: there is a file
    central_role: str = ""
    ledger_table: str = ""
    ledger_completions: bool = False
    quarantine_uri: str = ""
    source_bucket: str = ""
    source_prefix: str = ""
    ecs_agent_uri: str = ""

    @property
    def has_queue(self) -> bool:
        """Whether notices come off a queue."""
        return self.mode in ("sqs", "lambda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is asked; ``None``: there is none, as things are set up."""

    identity: Identity
    inspection: Inspection
    tokens: Tokens
    rows: TenantRows
    bucket: Bucket
    listing: Listing | None = None
    queue: Queue | None = None
    ledger: Ledger | None = None
    file: FileRows | None = None


@dataclass(slots=True, kw_only=True)
class Case:
    """What is examined, and what has come out so far that later checks go by."""

    setup: Setup
    around: Surroundings
    sample: ObjectRef | None = None  # an object to look at
    cut_off: str = ""  # why no request to AWS can succeed; empty: nothing is known against it
    caller: Caller | None = None
    queue: QueueFacts | None = None
    tenants_answer: bool = False
    tenant: str = ""  # the one of *sample*'s key

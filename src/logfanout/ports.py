"""What does the pipeline ask of the world?

    pipeline/, tenants/ ──► these Protocols ◄── aws/ (the real ones), testing/ (the shipped fakes)

Values that cross a port live here too, since both sides must agree on them. No port knows botocore. Those made anew for
each object are ``msgspec.Struct``: to make one takes a tenth of the time of a frozen dataclass.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from logfanout.ledger.ranges import Ranges


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One SQS message as ReceiveMessage handed it out."""

    id: str
    receipt: str  # valid for this receive only
    body: str
    receive_count: int  # ApproximateReceiveCount, 1 at the first receive
    sent_ms: int  # epoch, anew when it comes back from a dead-letter queue; 0: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One entry of a batch call that SQS did not carry out."""

    receipt: str
    code: str
    lost: bool  # the receipt is no longer valid: trying again is of no use


class Queue(Protocol):
    """The queue of S3 notifications. Errors: ``Unavailable``, ``AccessRefused``."""

    async def receive(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Received]:
        """Return up to *most* (1 to 10) messages, after *wait_seconds* (0 to 20) possibly none."""
        ...

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        """Delete up to ten messages; return those SQS refused."""
        ...

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        """Make up to ten messages invisible for *seconds* from now (0: visible at once); return those refused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message nobody can deliver as it is, with what the one who looks at it needs to know."""

    body: str
    attributes: Mapping[str, str]  # ``logfanout.reason`` and the others of CONTRACT §6; none is empty


class DeadLetters(Protocol):
    """Where dead letters go. Errors: ``Unavailable``, ``AccessRefused``."""

    async def put(self, letter: DeadLetter) -> None:
        """Return once SQS has the letter."""
        ...


class ObjectRef(msgspec.Struct, frozen=True, kw_only=True):
    """One S3 object, named as GetObject wants it."""

    bucket: str
    key: str  # URL-decoded: S3 sends "a+b%2Fc" for "a b/c"
    size_bytes: int  # as stored, compressed; 0 where the notice does not say
    version_id: str = ""  # empty: the current version
    sequencer: str = ""  # tells one writing of a key from the next; empty where the notice does not say
    event_ms: int = 0  # when S3 says it happened, epoch; 0 where the notice does not say

    @property
    def uri(self) -> str:
        """The object's name in logs and errors."""
        return f"s3://{self.bucket}/{self.key}"


class ObjectBody(msgspec.Struct, frozen=True, kw_only=True):
    """An open object: its bytes are still on the wire."""

    last_modified_ms: int  # epoch
    chunks: AsyncIterator[bytes]  # as stored, in order, of any size; raises ``Unavailable`` if cut short
    close: Callable[[], None]  # lets go of it, read to its end or not


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What S3 says of an object without sending it; a header it does not have is empty."""

    size_bytes: int  # as stored
    etag: str
    content_type: str = ""
    content_encoding: str = ""


class Bucket(Protocol):
    """Log objects. Errors: ``ObjectGone``, ``ObjectRefused``, ``Unavailable``, ``AccessRefused``."""

    async def open(self, ref: ObjectRef) -> ObjectBody:
        """Open *ref* for one pass over its stored bytes; the caller closes it."""
        ...

    async def describe(self, ref: ObjectRef) -> ObjectFacts:
        """Return what S3 says of *ref*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One object as a listing names it: its current version."""

    key: str
    size_bytes: int  # as stored, compressed
    etag: str  # without its quotes
    last_modified_ms: int  # epoch, to the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a listing."""

    objects: Sequence[Listed]  # in the order of their keys' UTF-8
    token: str  # where the next page begins; empty: this is the last one


class Listing(Protocol):
    """What lies in buckets. Errors: ``Unavailable`` (a bucket that is not there too), ``AccessRefused``."""

    async def page(self, bucket: str, *, prefix: str, after: str = "", token: str = "", most: int = 1000) -> Page:
        """Return up to *most* (1 to 1,000) objects whose keys begin with *prefix*.

        The first page begins behind the key *after*, each other one at the *token* of the one before.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """One AWS session, good for any region of its partition until it expires."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires_ms: int  # epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One object as it is to lie in a tenant's bucket."""

    source: ObjectRef
    facts: ObjectFacts  # of the source: another writing of it is not copied
    bucket: str
    region: str  # where the bucket should lie; S3's word for where it does lie counts for more
    key: str
    metadata: Mapping[str, str] = field(default_factory=dict)  # takes the place of the source's
    owner: str = ""  # the account that must own the bucket, or S3 refuses; empty: whoever does

    @property
    def uri(self) -> str:
        """The copy's name in logs and errors."""
        return f"s3://{self.bucket}/{self.key}"


# The session to sign the next request with; ``None``: the task's own. A long copy outlives one session.
SessionOf = Callable[[], Awaitable[Credentials | None]]


class Copies(Protocol):
    """Server-side copies into tenants' buckets.

    Errors: ``ObjectGone``, ``ObjectRefused`` for the source; ``AccessRefused`` also for a bucket that is not there;
    ``DestinationUnusable`` for a key that cannot exist; ``Throttled``, ``Unavailable``, ``CredentialsExpired``.
    """

    async def copy(self, wanted: Copy, *, credentials: SessionOf) -> None:
        """Return once the copy lies there, the bucket's owner in full control of it."""
        ...


class Assumption(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """One AssumeRole call; equal ones are served by the same session."""

    role_arn: str
    session_name: str  # at most 64 of [\\w+=,.@-] (AssumeRole, "RoleSessionName")
    external_id: str = ""  # empty: not sent
    session_tags: tuple[tuple[str, str], ...] = ()


class Tokens(Protocol):
    """STS. Errors: ``AccessRefused``, ``Throttled``, ``Unavailable``, ``CredentialsExpired``.

    ``DestinationUnusable`` for a role or an external id that cannot exist.
    """

    async def assume(self, wanted: Assumption, *, using: Credentials | None) -> Credentials:
        """Return a new session of *wanted*, asked for with *using* (``None``: with the task's own credentials)."""
        ...


Row = Mapping[str, Any]  # one item as plain Python: str, int, float, bool, None, list, set, dict


class TenantRows(Protocol):
    """The table of tenants. Errors: ``Unavailable``, ``AccessRefused``."""

    async def of(self, tenant: str) -> Sequence[Row]:
        """Return every row of *tenant*, as stored and unchecked; none for an unknown one."""
        ...


class LogStream(msgspec.Struct, frozen=True):
    """Where events go: one stream in one tenant's account."""

    region: str
    group: str
    stream: str


class Event(msgspec.Struct, gc=False):
    """One entry of PutLogEvents' ``logEvents``; *message* is a JSON string token, quotes and escapes included."""

    timestamp: int  # epoch milliseconds
    message: msgspec.Raw


class LogEvents(msgspec.Struct, frozen=True):
    """Some events as PutLogEvents takes them.

    They are encoded as soon as they are put together, and wait for an answer in this form alone: the chunk they were
    cut from, four times as large, is then free for the next object, and still in the processor's cache.
    """

    text: bytes  # the request's ``logEvents``: a JSON array of ``Event``

    def __repr__(self) -> str:
        return f"<LogEvents of {len(self.text)} bytes>"

    @classmethod
    def of(cls, events: Sequence[Event]) -> "LogEvents":
        """Return *events*, encoded."""
        return cls(_encode_events(events))

    def decoded(self) -> list[Event]:
        """Return the events as they were."""
        return _decode_events(self.text)


_encode_events = msgspec.json.Encoder().encode
_decode_events = msgspec.json.Decoder(list[Event]).decode


class Rejections(msgspec.Struct, frozen=True):
    """What PutLogEvents named in ``rejectedLogEventsInfo``, as ranges of the batch's indices.

    Everything before *too_old_end* and *expired_end* and from *too_new_start* on was not stored (PutLogEvents,
    "RejectedLogEventsInfo": the ends are exclusive, the start is inclusive).
    """

    too_old_end: int = 0
    expired_end: int = 0
    too_new_start: int | None = None


class Logs(Protocol):
    """One tenant's CloudWatch Logs, reached with that tenant's *credentials*.

    Errors: ``StreamMissing``, ``BatchUnreadable``, ``AccessRefused``, ``Throttled``, ``CredentialsExpired``,
    ``Unavailable``; ``DestinationUnusable`` for a group or stream that cannot exist under its name.
    """

    async def put(self, to: LogStream, events: LogEvents, *, credentials: Credentials) -> Rejections:
        """Write *events*, which obey PutLogEvents' limits and are in time order; return what was not stored."""
        ...

    async def create_stream(self, to: LogStream, *, credentials: Credentials) -> None:
        """Make the stream; one that exists is fine. Raises ``StreamMissing`` if the group does not exist."""
        ...

    async def create_group(self, to: LogStream, *, retention_days: int | None, credentials: Credentials) -> None:
        """Make the group, with its retention if the tenant asks for one; one that exists is fine and stays as it is."""
        ...


class Quarantine(Protocol):
    """Where single records that can never be delivered are kept. Errors: ``Unavailable``, ``AccessRefused``."""

    async def put(self, name: str, body: bytes) -> str:
        """Keep *body* (NDJSON) under *name*, replacing what is there; return its URI."""
        ...

    def holds(self, ref: ObjectRef) -> bool:
        """Whether *ref* lies where quarantined records are kept: announced to us again, it is no log object."""
        ...


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one object."""

    finished: bool = False  # every destination has everything that can be delivered
    taken: Mapping[str, Ranges] = msgspec.field(default_factory=dict)  # by destination: the records it has taken


class Ledger(Protocol):
    """What has been delivered already. Errors: ``Unavailable``, ``AccessRefused``."""

    async def recall(self, object_id: str) -> Memory:
        """Return what is remembered of the object; an empty memory if nothing is."""
        ...

    async def remember(self, object_id: str, memory: Memory) -> None:
        """Add *memory* to what is remembered: nothing that was taken is forgotten before its time."""
        ...


class TaskProtection(Protocol):
    """ECS's promise not to scale this task in. Errors: ``Unavailable``, ``AccessRefused``."""

    async def protect(self, *, minutes: int) -> None:
        """Ask for protection for *minutes* (1 to 2,880) from now."""
        ...

    async def release(self) -> None:
        """Give the protection up."""
        ...


class Clock(Protocol):
    """The wall clock. Durations and waiting are the event loop's, which tests replace as a whole."""

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began, UTC."""
        ...

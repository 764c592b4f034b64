"""What do we report, and under which names?

    telemetry.<NounParticiple>(...).emit() ──► a log line, a metric, or both

The one vocabulary: elsewhere nobody counts or logs by hand. Names and labels of metrics are CONTRACT §8's. Nothing
here ever takes log content, a token or a key: fields are names, numbers, and what AWS said.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import structlog
from prometheus_client import Counter, Gauge, Histogram

log = structlog.stdlib.get_logger("logfanout")

_MESSAGES_RECEIVED = Counter("logfanout_messages_received_total", "SQS messages received")
_MESSAGES_SETTLED = Counter("logfanout_messages_settled_total", "SQS messages by what became of them", ["outcome"])
_EXTENSIONS = Counter("logfanout_visibility_extensions_total", "Leases extended", ["outcome"])
_OBJECTS = Counter("logfanout_objects_total", "Objects by how they ended", ["outcome"])
_OBJECT_BYTES = Counter("logfanout_object_bytes_total", "Bytes of objects read", ["stage"])
_EVENTS = Counter("logfanout_events_total", "Log events by what became of them", ["outcome", "tenant"])
_NOT_DELIVERED = Counter("logfanout_events_not_delivered_total", "Events CloudWatch has not", ["reason", "tenant"])
_PUTS = Counter("logfanout_put_log_events_total", "PutLogEvents calls", ["outcome"])
_COPIES = Counter("logfanout_object_copies_total", "Copies into tenants' buckets asked of S3", ["outcome", "tenant"])
_COPY_SECONDS = Histogram(
    "logfanout_object_copy_seconds",
    "One copy into a tenant's bucket",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
)
_DELIVERED_BYTES = Counter("logfanout_delivered_bytes_total", "Bytes CloudWatch and tenants' buckets took", ["tenant"])
_ASSUME_ROLE = Counter("logfanout_assume_role_total", "AssumeRole calls", ["hop", "outcome"])
_DEAD_LETTERS = Counter("logfanout_dead_letters_total", "Messages set aside", ["reason"])
_DUPLICATES = Counter("logfanout_duplicates_suppressed_total", "Notifications of objects already delivered")
_UNTIMED = Counter("logfanout_events_untimed_total", "Events given their object's LastModified as time", ["tenant"])
_EMPTY_NOTICES = Counter(
    "logfanout_notices_empty_total", "Messages that announce no object: S3's test events and others"
)
_UNBALANCED = Counter("logfanout_accounting_errors_total", "Objects whose events do not add up: a bug")
_RESTARTS = Counter("logfanout_process_restarts_total", "Worker processes that ended by themselves")
_ROUNDS = Counter("logfanout_scan_rounds_total", "Listings of the scanned place by how they ended", ["outcome"])
_LEDGER_FAILURES = Counter("logfanout_ledger_failures_total", "Calls to the ledger's table that failed", ["call"])

_HEARTBEATS = Counter("logfanout_heartbeats_total", "Collectors' heartbeats, an object each", ["cluster"])

_IN_FLIGHT = Gauge("logfanout_messages_in_flight", "Messages in hand", multiprocess_mode="livesum")
_BYTES_IN_FLIGHT = Gauge("logfanout_bytes_in_flight", "Bytes of events in hand", multiprocess_mode="livesum")
_OLDEST = Gauge("logfanout_oldest_in_flight_seconds", "Age of the oldest message in hand", multiprocess_mode="livemax")
_CREDENTIALS = Gauge("logfanout_credentials_cached", "Sessions at hand", multiprocess_mode="livesum")
_PROTECTED = Gauge("logfanout_task_protected", "Whether ECS keeps this task from scale-in", multiprocess_mode="livemax")
_HEARTBEAT_AT = Gauge(
    "logfanout_heartbeat_timestamp_seconds",
    "When S3 got the newest heartbeat of a cluster's collectors",
    ["cluster"],
    multiprocess_mode="max",
)

_LAG = Histogram(
    "logfanout_delivery_lag_seconds",
    "S3 event to last acknowledgement",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)
_OBJECT_SECONDS = Histogram(
    "logfanout_object_seconds",
    "One object, opened to accounted for",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
_PUT_SECONDS = Histogram(
    "logfanout_put_log_events_seconds",
    "One PutLogEvents",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
_INFLATED = Histogram(
    "logfanout_object_inflated_bytes", "Inflated size of objects", buckets=[4.0**n * 1024 for n in range(12)]
)


Labelled = TypeVar("Labelled", Counter, Gauge, Histogram)


class TenantLabels:
    """Which tenants have a label of their own: the first so many; the rest share ``other``."""

    def __init__(self, most: int = 500) -> None:
        self.most = most
        self._known: set[str] = set()

    def of(self, tenant: str) -> str:
        """Return the label of *tenant*, which must be a configured one: names from keys are hostile."""
        if tenant in self._known:
            return tenant
        if len(self._known) >= self.most:
            return "other"
        self._known.add(tenant)
        return tenant


tenant_labels = TenantLabels()
cluster_labels = TenantLabels()  # of heartbeats; whoever may write to the bucket names them
_newest_heartbeat_ms: dict[str, int] = {}  # by label; as many as there are labels


@lru_cache(maxsize=8192)
def _of(metric: Labelled, *labels: str) -> Labelled:
    """Return *metric* under its *labels*: prometheus_client takes a lock and a copy to find the same."""
    return metric.labels(*labels)


@dataclass(slots=True)
class Detail:
    """Whether anybody reads lines of DEBUG; to make those of one small object for nobody takes 0.1 ms."""

    wanted: bool = True


detail = Detail()


class WorkerStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The worker is about to receive."""

    version: str
    queue: str
    region: str
    slots: int
    receivers: int

    def emit(self) -> None:
        log.info("worker_started", **_fields(self))


class DrainStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A signal asked the worker to stop: nothing more is received."""

    signal: str
    messages: int
    seconds: float

    def emit(self) -> None:
        log.info("drain_started", **_fields(self))


class DrainFinished(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is in hand any more."""

    given_back: int
    seconds: float

    def emit(self) -> None:
        log.info("drain_finished", **_fields(self))


class FunctionOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A Lambda environment is ready; this happens once in its life."""

    seconds: float

    def emit(self) -> None:
        log.info("function_opened", **_fields(self))


class FunctionNotOpened(msgspec.Struct, frozen=True, kw_only=True):
    """AWS did not answer during a Lambda environment's init; the first invocation tries again."""

    error: str

    def emit(self) -> None:
        log.warning("function_not_opened", **_fields(self))


class InvocationFinished(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one Lambda invocation's messages: the one line to build metrics from."""

    request: str
    messages: int
    deleted: int
    dead_lettered: int
    failed: int  # reported to Lambda, which keeps them; the unfinished too
    unfinished: int  # the function's time ended before they were done
    seconds: float

    def emit(self) -> None:
        (log.warning if self.unfinished else log.info)("invocation_finished", **_fields(self))


class RecordUnreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a Lambda event has no body or no receipt; it is reported as failed."""

    message: str

    def emit(self) -> None:
        log.error("record_unreadable", **_fields(self))


class ScanStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The worker is about to list what lies in a bucket."""

    version: str
    place: str
    region: str
    slots: int
    interval_seconds: float
    since: str = ""

    def emit(self) -> None:
        log.info("scan_started", **_fields(self))


class RoundFinished(msgspec.Struct, frozen=True, kw_only=True):
    """A place has been listed to its end, and what was to be delivered of it has begun."""

    place: str
    listed: int
    begun: int
    waiting: int  # failed before; to be tried again in a later round
    seconds: float

    def emit(self) -> None:
        _ROUNDS.labels("finished").inc()
        (log.info if self.begun else log.debug)("round_finished", **_fields(self))


class RoundFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A place could not be listed to its end; the next round begins anew."""

    place: str
    error: str

    def emit(self) -> None:
        _ROUNDS.labels("failed").inc()
        log.warning("round_failed", **_fields(self))


class ProcessStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor started a worker process."""

    index: int
    pid: int

    def emit(self) -> None:
        log.info("process_started", **_fields(self))


class ProcessEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process ended by itself and is started again."""

    index: int
    exit_code: int
    restart_seconds: float
    error: str = ""  # why it could not even be started

    def emit(self) -> None:
        _RESTARTS.inc()
        log.error("process_ended", **_fields(self))


class ProcessKilled(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process had not stopped by the deadline; SQS shows its messages again."""

    index: int
    pid: int

    def emit(self) -> None:
        log.error("process_killed", **_fields(self))


class DrainCut(msgspec.Struct, frozen=True, kw_only=True):
    """The worker had not stopped by the deadline, or was told twice; SQS shows its messages again."""

    signal: str

    def emit(self) -> None:
        log.error("drain_cut", **_fields(self))


class WorkerCrashed(msgspec.Struct, frozen=True, kw_only=True):
    """Something nobody foresaw ends this process; emitted while the exception is handled."""

    error: str

    def emit(self) -> None:
        log.error("worker_crashed", exc_info=True, **_fields(self))  # noqa: LOG014  emitted where it is caught


class MessagesReceived(msgspec.Struct, frozen=True, kw_only=True):
    """One ReceiveMessage brought something."""

    count: int

    def emit(self) -> None:
        _MESSAGES_RECEIVED.inc(self.count)


class InHand(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker holds at this moment."""

    messages: int
    oldest_seconds: float
    bytes: int

    def emit(self) -> None:
        _IN_FLIGHT.set(self.messages)
        _OLDEST.set(self.oldest_seconds)
        _BYTES_IN_FLIGHT.set(self.bytes)


class QueueFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A call to SQS failed; it is tried again."""

    call: str
    error: str
    retry_seconds: float

    def emit(self) -> None:
        log.warning("queue_failed", **_fields(self))


class LeaseExtended(msgspec.Struct, frozen=True, kw_only=True):
    """Visibility was extended, or could not be: ``lost`` means that others see the message now."""

    outcome: str  # extended, refused, lost, capped
    count: int = 1

    def emit(self) -> None:
        _of(_EXTENSIONS, self.outcome).inc(self.count)


class MessageSettled(msgspec.Struct, frozen=True, kw_only=True):
    """A message left our hands."""

    outcome: str  # deleted, dead_lettered, kept, given_back, unfinished, lost
    message: str
    receive_count: int

    def emit(self) -> None:
        _of(_MESSAGES_SETTLED, self.outcome).inc()
        _debug("message_settled", self)


class NoticeEmpty(msgspec.Struct, frozen=True, kw_only=True):
    """A message announces no object: S3's test event, or an event that is no creation. It is acknowledged."""

    message: str

    def emit(self) -> None:
        _EMPTY_NOTICES.inc()
        log.info("notice_empty", **_fields(self))


class MessageFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A message could not be delivered as a whole; *verdict* says what becomes of it."""

    verdict: str
    reason: str
    error: str
    message: str
    object: str
    tenant: str
    receive_count: int

    def emit(self) -> None:
        log.warning("message_failed", **_fields(self))


class MessageCrashed(msgspec.Struct, frozen=True, kw_only=True):
    """Something nobody foresaw: a bug of ours. The message is kept."""

    message: str
    object: str

    def emit(self) -> None:
        log.error("message_crashed", exc_info=True, **_fields(self))  # noqa: LOG014  emitted where it is caught


class DeadLettered(msgspec.Struct, frozen=True, kw_only=True):
    """A message was set aside with its reason."""

    reason: str
    message: str
    object: str

    def emit(self) -> None:
        _of(_DEAD_LETTERS, self.reason).inc()
        log.warning("message_dead_lettered", **_fields(self))


class ObjectFinished(msgspec.Struct, frozen=True, kw_only=True):
    """One object is done with, well or not."""

    outcome: str  # delivered, filtered, disabled, unsubscribed, failed, set_aside
    object: str
    tenant: str
    compressed_bytes: int
    inflated_bytes: int
    seconds: float

    def emit(self) -> None:
        _of(_OBJECTS, self.outcome).inc()
        _of(_OBJECT_BYTES, "compressed").inc(self.compressed_bytes)
        _of(_OBJECT_BYTES, "inflated").inc(self.inflated_bytes)
        _OBJECT_SECONDS.observe(self.seconds)
        if self.inflated_bytes:
            _INFLATED.observe(self.inflated_bytes)
        _debug("object_finished", self)


class ObjectDelivered(msgspec.Struct, frozen=True, kw_only=True):
    """Every event of an object is accounted for, *lag_seconds* after S3 announced it."""

    lag_seconds: float

    def emit(self) -> None:
        _LAG.observe(max(self.lag_seconds, 0.0))


class DuplicateSuppressed(msgspec.Struct, frozen=True, kw_only=True):
    """An object was announced again that is delivered already."""

    object: str
    tenant: str

    def emit(self) -> None:
        _DUPLICATES.inc()
        log.info("duplicate_suppressed", **_fields(self))


class EventsCounted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events of a configured tenant."""

    tenant: str
    outcome: str  # delivered, rejected, skipped, filtered, quarantined
    count: int

    def emit(self) -> None:
        _of(_EVENTS, self.outcome, tenant_labels.of(self.tenant)).inc(self.count)


class EventsUntimed(msgspec.Struct, frozen=True, kw_only=True):
    """Some events had no readable time of their own, and were given their object's LastModified."""

    tenant: str
    count: int
    object: str

    def emit(self) -> None:
        _of(_UNTIMED, tenant_labels.of(self.tenant)).inc(self.count)
        _debug("events_untimed", self)


class EventsNotDelivered(msgspec.Struct, frozen=True, kw_only=True):
    """Some events of an object can never be delivered; the others were."""

    tenant: str
    reason: str
    count: int
    object: str

    def emit(self) -> None:
        _of(_NOT_DELIVERED, self.reason, tenant_labels.of(self.tenant)).inc(self.count)
        log.warning("events_not_delivered", **_fields(self))


class AccountingBroke(msgspec.Struct, frozen=True, kw_only=True):
    """The events of an object do not add up: a bug of ours. The message is kept."""

    object: str
    tenant: str
    tally: str

    def emit(self) -> None:
        _UNBALANCED.inc()
        log.error("accounting_broke", **_fields(self))


class BatchPut(msgspec.Struct, frozen=True, kw_only=True):
    """One PutLogEvents was answered."""

    outcome: str  # accepted, or the reason it was not
    tenant: str
    events: int
    size_bytes: int
    seconds: float

    def emit(self) -> None:
        _of(_PUTS, self.outcome).inc()
        _PUT_SECONDS.observe(self.seconds)
        if self.outcome == "accepted":
            _of(_DELIVERED_BYTES, tenant_labels.of(self.tenant)).inc(self.size_bytes)


class ObjectCopied(msgspec.Struct, frozen=True, kw_only=True):
    """A copy into a tenant's bucket has ended."""

    outcome: str  # accepted, the reason it was not, or "unanswered"
    tenant: str
    object: str
    to: str
    size_bytes: int  # as stored
    seconds: float

    def emit(self) -> None:
        tenant = tenant_labels.of(self.tenant)
        _of(_COPIES, self.outcome, tenant).inc()
        _COPY_SECONDS.observe(self.seconds)
        if self.outcome == "accepted":
            _of(_DELIVERED_BYTES, tenant).inc(self.size_bytes)
        _debug("object_copied", self)


class StreamMade(msgspec.Struct, frozen=True, kw_only=True):
    """A put found its group or stream missing, and it was made."""

    tenant: str
    region: str
    group: str
    stream: str
    with_group: bool

    def emit(self) -> None:
        log.info("stream_made", **_fields(self))


class RoleAssumed(msgspec.Struct, frozen=True, kw_only=True):
    """One AssumeRole was answered."""

    hop: str  # central, tenant
    outcome: str  # assumed, or the reason it was not
    role: str
    error: str = ""

    def emit(self) -> None:
        _of(_ASSUME_ROLE, self.hop, self.outcome).inc()
        (log.warning if self.error else log.debug)(
            "role_assumed" if not self.error else "role_refused", **_fields(self)
        )


class CredentialsCached(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions are at hand."""

    count: int

    def emit(self) -> None:
        _CREDENTIALS.set(self.count)


class HeartbeatReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A node's collector has written a heartbeat, and it came through; an older one moves nothing back."""

    cluster: str
    node: str
    at_ms: int  # when S3 got it, epoch
    object: str

    def emit(self) -> None:
        label = cluster_labels.of(self.cluster)
        newest = _newest_heartbeat_ms[label] = max(self.at_ms, _newest_heartbeat_ms.get(label, 0))
        _HEARTBEATS.labels(label).inc()
        _HEARTBEAT_AT.labels(label).set(newest / 1000)
        log.debug("heartbeat_received", **_fields(self))


class TenantsStale(msgspec.Struct, frozen=True, kw_only=True):
    """The table of tenants does not answer; the last good copy serves."""

    tenant: str
    age_seconds: float
    error: str

    def emit(self) -> None:
        log.warning("tenants_stale", **_fields(self))


class RowRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's row cannot be followed; its other rows can."""

    tenant: str
    why: str

    def emit(self) -> None:
        log.warning("tenant_row_refused", **_fields(self))


class LedgerFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet's ledger does not answer; what it would have told may be delivered twice."""

    call: str  # recall, remember
    error: str

    def emit(self) -> None:
        _of(_LEDGER_FAILURES, self.call).inc()
        log.warning("ledger_failed", **_fields(self))


class TaskProtected(msgspec.Struct, frozen=True, kw_only=True):
    """Whether ECS keeps this task from scale-in: it changed, or a call that was to change it failed."""

    protected: bool
    error: str = ""

    def emit(self) -> None:
        _PROTECTED.set(self.protected)
        (log.warning if self.error else log.info)(
            "task_protection_failed" if self.error else "task_protected", **_fields(self)
        )


_BREAKERS_OPEN = Gauge(
    "logfanout_tenant_breaker_open", "Destinations that refuse us", ["tenant"], multiprocess_mode="livesum"
)
_ACCOUNTS_SLOWED = Gauge("logfanout_accounts_slowed", "Accounts that throttled of late", multiprocess_mode="livesum")
_RECEIVE_PAUSES = Counter("logfanout_receive_pauses_total", "Times the bytes in hand stopped receiving")


class BreakerOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A destination refused us: its messages wait until somebody on its side changes something."""

    tenant: str
    destination: str
    error: str
    probe_seconds: float  # until the first probe

    def emit(self) -> None:
        _of(_BREAKERS_OPEN, tenant_labels.of(self.tenant)).inc()
        log.warning("breaker_opened", **_fields(self))


class BreakerHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A probe was refused as well."""

    tenant: str
    destination: str
    error: str
    probe_seconds: float  # until the next probe
    open_seconds: float

    def emit(self) -> None:
        log.info("breaker_held", **_fields(self))


class BreakerClosed(msgspec.Struct, frozen=True, kw_only=True):
    """A destination is tried like any other again; each follows a ``BreakerOpened``."""

    tenant: str
    destination: str
    why: str  # accepted; replaced (the tenant's rows changed); forgotten (nothing is sent there any more)
    open_seconds: float

    def emit(self) -> None:
        _of(_BREAKERS_OPEN, tenant_labels.of(self.tenant)).dec()
        log.info("breaker_closed", **_fields(self))


class AccountSlowed(msgspec.Struct, frozen=True, kw_only=True):
    """An account throttled us and is sent fewer requests at a time."""

    account: str
    limit: int  # requests under way at once, from now on
    newly: bool  # until now it had the full number

    def emit(self) -> None:
        if self.newly:
            _ACCOUNTS_SLOWED.inc()
        log.info("account_slowed", **_fields(self))


class AccountRecovered(msgspec.Struct, frozen=True, kw_only=True):
    """An account has the full number of requests again, or nobody has asked for it for long."""

    account: str

    def emit(self) -> None:
        _ACCOUNTS_SLOWED.dec()
        log.info("account_recovered", **_fields(self))


class ReceivingPaused(msgspec.Struct, frozen=True, kw_only=True):
    """As many bytes are in hand as memory allows: nothing is received until some have left."""

    bytes: int
    budget_bytes: int

    def emit(self) -> None:
        _RECEIVE_PAUSES.inc()
        _debug("receiving_paused", self)


def _debug(name: str, event: Any) -> None:
    if detail.wanted:
        log.debug(name, **_fields(event))


def _fields(event: Any) -> dict[str, Any]:
    """Return the fields that say something: an empty text does not."""
    return {name: value for name in event.__struct_fields__ if (value := getattr(event, name)) != ""}

"""What can go wrong, and what does each mean for the message?

    a fact about the world ──► LogfanoutError.verdict ──► max over a message ──► its fate

An error is named for the fact and carries its verdict and the reason the contract names (§6). Its text is
for the reader at 3 a.m.: which object, which tenant, what AWS said. It never holds log content or a secret.
"""

from enum import IntEnum
from typing import ClassVar


class Verdict(IntEnum):
    """What becomes of a message; the worst of its deliveries decides."""

    DELETE = 0  # every event is accounted for
    SET_ASIDE = 1  # something can never be delivered as it is: a dead letter, with its reason
    KEEP = 2  # something may be delivered later: SQS will show it again


class LogfanoutError(Exception):
    """Something that is expected to happen now and then, and says what to do with the message."""

    verdict: ClassVar[Verdict] = Verdict.KEEP
    reason: ClassVar[str] = "undeliverable"  # one of the contract's reasons, CONTRACT §6


class Permanent(LogfanoutError):
    """No later attempt can succeed while the input is what it is."""

    verdict = Verdict.SET_ASIDE


class NoticeUnreadable(Permanent):
    """The SQS body is not an S3 event in any envelope we know."""

    reason = "bad_message"


class KeyUnreadable(Permanent):
    """The object's key is not of the layout the operator configured."""

    reason = "bad_key"


class TenantUnknown(Permanent):
    """No usable row names the tenant in the object's key."""

    reason = "unknown_tenant"


class DestinationUnusable(Permanent):
    """A tenant's row is there but cannot be followed: a field is missing, malformed or not supported."""


class ObjectGone(Permanent):
    """The S3 object was deleted before it was read."""

    reason = "object_gone"


class ObjectCorrupt(Permanent):
    """The object ends early, fails its checksum, or is no sequence of JSON records."""

    reason = "object_corrupt"


class ObjectRefused(Permanent):
    """The object is larger than what we agreed to inflate, or holds a record larger than what we agreed to hold."""

    reason = "object_refused"


class Unavailable(LogfanoutError):
    """AWS did not answer, or answered "later": timeouts, resets, 5xx. Worth another try."""


class Throttled(Unavailable):
    """AWS asked for fewer requests."""


class CredentialsExpired(Unavailable):
    """The session token ended while it was in use; a new one continues where this one stopped."""


class AccessRefused(LogfanoutError):
    """A role, a group or a key's policy said no. Its owner can change that, so the message is kept."""

    reason = "access_denied"


class DestinationParked(AccessRefused):
    """The destination refused lately, and its breaker is open: the message waits without costing anything."""

    def __init__(self, text: str, *, retry_after_seconds: float) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class StreamMissing(LogfanoutError):
    """The log group or the log stream a put names does not exist (any more)."""


class BatchUnreadable(LogfanoutError):
    """CloudWatch could not read a batch as a whole; some event in it is the cause."""


class LeaseLost(LogfanoutError):
    """The message is visible to others again: whatever is done with its receipt now is refused."""


class AccountingBroken(LogfanoutError):
    """What was read of an object and what became of it do not add up. A bug of ours, never the input's."""

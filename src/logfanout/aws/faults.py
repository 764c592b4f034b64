"""What does AWS's error code mean to us?

    status, code, message ──► table of the call, else the common ones ──► one of our errors

A code in no table passes unchanged: it says that a request of ours was wrong, and that is a bug. Texts name what
was asked and AWS's words, never a secret, a header or log content, which AWS likes to quote.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own, of which its endpoint and proxy faults are kinds
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    LogfanoutError,
    Throttled,
    Unavailable,
)

Table = Mapping[str, type[LogfanoutError]]

# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and each service's own page
COMMON: Table = {
    # botocore's own list for its "standard" retries, and what SQS and S3 add.
    "BandwidthLimitExceeded": Throttled,
    "EC2ThrottledException": Throttled,
    "KMS.ThrottlingException": Throttled,
    "KmsThrottled": Throttled,
    "OverLimit": Throttled,
    "PriorRequestNotComplete": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "RequestLimitExceeded": Throttled,
    "RequestThrottled": Throttled,
    "RequestThrottledException": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "ThrottledException": Throttled,
    "TooManyRequestsException": Throttled,
    "TransactionInProgressException": Throttled,
    # The last three: one side's clock is off, or the request waited too long; signed anew it may pass.
    "InternalError": Unavailable,
    "InternalFailure": Unavailable,
    "InternalServerError": Unavailable,
    "OperationAborted": Unavailable,
    "OperationAbortedException": Unavailable,
    "RequestTimeout": Unavailable,
    "RequestTimeoutException": Unavailable,
    "ServiceUnavailable": Unavailable,
    "ServiceUnavailableException": Unavailable,
    "RequestExpired": Unavailable,
    "RequestInTheFuture": Unavailable,
    "RequestTimeTooSkewed": Unavailable,
    # A session that ended, was revoked, or that this region has not heard of yet.
    "ExpiredToken": CredentialsExpired,
    "ExpiredTokenException": CredentialsExpired,
    "InvalidAccessKeyId": CredentialsExpired,
    "InvalidClientTokenId": CredentialsExpired,
    "InvalidToken": CredentialsExpired,
    "TokenRefreshRequired": CredentialsExpired,
    "UnrecognizedClientException": CredentialsExpired,
    "AccessDenied": AccessRefused,
    "AccessDeniedException": AccessRefused,
    "AccountProblem": AccessRefused,
    "AllAccessDisabled": AccessRefused,
    "AuthFailure": AccessRefused,
    "AuthorizationError": AccessRefused,
    "InvalidSecurity": AccessRefused,
    "NotAuthorized": AccessRefused,
    "NotSignedUp": AccessRefused,
    "OptInRequired": AccessRefused,
    "UnauthorizedAccess": AccessRefused,
    "UnauthorizedOperation": AccessRefused,
}

# AWS quotes the whole request in these: log content in the first, the Authorization header in the second.
UNQUOTABLE = frozenset({"SerializationException", "IncompleteSignature", "IncompleteSignatureException"})
MOST_QUOTED = 300  # characters of AWS's message: enough for "User: arn:... is not authorized to perform: ..."

# Nobody answered, or not in words of AWS's; the credentials' own sources among them.
TRANSPORT = (
    HTTPClientError,
    ConnectionError,
    ResponseParserError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    TokenRetrievalError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
)

# What a service that did not name a code means by its status alone.
STATUSES: Mapping[int, type[LogfanoutError]] = {
    401: AccessRefused,
    403: AccessRefused,
    408: Unavailable,
    429: Throttled,
}


class RequestWrong(Exception):
    """AWS refuses a request for a reason in none of our tables: a bug of ours, or AWS has a new code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An answer that says no."""

    status: int
    code: str  # empty where the answer has none: proxies, load balancers, HEAD
    message: str
    request_id: str

    def __str__(self) -> str:
        named = f" (request {self.request_id})" if self.request_id else ""
        said = quotable(self.code, self.message)
        return f"{self.code or f'HTTP {self.status}'}{': ' if said else ''}{said}{named}"


def error_of(refused: Refused, table: Table, asked: str) -> Exception:
    """Return what to raise for *refused*; *asked* says what was asked for, as ``GetObject s3://…``."""
    kind = kind_of(refused, table)
    return (kind or RequestWrong)(f"{asked}: {refused}")


def kind_of(refused: Refused, table: Table) -> type[LogfanoutError] | None:
    """Return which of our errors *refused* is; ``None`` if no table knows it."""
    code = refused.code.rpartition(".")[2] if refused.code.startswith("AWS.") else refused.code
    if found := table.get(code) or COMMON.get(code) or table.get(str(refused.status)):
        return found
    if code[:3].lower() == "kms":
        return AccessRefused  # the key's owner disabled it, deleted it or does not let us use it
    if code in ("InvalidSignatureException", "SignatureDoesNotMatch") and "ignature" in refused.message:
        return _of_signature(refused.message)
    if refused.status >= 500:
        return Unavailable
    return None if code else STATUSES.get(refused.status)


def quotable(code: str, message: str) -> str:
    """Return what of AWS's *message* may be shown: its first line, without the values it quotes."""
    if code in UNQUOTABLE:
        return ""
    # A broken constraint is told as: Value '…' at 'logEvents' failed to satisfy constraint: …
    without_values = re.sub(r"Value '.*' at '", "Value at '", message, flags=re.DOTALL)
    first_line = without_values.strip().partition("\n")[0].strip()
    return first_line if len(first_line) <= MOST_QUOTED else first_line[:MOST_QUOTED] + "…"


class as_ours:  # noqa: N801  reads as what it does: with as_ours(...)
    """Turn what the SDK and aiohttp raise inside the block into our errors.

    *asked* says what was asked for, as for ``error_of``; it is only made a text of when something is raised.
    """

    __slots__ = ("_asked", "_table")

    def __init__(self, table: Table, asked: object) -> None:
        self._table = table
        self._asked = asked

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ClientError):
            refused = _of_client_error(error)
            if (ours := kind_of(refused, self._table)) is not None:
                raise ours(f"{self._asked}: {refused}") from None
        elif isinstance(error, TRANSPORT):
            raise Unavailable(f"{self._asked}: {type(error).__name__}: {_first_line(error)}") from error


def told(error: Exception) -> str:
    """Return what may be shown of an *error* that is in no table."""
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {_of_client_error(error)}"
    return f"{type(error).__name__}: {_first_line(error)}"


def _of_client_error(error: ClientError) -> Refused:
    """Read what aiobotocore parsed."""
    meta = error.response.get("ResponseMetadata", {})
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    return Refused(
        status=int(meta.get("HTTPStatusCode", 0)),
        code="" if code.isdigit() else code,  # botocore puts the status there when the body names no code
        message=str(said.get("Message", "")),
        request_id=str(meta.get("RequestId", "")),
    )


def _of_signature(message: str) -> type[LogfanoutError]:
    """A signature may be late, which the next one is not, or wrong, which the key's owner must see to."""
    late = "expired" in message or "not yet current" in message
    return Unavailable if late else AccessRefused


def _first_line(error: Exception) -> str:
    """Return what *error* says, but for the password of a proxy: aiohttp quotes the URL that it was given in."""
    return re.sub(r"//[^/\s]*@", "//", str(error).partition("\n")[0])[:MOST_QUOTED]

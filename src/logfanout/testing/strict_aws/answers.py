"""How does AWS word an answer?

    Call + Refusal ──► refused ──► Answer: the status, headers and error document of that service

Pure. Every protocol has its own error document; the codes for the same misfortune differ by service, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from uuid import uuid4
from xml.sax.saxutils import escape

import msgspec

from logfanout.testing.strict_aws.calls import Call

JSON_1_1 = "application/x-amz-json-1.1"
_JSON_TYPES = {"logs": JSON_1_1, "dynamodb": "application/x-amz-json-1.0", "sqs": "application/x-amz-json-1.0"}
_NAMESPACES = {"dynamodb": "com.amazonaws.dynamodb.v20120810#", "sqs": "com.amazonaws.sqs#"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer; HTTP's own headers are added by the server."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class Refused(Exception):
    """AWS says no to a call, in *code*'s name."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Misfortune(Enum):
    """What can befall any call, whatever service it is for."""

    THROTTLED = "throttled"
    FAILING = "failing"
    UNAVAILABLE = "unavailable"
    EXPIRED = "expired"
    DENIED = "denied"


# By misfortune: what a service of its own words says, then ("") what all others say.
_WORDS: Mapping[Misfortune, Mapping[str, tuple[int, str, str]]] = {
    Misfortune.THROTTLED: {
        "": (400, "ThrottlingException", "Rate exceeded"),
        "s3": (503, "SlowDown", "Please reduce your request rate."),
        "sts": (400, "Throttling", "Rate exceeded"),
        "sqs": (403, "RequestThrottled", "Request throttled."),
        "dynamodb": (400, "ProvisionedThroughputExceededException", "The level of configured throughput was exceeded."),
    },
    Misfortune.FAILING: {
        "": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
        "s3": (500, "InternalError", "We encountered an internal error. Please try again."),
        "dynamodb": (500, "InternalServerError", "Internal server error"),
    },
    Misfortune.UNAVAILABLE: {
        "": (503, "ServiceUnavailableException", "The service cannot complete the request."),
        "s3": (503, "ServiceUnavailable", "Please reduce your request rate."),
        "sts": (503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
        "sqs": (503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
    },
    Misfortune.EXPIRED: {
        "": (400, "ExpiredTokenException", "The security token included in the request is expired"),
        "s3": (400, "ExpiredToken", "The provided token has expired."),
        "sts": (403, "ExpiredToken", "The security token included in the request is expired"),
    },
    Misfortune.DENIED: {
        "": (400, "AccessDeniedException", "User is not authorized to perform this action"),
        "s3": (403, "AccessDenied", "Access Denied"),
        "sts": (403, "AccessDenied", "User is not authorized to perform: sts:AssumeRole"),
        "sqs": (403, "AccessDeniedException", "Access to the resource is denied."),
    },
}


def befallen(call: Call, misfortune: Misfortune) -> Answer:
    """Return how *call*'s service words *misfortune*."""
    words = _WORDS[misfortune]
    status, code, message = words.get(call.service) or words[""]
    return refused(call, Refused(code, message, status=status))


def refused(call: Call, why: Refused) -> Answer:
    """Return *why* as *call*'s protocol writes errors."""
    request_id = str(uuid4())
    if call.service in _JSON_TYPES:
        named = {"__type": _NAMESPACES.get(call.service, "") + why.code, "message": why.message}
        headers = {"Content-Type": _JSON_TYPES[call.service], "x-amzn-RequestId": request_id}
        return Answer(status=why.status, headers=headers, body=msgspec.json.encode(named))
    code, message = escape(why.code), escape(why.message)
    document = (
        f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
        if call.service == "s3"
        else f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Answer(
        status=why.status,
        headers={"Content-Type": "application/xml", "x-amz-request-id": request_id},
        body=f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode(),
    )


def json(document: object) -> Answer:
    """Return *document* as a JSON 1.1 service answers."""
    return Answer(
        headers={"Content-Type": JSON_1_1, "x-amzn-RequestId": str(uuid4())}, body=msgspec.json.encode(document)
    )

"""Does each of AWS's codes mean what we say, and does our text keep its secrets?"""

import asyncio

import aiohttp
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from logfanout.aws.faults import MOST_QUOTED, Refused, RequestWrong, as_ours, error_of, quotable
from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    LogfanoutError,
    ObjectGone,
    Throttled,
    Unavailable,
)


def refused(code: str, *, status: int = 400, message: str = "m") -> Refused:
    return Refused(status=status, code=code, message=message, request_id="r-1")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 400, Throttled),
        ("SlowDown", 503, Throttled),
        ("KMS.ThrottlingException", 400, Throttled),
        ("KmsThrottled", 400, Throttled),
        ("", 429, Throttled),
        ("InternalError", 500, Unavailable),
        ("SomethingNew", 503, Unavailable),
        ("", 502, Unavailable),
        ("RequestTimeout", 400, Unavailable),
        ("RequestTimeTooSkewed", 403, Unavailable),
        ("ExpiredToken", 400, CredentialsExpired),
        ("ExpiredTokenException", 400, CredentialsExpired),
        ("UnrecognizedClientException", 400, CredentialsExpired),
        ("InvalidClientTokenId", 403, CredentialsExpired),
        ("AccessDenied", 403, AccessRefused),
        ("AccessDeniedException", 400, AccessRefused),
        ("KMS.DisabledException", 400, AccessRefused),
        ("KMSInvalidStateException", 400, AccessRefused),
        ("KmsAccessDenied", 400, AccessRefused),
        ("", 403, AccessRefused),
        ("NoSuchKey", 404, ObjectGone),
        ("AWS.SimpleQueueService.NoSuchKey", 404, ObjectGone),
        ("", 410, ObjectGone),
        ("ValidationException", 400, RequestWrong),
        ("", 400, RequestWrong),
    ],
)
def test_a_code_is_a_fact(code: str, status: int, expected: type[Exception]) -> None:
    """The call's own table first, then what all of AWS says alike, then the status; the rest is a bug."""
    table: dict[str, type[LogfanoutError]] = {"NoSuchKey": ObjectGone, "410": ObjectGone}
    assert type(error_of(refused(code, status=status), table, "GetObject s3://b/k")) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Signature expired: 20260302T120000Z is now earlier than 20260302T121000Z", Unavailable),
        ("Signature not yet current: 20260302T120000Z is still later than ...", Unavailable),
        ("The request signature we calculated does not match the signature you provided", AccessRefused),
    ],
)
def test_a_late_signature_is_not_a_wrong_one(message: str, expected: type[Exception]) -> None:
    """The first passes when signed anew; the second is a wrong secret."""
    assert type(error_of(refused("InvalidSignatureException", message=message), {}, "x")) is expected


def test_the_text_says_what_was_asked_and_what_aws_said() -> None:
    """For the reader at 3 a.m."""
    error = error_of(refused("AccessDenied", message="User: u is not authorized"), {}, "GetObject s3://b/k")
    assert str(error) == "GetObject s3://b/k: AccessDenied: User: u is not authorized (request r-1)"


def test_log_content_and_headers_are_not_quoted() -> None:
    """AWS likes to quote the request it refuses."""
    constraint = "1 validation error detected: Value '[e(message=se'cret)]' at 'logEvents' failed: too long"
    assert quotable("InvalidParameterException", constraint) == (
        "1 validation error detected: Value at 'logEvents' failed: too long"
    )
    assert quotable("SerializationException", "unexpected token 'secret'") == ""
    canonical = "does not match.\n\nThe Canonical String was\nx-amz-security-token:secret"
    assert quotable("InvalidSignatureException", canonical) == "does not match."
    assert len(quotable("X", "y" * 1000)) == MOST_QUOTED + 1


@pytest.mark.parametrize(
    "raised",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut"),
        TimeoutError(),
        ConnectionResetError(104, "reset"),
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        NoCredentialsError(),
    ],
)
def test_a_silent_aws_is_unavailable(raised: Exception) -> None:
    """Whatever library noticed it."""
    with pytest.raises(Unavailable, match="ReceiveMessage q: "), as_ours({}, "ReceiveMessage q"):
        raise raised


async def test_a_proxys_password_is_not_quoted() -> None:
    """aiohttp names a proxy that turns us away by the URL it was given, password and all."""

    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(turn_away, "127.0.0.1") as proxy, aiohttp.ClientSession() as session:
        port = proxy.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="407") as caught, as_ours({}, "PutLogEvents"):
            await session.get("https://logs.invalid/", proxy=f"http://us:s3cr@t@127.0.0.1:{port}")
    assert "s3cr" not in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)


def test_bugs_pass_unchanged() -> None:
    """A code we do not know, a parameter the SDK will not send, an error of Python's."""
    unknown = ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "Query")
    for bug in (unknown, ParamValidationError(report="no"), KeyError("x")):
        with pytest.raises(type(bug)) as caught, as_ours({}, "Query t"):
            raise bug
        assert caught.value is bug


def test_an_sdk_error_is_read_by_its_code() -> None:
    """Botocore puts the status where the code should be when there is none."""
    response = {
        "Error": {"Code": "503", "Message": "Service Unavailable"},
        "ResponseMetadata": {"HTTPStatusCode": 503, "RequestId": "r-2"},
    }
    with pytest.raises(Unavailable, match=r"HTTP 503: Service Unavailable \(request r-2\)"), as_ours({}, "Query t"):
        raise ClientError(response, "Query")

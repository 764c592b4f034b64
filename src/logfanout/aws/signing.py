"""Which headers make AWS believe that a request is ours?

    method, host, path, query, headers, body's hash + credentials + the time ──► signed ──► headers to send

Signature Version 4, header form. Pure: the time is an argument. Written here and not taken from botocore because
two calls of the hot path need it a thousand times a second; botocore's own is the oracle of the tests.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

import msgspec

from logfanout.ports import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = sha256(b"").hexdigest()  # "x-amz-content-sha256" of a request with no body

# One key for each (secret, day, region, service). A session lives one hour, so this many tenants with a key each are
# active at once before any key is derived twice in an hour; an entry is some 700 bytes.
KEYS_REMEMBERED = 16_384


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a signature is good."""

    region: str
    service: str


class Unsigned(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it will go on the wire, but for its signature."""

    method: str
    host: str  # with the port where it is not the scheme's own
    path: str  # canonical: for S3 exactly as sent
    query: str = ""  # canonical: names and values encoded by ``encoded``, sorted by name
    headers: Mapping[str, str]  # lower-case names, trimmed values, without host and x-amz-*; all are signed
    body_hash: str  # hex SHA-256


def signed(request: Unsigned, *, by: Credentials, scope: Scope, at_seconds: float) -> dict[str, str]:
    """Return *request*'s headers and those that sign it, all to be sent; *at_seconds* is epoch time.

    A key without a session has an empty token.
    """
    timestamp = _timestamp(int(at_seconds))
    headers = {**request.headers, "host": request.host}
    headers["x-amz-content-sha256"] = request.body_hash
    headers["x-amz-date"] = timestamp
    if by.token:
        headers["x-amz-security-token"] = by.token
    names = sorted(headers)
    signed_names = ";".join(names)
    lines = "\n".join([f"{name}:{headers[name]}" for name in names])
    canonical = f"{request.method}\n{request.path}\n{request.query}\n{lines}\n\n{signed_names}\n{request.body_hash}"
    day = timestamp[:8]
    credential_scope = f"{day}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{ALGORITHM}\n{timestamp}\n{credential_scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(by.secret_key, day, scope.region, scope.service)
    headers["authorization"] = (
        f"{ALGORITHM} Credential={by.access_key}/{credential_scope}, "
        f"SignedHeaders={signed_names}, Signature={key.of(to_sign.encode())}"
    )
    return headers


class _Hmac:
    """HMAC-SHA256 under one key: two hashes that have read the key already (RFC 2104, 4).

    ``hmac.digest`` looks the algorithm up and reads the key each time, which takes longer than what it signs.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def of(self, text: bytes) -> str:
        """Return the code of *text*, in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


@lru_cache(maxsize=64)  # a key is looked at, signed and sent
def encoded(text: str) -> str:
    """Return *text* percent-encoded as S3 wants a key in a path: all but unreserved characters and slashes.

    Raises:
        UnicodeEncodeError: *text* holds half a surrogate pair, which no key can.
    """
    return quote(text, safe="/~")


def encoded_value(text: str) -> str:
    """Return *text* percent-encoded as a name or value of a query: all but unreserved characters."""
    return quote(text, safe="~")


@lru_cache(maxsize=4)
def _timestamp(at_seconds: int) -> str:
    """An epoch time as SigV4 writes it; thousands of requests share one second."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at_seconds))


@lru_cache(maxsize=KEYS_REMEMBERED)
def _signing_key(secret: str, day: str, region: str, service: str) -> _Hmac:
    """Return what signs by the key derived for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return _Hmac(key)

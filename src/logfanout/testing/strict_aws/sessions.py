"""Whose access key is this, does its session still last, and did its owner sign the request?

    AssumeRole's answer, passing by ──► learn ──► Session
    Authorization + headers + body  ──► caller ──► Session, or why not

Signatures are checked the long way, by AWS's description and not with ``aws/signing``, which is among what this tests.
A key of twelve digits is the root of that account, whose signature nobody checks: the embedded AWS's rule.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
import time
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote, urlsplit

from logfanout.testing.strict_aws.answers import Refused

_ELEMENT = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration|Arn)>([^<]*)</\1>")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
_ROOT = re.compile(r"\d{12}")
SKEW_SECONDS = 300.0  # "Signature expired": five minutes either way
FAR_FUTURE_SECONDS = 4_102_444_800.0  # 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who an access key is."""

    access_key: str
    account: str
    arn: str
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    expires_seconds: float = FAR_FUTURE_SECONDS  # epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as it came, as far as its signature covers it."""

    method: str
    raw_path: str
    headers: Mapping[str, str]  # names in any case
    body: bytes = field(repr=False)


class Sessions:
    """Every session that AssumeRole has handed out through us."""

    def __init__(self, *, now_seconds: Callable[[], float] = time.time) -> None:
        self._now_seconds = now_seconds
        self._known: dict[str, Session] = {}

    def __repr__(self) -> str:
        return f"<Sessions {len(self._known)} known>"

    def learn(self, answer: str) -> None:
        """Remember the session in AssumeRole's *answer*, an XML document."""
        found = dict(_ELEMENT.findall(answer))
        self.add(
            Session(
                access_key=found["AccessKeyId"],
                secret=found["SecretAccessKey"],
                token=found["SessionToken"],
                arn=found["Arn"],
                account=found["Arn"].split(":")[4],
                expires_seconds=datetime.fromisoformat(found["Expiration"]).timestamp(),
            )
        )

    def add(self, session: Session) -> None:
        """Remember *session*."""
        self._known[session.access_key] = session

    def known(self) -> tuple[Session, ...]:
        """Return every session, ended ones too."""
        return tuple(self._known.values())

    def find(self, access_key: str) -> Session | None:
        """Return who *access_key* is; ``None`` if AssumeRole has not handed it out through us."""
        return self._known.get(access_key)

    def expire(self, account: str = "") -> int:
        """End every session of *account* (empty: of all) now; return how many were good."""
        now = self._now_seconds()
        ending = [one for one in self._known.values() if account in ("", one.account) and one.expires_seconds > now]
        for one in ending:
            self._known[one.access_key] = replace(one, expires_seconds=now)
        return len(ending)

    def account_of(self, access_key: str) -> str:
        """Return the account behind *access_key*; empty if it is not known."""
        if _ROOT.fullmatch(access_key):
            return access_key
        known = self._known.get(access_key)
        return known.account if known else ""

    def caller(self, request: Signed) -> Session:
        """Return who signed *request*.

        Raises:
            Refused: nobody we know, somebody whose session has ended, or not he himself.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if found is None:
            raise Refused("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        access_key = found[1]
        if _ROOT.fullmatch(access_key):
            return Session(access_key=access_key, account=access_key, arn=f"arn:aws:iam::{access_key}:root")
        session = self._known.get(access_key)
        if session is None or not hmac.compare_digest(headers.get("x-amz-security-token", ""), session.token):
            raise Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        self._require_signature(request, headers, found, session)
        if self._now_seconds() >= session.expires_seconds:
            raise Refused("ExpiredTokenException", "The security token included in the request is expired")
        return session

    def _require_signature(
        self, request: Signed, headers: Mapping[str, str], found: re.Match[str], session: Session
    ) -> None:
        _, day, region, service, names, signature = found.groups()
        date = headers.get("x-amz-date", "")
        if abs(_epoch(date) - self._now_seconds()) > SKEW_SECONDS:
            raise Refused("InvalidSignatureException", f"Signature expired: {date} is not within 5 min. of now")
        scope = f"{day}/{region}/{service}/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{_canonical_hash(request, headers, names)}"
        key = _signing_key(session.secret, day, region, service)
        expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
        if not hmac.compare_digest(expected, signature) or not {"host", "x-amz-date"} <= set(names.split(";")):
            raise Refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            )


def _canonical_hash(request: Signed, headers: Mapping[str, str], names: str) -> str:
    parts = urlsplit(request.raw_path)
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names.split(";"))
    canonical = "\n".join(
        (
            request.method,
            quote(parts.path, safe="/~"),  # once more than sent; of JSON services it is "/"
            "&".join(sorted(parts.query.split("&"))),
            lines,
            names,
            sha256(request.body).hexdigest(),
        )
    )
    return sha256(canonical.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _epoch(date: str) -> float:
    try:
        return timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return 0.0

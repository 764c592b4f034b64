"""How does the task become a tenant's role?

    Assumption, (the session that asks) ──► AssumeRole, hand-signed ──► Credentials

The SDK would need a client for each session that asks, of tens of megabytes, and a millisecond for each call: with ten
thousand tenants an hour's calls are as many.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Refused, Table, as_ours, error_of
from logfanout.aws.http import Http, Reply
from logfanout.aws.s3_requests import element
from logfanout.aws.signing import Scope, Unsigned, signed
from logfanout.errors import AccessRefused, DestinationUnusable, Unavailable
from logfanout.ports import Assumption, Credentials

# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, "Errors"
STS_FAULTS: Table = {
    "RegionDisabledException": AccessRefused,  # the tenant's account has not enabled this region
    "ValidationError": DestinationUnusable,  # the row's role ARN or external id is malformed
    "PackedPolicyTooLarge": DestinationUnusable,
    "PackedPolicyTooLargeException": DestinationUnusable,
}
# "Role chaining limits your role session to a maximum of one hour"; the first hop renews as often as the second.
SESSION_SECONDS = 3600
_FORM = f"Action=AssumeRole&Version=2011-06-15&DurationSeconds={SESSION_SECONDS}"
HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


class StsTokens:
    """The ``Tokens`` port over STS, and who the task itself is."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        client: Any,
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        """*credentials* are the task's own; *client* is the SDK's, for what is asked once."""
        self._http = http
        self._endpoints = endpoints
        self._credentials = credentials
        self._client = client
        self._now_seconds = now_seconds

    async def assume(self, wanted: Assumption, *, using: Credentials | None) -> Credentials:
        """Return a new session of *wanted*, asked for with *using*."""
        asked = f"AssumeRole {wanted.role_arn} as {wanted.session_name}"
        with as_ours(STS_FAULTS, asked):
            reply = await self._sent(_form(wanted), by=using or await self._credentials())
        text = reply.body.decode(errors="replace")
        if reply.status != 200:
            raise error_of(_refused(reply, text), STS_FAULTS, asked)
        try:
            expires = datetime.fromisoformat(element("Expiration", text))
        except ValueError:
            raise Unavailable(f"{asked}: the answer is not STS's") from None
        return Credentials(
            access_key=element("AccessKeyId", text),
            secret_key=element("SecretAccessKey", text),
            token=element("SessionToken", text),
            expires_ms=int(expires.timestamp() * 1000),
        )

    async def account_id(self) -> str:
        """Return the twelve digits of the task's own account."""
        with as_ours(STS_FAULTS, "GetCallerIdentity"):
            answer = await self._client.get_caller_identity()
        return str(answer["Account"])

    async def _sent(self, body: bytes, *, by: Credentials) -> Reply:
        endpoint = await self._endpoints.of("sts", self._endpoints.region)
        unsigned = Unsigned(
            method="POST",
            host=endpoint.host,
            path=endpoint.path,
            headers=HEADERS,
            body_hash=sha256(body).hexdigest(),
        )
        scope = Scope(region=endpoint.region, service="sts")
        headers = signed(unsigned, by=by, scope=scope, at_seconds=self._now_seconds())
        try:
            return await self._http.post(endpoint.url, headers=headers, body=body, proxy=endpoint.proxy)
        except ConnectionError:  # it ended while it was idle; a role assumed twice is no harm
            return await self._http.post(endpoint.url, headers=headers, body=body, proxy=endpoint.proxy)


def _form(wanted: Assumption) -> bytes:
    """Return the request in the query protocol, STS's only one."""
    fields = [("RoleArn", wanted.role_arn), ("RoleSessionName", wanted.session_name)]
    if wanted.external_id:
        fields.append(("ExternalId", wanted.external_id))
    for number, (key, value) in enumerate(wanted.session_tags, 1):
        fields += [(f"Tags.member.{number}.Key", key), (f"Tags.member.{number}.Value", value)]
    asked = "".join([f"&{name}={quote(value, safe='')}" for name, value in fields])
    return f"{_FORM}{asked}".encode()


def _refused(reply: Reply, text: str) -> Refused:
    return Refused(
        status=reply.status,
        code=element("Code", text),
        message=element("Message", text),
        request_id=element("RequestId", text),
    )

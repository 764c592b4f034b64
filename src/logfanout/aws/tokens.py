"""How does the task become a tenant's role?

    Assumption, (the session that asks) ──► AssumeRole ──► Credentials

One SDK client serves every hop and every tenant: who asks is put into each request just before it is signed. A
client each would cost tens of megabytes a tenant.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from aiobotocore.credentials import AioCredentials

from logfanout.aws.faults import Table, as_ours
from logfanout.errors import AccessRefused, DestinationUnusable
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

_asking: ContextVar[Credentials | None] = ContextVar("asking", default=None)


class StsTokens:
    """The ``Tokens`` port over STS, and who the task itself is."""

    def __init__(self, client: Any) -> None:
        self._client = client
        client.meta.events.register("before-sign.sts", _let_ask, unique_id="logfanout-asking")

    async def assume(self, wanted: Assumption, *, using: Credentials | None) -> Credentials:
        """Return a new session of *wanted*, asked for with *using*."""
        # A task sees only its own value, so assumptions side by side do not mix.
        reset = _asking.set(using)
        try:
            with as_ours(STS_FAULTS, f"AssumeRole {wanted.role_arn} as {wanted.session_name}"):
                answer = await self._client.assume_role(**_parameters(wanted))
        finally:
            _asking.reset(reset)
        given = answer["Credentials"]
        return Credentials(
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            token=given["SessionToken"],
            expires_ms=int(given["Expiration"].timestamp() * 1000),
        )

    async def account_id(self) -> str:
        """Return the twelve digits of the task's own account."""
        with as_ours(STS_FAULTS, "GetCallerIdentity"):
            answer = await self._client.get_caller_identity()
        return str(answer["Account"])


def _parameters(wanted: Assumption) -> Mapping[str, Any]:
    parameters: dict[str, Any] = {
        "RoleArn": wanted.role_arn,
        "RoleSessionName": wanted.session_name,
        "DurationSeconds": SESSION_SECONDS,
    }
    if wanted.external_id:
        parameters["ExternalId"] = wanted.external_id
    if wanted.session_tags:
        parameters["Tags"] = [{"Key": key, "Value": value} for key, value in wanted.session_tags]
    return parameters


def _let_ask(request: Any, **_: Any) -> None:
    """Sign *request* with the session that asks; with the client's own credentials where there is none."""
    if (using := _asking.get()) is not None:
        # The signer prefers these to its own: botocore's way for S3's directory buckets.
        request.context["signing"] = request.context.get("signing", {}) | {
            "request_credentials": AioCredentials(using.access_key, using.secret_key, using.token)
        }

"""How does one request of a JSON service reach it?

    operation, body, region ──► signed for it ──► Reply      or, of one that says no, ──► Refused

Hand-signed, for the calls of the hot path: CloudWatch Logs, SQS and DynamoDB speak the same protocol, in versions 1.1
and 1.0 that differ in nothing we meet. The SDK, which speaks it too, costs a millisecond a call.
"""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Refused
from logfanout.aws.http import Http, Reply
from logfanout.aws.signing import Scope, Unsigned, signed
from logfanout.ports import Credentials


class _Fault(msgspec.Struct):
    kind: Any = msgspec.field(default="", name="__type")
    code: Any = ""
    message: Any = ""
    capital_message: Any = msgspec.field(default="", name="Message")


_decode_fault = msgspec.json.Decoder(_Fault).decode


class JsonRequests:
    """Sends requests to one service, of any region. What it raises is ``OSError`` or ``TimeoutError``."""

    def __init__(
        self,
        http: Http,
        *,
        service: str,  # as endpoints and signatures name it
        target: str,  # what stands before the operation in ``X-Amz-Target``
        version: str,
        endpoints: Endpoints,
        repeatable: bool = False,  # whether any request may be carried out twice
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._service = service
        self._target = target
        self._content_type = f"application/x-amz-json-{version}"
        self._endpoints = endpoints
        self._repeatable = repeatable
        self._now_seconds = now_seconds

    def __repr__(self) -> str:
        return f"<JsonRequests to {self._service}>"

    async def send(self, operation: str, body: bytes, *, region: str, by: Credentials) -> Reply:
        """Send *body* and return the whole answer, whatever its status.

        Raises:
            DestinationUnusable: *region* cannot be a region's name.
        """
        endpoint = await self._endpoints.of(self._service, region)
        unsigned = Unsigned(
            method="POST",
            host=endpoint.host,
            path=endpoint.path,
            headers=_headers(self._content_type, f"{self._target}.{operation}"),
            body_hash=sha256(body).hexdigest(),
        )
        scope = Scope(region=endpoint.region, service=self._service)
        headers = signed(unsigned, by=by, scope=scope, at_seconds=self._now_seconds())
        try:
            return await self._http.post(endpoint.url, headers=headers, body=body, proxy=endpoint.proxy)
        except ConnectionError:
            # Once more, at once: AWS closes connections that were idle, now and then just as one is used again.
            if not self._repeatable:
                raise
            return await self._http.post(endpoint.url, headers=headers, body=body, proxy=endpoint.proxy)


def refused(reply: Reply) -> Refused:
    """Read an error document, ``{"__type": "…#Code", "message": …}``; it may be absent, or a proxy's HTML."""
    try:
        fault = _decode_fault(reply.body)
    except msgspec.DecodeError:
        fault = _Fault()
    return Refused(
        status=reply.status,
        code=str(fault.kind or fault.code or "").rpartition("#")[2],
        message=str(fault.message or fault.capital_message or ""),
        request_id=reply.request_id,
    )


@lru_cache
def _headers(content_type: str, target: str) -> Mapping[str, str]:
    return {"content-type": content_type, "x-amz-target": target}

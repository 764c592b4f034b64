"""How do events reach a tenant's CloudWatch Logs?

    LogStream, LogEvents ──► JSON body ──► signed with the tenant's session ──► Rejections, or why not

Hand-built from body to signature: the events come encoded, so that none is touched here.
The protocol is JSON 1.1, which the SDK speaks too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Table, as_ours, error_of
from logfanout.aws.http import Http, Reply
from logfanout.aws.json_requests import JsonRequests, refused
from logfanout.errors import (
    AccessRefused,
    BatchUnreadable,
    DestinationUnusable,
    StreamMissing,
    Throttled,
    Unavailable,
)
from logfanout.ports import Credentials, LogEvents, LogStream, Rejections

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html, "Errors"
PUT_FAULTS: Table = {
    "ResourceNotFoundException": StreamMissing,
    "InvalidParameterException": BatchUnreadable,
    "SerializationException": BatchUnreadable,
    "413": BatchUnreadable,  # RequestEntityTooLarge, from the front end and without a code of the service's
    "LimitExceededException": Throttled,
    "InvalidSequenceTokenException": Unavailable,  # no longer sent; before 2023 it meant "somebody else wrote"
}
CREATE_FAULTS: Table = {
    "ResourceNotFoundException": StreamMissing,
    "InvalidParameterException": DestinationUnusable,
    "LimitExceededException": AccessRefused,  # the account's quota of groups is used up: its owner's to raise
}
ALREADY_DONE = frozenset({"ResourceAlreadyExistsException", "DataAlreadyAcceptedException"})
RETENTION_ATTEMPTS = 4  # CloudWatch refuses to change a group that it is still making ("OperationAborted")


class _RejectedLogEventsInfo(msgspec.Struct, rename="camel"):
    too_old_log_event_end_index: int | None = None
    expired_log_event_end_index: int | None = None
    too_new_log_event_start_index: int | None = None


class _Answer(msgspec.Struct, rename="camel"):
    rejected_log_events_info: _RejectedLogEventsInfo | None = None


_encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(_Answer).decode


class CloudWatchLogs:
    """The ``Logs`` port over CloudWatch Logs of every account and region."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        now_seconds: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._requests = JsonRequests(
            http, service="logs", target="Logs_20140328", version="1.1", endpoints=endpoints, now_seconds=now_seconds
        )
        self._pause = pause

    async def put(self, to: LogStream, events: LogEvents, *, credentials: Credentials) -> Rejections:
        """Write *events*; return what was not stored.

        Raises, besides the port's: ``DestinationUnusable`` if the group or the stream cannot be named so.
        """
        body = put_body(to, events)
        asked = f"PutLogEvents {to.group} {to.stream} in {to.region}"
        reply = await self._call("PutLogEvents", body, to=to, credentials=credentials, asked=asked)
        if reply.status != 200:
            _require_done(reply, PUT_FAULTS, asked)
            return Rejections()
        try:
            return _rejections(_decode_answer(reply.body).rejected_log_events_info)
        except msgspec.DecodeError as error:
            raise Unavailable(f"{asked}: the answer is not CloudWatch's ({error})") from None

    async def create_stream(self, to: LogStream, *, credentials: Credentials) -> None:
        """Make the stream; one that exists is fine."""
        body = _encode({"logGroupName": to.group, "logStreamName": to.stream})
        await self._create("CreateLogStream", body, to=to, credentials=credentials)

    async def create_group(self, to: LogStream, *, retention_days: int | None, credentials: Credentials) -> None:
        """Make the group and set its retention; one that exists is fine and stays as it is."""
        body = _encode({"logGroupName": to.group})
        made = await self._create("CreateLogGroup", body, to=to, credentials=credentials)
        if not made or retention_days is None:
            return
        body = _encode({"logGroupName": to.group, "retentionInDays": retention_days})
        # Tried here and not by the caller: for him the group would exist the next time, and stay as it is.
        async for attempt in AsyncRetrying(
            sleep=self._pause,
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_attempt(RETENTION_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            reraise=True,
        ):
            with attempt:
                await self._create("PutRetentionPolicy", body, to=to, credentials=credentials)

    async def _create(self, operation: str, body: bytes, *, to: LogStream, credentials: Credentials) -> bool:
        """Return whether it was us who made it."""
        asked = f"{operation} {to.group} in {to.region}"
        reply = await self._call(operation, body, to=to, credentials=credentials, asked=asked)
        if reply.status == 200:
            return True
        _require_done(reply, CREATE_FAULTS, asked)
        return False

    async def _call(self, operation: str, body: bytes, *, to: LogStream, credentials: Credentials, asked: str) -> Reply:
        with as_ours(PUT_FAULTS, asked):
            return await self._requests.send(operation, body, region=to.region, by=credentials)


def put_body(to: LogStream, events: LogEvents) -> bytes:
    """Return a PutLogEvents' body, the events in it as they came."""
    names = _encode({"logGroupName": to.group, "logStreamName": to.stream})
    return b"".join((names[:-1], b',"logEvents":', events.text, b"}"))


def _rejections(info: _RejectedLogEventsInfo | None) -> Rejections:
    if info is None:
        return Rejections()
    return Rejections(
        too_old_end=info.too_old_log_event_end_index or 0,
        expired_end=info.expired_log_event_end_index or 0,
        too_new_start=info.too_new_log_event_start_index,
    )


def _require_done(reply: Reply, table: Table, asked: str) -> None:
    """Raise what *reply* says, unless it says that the work was done before."""
    said = refused(reply)
    if said.code in ALREADY_DONE:
        return
    if said.code == "InvalidParameterException" and _is_about_names(said.message):
        raise DestinationUnusable(f"{asked}: {said}")
    raise error_of(said, table, asked)


def _is_about_names(message: str) -> bool:
    """Whether a constraint was broken by the group's or the stream's name, and not by an event."""
    return "at 'logGroupName'" in message or "at 'logStreamName'" in message

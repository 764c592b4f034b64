"""What does CloudWatch Logs answer?

    Call + caller's account + body ──► CloudWatch.answer ──► Answer, and what it changed in Holdings

JSON 1.1 as on the wire. It refuses exactly what PutLogEvents' reference says is refused, which no emulator does; the
rules are ``testing/log_limits``. What plainly breaks none of them is not looked at event by event: a bench needs that.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from logfanout.errors import BatchUnreadable
from logfanout.ports import Event, Rejections
from logfanout.tenants.log_groups import RETENTION_DAYS
from logfanout.testing.log_limits import (
    DAY_MS,
    EVENT_OVERHEAD_BYTES,
    MOST_BATCH_BYTES,
    MOST_EVENTS,
    MOST_SPAN_MS,
    NEWEST_MS,
    OLDEST_MS,
    judge,
)
from logfanout.testing.strict_aws import answers
from logfanout.testing.strict_aws.answers import Answer, Refused
from logfanout.testing.strict_aws.calls import Call
from logfanout.testing.strict_aws.holdings import Broken, Group, Holdings, Place, Put, Stream

Body = TypeVar("Body")

_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_STREAM_NAME = re.compile(r"[^:*]{1,512}")
MOST_EVENTS_A_PAGE = 10_000


class _Event(msgspec.Struct, gc=False):
    timestamp: int
    message: str


class _PutLogEvents(msgspec.Struct, rename="camel"):
    log_group_name: str
    log_stream_name: str
    log_events: list[_Event]


class _Named(msgspec.Struct, rename="camel"):
    """The fields of all other requests."""

    log_group_name: str = ""
    log_stream_name: str = ""
    retention_in_days: int = 0
    log_group_name_prefix: str = ""
    next_token: str = ""


_put_log_events = msgspec.json.Decoder(_PutLogEvents)
_named = msgspec.json.Decoder(_Named)
_fields = msgspec.json.Decoder(dict[str, Any])


class CloudWatch:
    """The service, of every account and region."""

    def __init__(self, holdings: Holdings, *, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.holdings = holdings
        self._now_ms = now_ms
        self._operations: Mapping[str, Callable[[_Named, Call], dict[str, Any]]] = {
            "CreateLogGroup": self._create_group,
            "CreateLogStream": self._create_stream,
            "DeleteLogGroup": self._delete_group,
            "DescribeLogGroups": self._describe_groups,
            "DescribeLogStreams": self._describe_streams,
            "GetLogEvents": self._get_events,
            "PutRetentionPolicy": self._put_retention,
        }

    def answer(self, call: Call, body: bytes) -> tuple[Answer, Put | None]:
        """Return the answer to *call*, whose ``account`` is its caller's; and the put, if it was one and accepted.

        Raises:
            Refused: CloudWatch says no.
        """
        if call.operation == "PutLogEvents":
            put = self._put(call, body)
            return answers.json({"nextSequenceToken": str(len(self.holdings.puts)), **_rejected(put.rejected)}), put
        operation = self._operations.get(call.operation)
        if operation is None:
            raise Refused("UnknownOperationException", f"{call.operation} is not part of this double")
        return answers.json(operation(_decoded(_named, body), call)), None

    # The hot path.

    def _put(self, call: Call, body: bytes) -> Put:
        try:
            asked = _decoded(_put_log_events, body)
        except Refused as why:
            self._note_broken(call, body, why)
            raise
        place = Place(call.account, call.region, asked.log_group_name)
        stream = asked.log_stream_name
        group = self._group(place)
        if stream not in group.streams:
            raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")
        times = [event.timestamp for event in asked.log_events]
        messages = [event.message for event in asked.log_events]
        size_bytes = len("".join(messages).encode()) + EVENT_OVERHEAD_BYTES * len(messages)
        now_ms, rejected = self._now_ms(), Rejections()
        if not plainly_fine(times, messages, size_bytes, now_ms=now_ms, retention_days=group.retention_days):
            try:
                times, messages, rejected = _judged(times, messages, now_ms=now_ms, group=group)
            except Refused as why:
                self.holdings.broken.append(Broken(place=place, stream=stream, code=why.code, message=why.message))
                raise
            size_bytes = len("".join(messages).encode()) + EVENT_OVERHEAD_BYTES * len(messages)
        return self.holdings.record(
            Put(
                place=place,
                stream=stream,
                at_ms=now_ms,
                count=len(times),
                size_bytes=size_bytes,
                rejected=rejected,
                times=times,
                messages=messages,
            )
        )

    def _note_broken(self, call: Call, body: bytes, why: Refused) -> None:
        """Note a request whose events cannot be read, under the group it names, if that much can be read of it."""
        try:
            fields = _fields.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            fields = {}
        place = Place(call.account, call.region, str(fields.get("logGroupName", "")))
        stream = str(fields.get("logStreamName", ""))
        self.holdings.broken.append(Broken(place=place, stream=stream, code=why.code, message=why.message))

    # All that is seldom called.

    def _group(self, place: Place) -> Group:
        _require_name("logGroupName", place.group, _GROUP_NAME)
        if (group := self.holdings.groups.get(place)) is None:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def _create_group(self, asked: _Named, call: Call) -> dict[str, Any]:
        _require_name("logGroupName", asked.log_group_name, _GROUP_NAME)
        if _place(asked, call) in self.holdings.groups:
            raise Refused("ResourceAlreadyExistsException", "The specified log group already exists")
        self.holdings.groups[_place(asked, call)] = Group(created_ms=self._now_ms())
        return {}

    def _create_stream(self, asked: _Named, call: Call) -> dict[str, Any]:
        group = self._group(_place(asked, call))
        _require_name("logStreamName", asked.log_stream_name, _STREAM_NAME)
        if asked.log_stream_name in group.streams:
            raise Refused("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[asked.log_stream_name] = Stream(created_ms=self._now_ms())
        return {}

    def _delete_group(self, asked: _Named, call: Call) -> dict[str, Any]:
        self._group(_place(asked, call))
        del self.holdings.groups[_place(asked, call)]
        return {}

    def _put_retention(self, asked: _Named, call: Call) -> dict[str, Any]:
        group = self._group(_place(asked, call))
        if asked.retention_in_days not in RETENTION_DAYS:
            raise Refused("InvalidParameterException", "Specified retention is not a valid retention period")
        group.retention_days = asked.retention_in_days
        return {}

    def _describe_groups(self, asked: _Named, call: Call) -> dict[str, Any]:
        here = (call.account, call.region)
        return {
            "logGroups": [
                {
                    "logGroupName": place.group,
                    "creationTime": group.created_ms,
                    "arn": f"arn:aws:logs:{place.region}:{place.account}:log-group:{place.group}:*",
                    **({"retentionInDays": group.retention_days} if group.retention_days else {}),
                }
                for place, group in sorted(self.holdings.groups.items())
                if place[:2] == here and place.group.startswith(asked.log_group_name_prefix)
            ]
        }

    def _describe_streams(self, asked: _Named, call: Call) -> dict[str, Any]:
        streams = sorted(self._group(_place(asked, call)).streams.items())
        return {"logStreams": [{"logStreamName": name, "creationTime": one.created_ms} for name, one in streams]}

    def _get_events(self, asked: _Named, call: Call) -> dict[str, Any]:
        """Return a page in order of arrival; its token says how many events lie before it."""
        stream = self._group(_place(asked, call)).streams.get(asked.log_stream_name)
        if stream is None:
            raise Refused("ResourceNotFoundException", "The specified log stream does not exist.")
        start = int(asked.next_token.removeprefix("f/") or 0)
        events = [
            {"timestamp": at, "message": message, "ingestionTime": put.at_ms}
            for put in stream.puts
            for at, message in zip(put.times, put.messages, strict=True)
        ][start : start + MOST_EVENTS_A_PAGE]
        token = f"f/{start + len(events)}"
        return {"events": events, "nextForwardToken": token, "nextBackwardToken": token}


def plainly_fine(
    times: list[int], messages: list[str], size_bytes: int, *, now_ms: int, retention_days: int | None
) -> bool:
    """Whether a few looks at the whole show that no limit is broken and no event rejected; ``judge`` agrees."""
    kept_ms = min(retention_days * DAY_MS, OLDEST_MS) if retention_days else OLDEST_MS
    return (
        1 <= len(times) <= MOST_EVENTS
        and size_bytes <= MOST_BATCH_BYTES  # and so is every event
        and "" not in messages
        and times[0] >= max(now_ms - kept_ms, 0)
        and times[-1] <= now_ms + NEWEST_MS
        and times[-1] - times[0] <= MOST_SPAN_MS
        and times == sorted(times)
    )


def _judged(
    times: list[int], messages: list[str], *, now_ms: int, group: Group
) -> tuple[list[int], list[str], Rejections]:
    events = [Event(at, msgspec.Raw(msgspec.json.encode(text))) for at, text in zip(times, messages, strict=True)]
    try:
        kept, rejected = judge(events, now_ms=now_ms, retention_days=group.retention_days)
    except BatchUnreadable as why:
        _, code, message = str(why).split(": ", 2)
        raise Refused(code, message) from None
    return [at for at, _ in kept], [text for _, text in kept], rejected


def _rejected(rejected: Rejections) -> dict[str, Any]:
    named = {
        "tooOldLogEventEndIndex": rejected.too_old_end or None,
        "expiredLogEventEndIndex": rejected.expired_end or None,
        "tooNewLogEventStartIndex": rejected.too_new_start,
    }
    given = {name: index for name, index in named.items() if index is not None}
    return {"rejectedLogEventsInfo": given} if given else {}


def _decoded(decoder: "msgspec.json.Decoder[Body]", body: bytes) -> Body:
    try:
        if not body.isascii():
            body.decode()  # what the decoder skips it does not check
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refused("InvalidParameterException", f"1 validation error detected: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("SerializationException", str(error)) from None


def _place(asked: _Named, call: Call) -> Place:
    return Place(call.account, call.region, asked.log_group_name)


def _require_name(field: str, name: str, form: re.Pattern[str]) -> None:
    if not form.fullmatch(name):
        raise Refused(
            "InvalidParameterException",
            f"1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {form.pattern}",
        )

"""Does CloudWatch get what we mean, and do we understand what it says?"""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logfanout.aws.faults import RequestWrong
from logfanout.aws.logs import RETENTION_ATTEMPTS, CloudWatchLogs
from logfanout.errors import (
    AccessRefused,
    BatchUnreadable,
    CredentialsExpired,
    DestinationUnusable,
    LogfanoutError,
    StreamMissing,
    Throttled,
    Unavailable,
)
from logfanout.ports import Credentials, Event, LogEvents, LogStream, Rejections
from logfanout.testing.site import Answer, Request, Site

TO = LogStream("us-west-2", "/acme/logs", "web-pod-1-2026-03-02")


def events(*messages: str) -> LogEvents:
    return LogEvents.of(
        [Event(1_772_452_800_000 + n, msgspec.Raw(msgspec.json.encode(m))) for n, m in enumerate(messages)]
    )


async def test_a_batch_goes_out_as_the_sdk_would_send_it(
    logs: CloudWatchLogs, site: Site, session: Credentials
) -> None:
    """JSON 1.1, signed with the tenant's session for the tenant's region."""
    site.json({})
    assert await logs.put(TO, events("a", "b"), credentials=session) == Rejections()
    [asked] = site.requests
    assert (asked.method, asked.target) == ("POST", "/")
    assert asked.headers["x-amz-target"] == "Logs_20140328.PutLogEvents"
    assert asked.headers["content-type"] == "application/x-amz-json-1.1"
    assert asked.headers["x-amz-security-token"] == "tok3n"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIATENANT/")
    assert "/us-west-2/logs/aws4_request" in asked.headers["authorization"]
    assert asked.json() == {
        "logGroupName": "/acme/logs",
        "logStreamName": "web-pod-1-2026-03-02",
        "logEvents": [
            {"timestamp": 1_772_452_800_000, "message": "a"},
            {"timestamp": 1_772_452_800_001, "message": "b"},
        ],
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=20))
async def test_every_character_arrives(
    logs: CloudWatchLogs, site: Site, session: Credentials, messages: list[str]
) -> None:
    """A message is a JSON token, copied as it is."""
    site.json({})
    await logs.put(TO, events(*messages), credentials=session)
    assert [event["message"] for event in site.requests[-1].json()["logEvents"]] == messages


async def test_a_full_batch_is_longer_than_its_messages(logs: CloudWatchLogs, site: Site, session: Credentials) -> None:
    """Quotes, escapes and field names go over a mebibyte without a warning from the HTTP client."""
    site.json({})
    await logs.put(TO, events(*['"' * 1000] * 1030), credentials=session)
    assert len(site.requests[0].body) > 2**21


async def test_rejected_events_are_ranges(logs: CloudWatchLogs, site: Site, session: Credentials) -> None:
    """What is null or absent rejects nothing."""
    site.json({"nextSequenceToken": "1", "rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 2}})
    site.json({"rejectedLogEventsInfo": {"tooNewLogEventStartIndex": 0, "expiredLogEventEndIndex": 3}})
    site.json({"rejectedLogEventsInfo": None})
    found = [await logs.put(TO, events("a"), credentials=session) for _ in range(3)]
    assert found == [Rejections(too_old_end=2), Rejections(expired_end=3, too_new_start=0), Rejections()]


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ResourceNotFoundException", 400, StreamMissing),
        ("com.amazonaws.logs#ResourceNotFoundException", 400, StreamMissing),
        ("InvalidParameterException", 400, BatchUnreadable),
        ("SerializationException", 400, BatchUnreadable),
        ("AccessDeniedException", 400, AccessRefused),
        ("KMSDisabledException", 400, AccessRefused),
        ("ThrottlingException", 400, Throttled),
        ("LimitExceededException", 400, Throttled),
        ("ServiceUnavailableException", 500, Unavailable),
        ("InvalidSequenceTokenException", 400, Unavailable),
        ("ExpiredTokenException", 400, CredentialsExpired),
        ("UnrecognizedClientException", 400, CredentialsExpired),
        ("UnknownOperationException", 400, RequestWrong),
    ],
)
async def test_a_refused_batch_says_why(
    logs: CloudWatchLogs, site: Site, session: Credentials, code: str, status: int, expected: type[Exception]
) -> None:
    """By CloudWatch's code, wherever it hides."""
    site.json({"__type": code, "message": "no"}, status=status, **{"x-amzn-RequestId": "r-7"})
    with pytest.raises(Exception, match=r"PutLogEvents /acme/logs .*r-7") as caught:
        await logs.put(TO, events("a"), credentials=session)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(status=503), Unavailable),
        (Answer(status=502, body=b"<html>"), Unavailable),
        (Answer(status=413, body=b"<html>too large"), BatchUnreadable),
        (Answer(status=429), Throttled),
        (Answer(status=403, body=b"Forbidden"), AccessRefused),
        (Answer(reset=True), Unavailable),
        (Answer(body=b'{"rejectedLogEventsInfo": {}}', cut_after=7), Unavailable),
        (Answer(body=b"<html>welcome to the hotel"), Unavailable),
    ],
)
async def test_an_answer_that_is_not_cloudwatchs(
    logs: CloudWatchLogs, site: Site, session: Credentials, answer: Answer, expected: type[LogfanoutError]
) -> None:
    """From a load balancer, a proxy, or half of one: never taken for a success."""
    site.play(answer)
    with pytest.raises(LogfanoutError) as caught:
        await logs.put(TO, events("a"), credentials=session)
    assert type(caught.value) is expected


async def test_an_accepted_batch_is_a_stored_one(logs: CloudWatchLogs, site: Site, session: Credentials) -> None:
    """The old way of saying that the same batch came before."""
    site.json({"__type": "DataAlreadyAcceptedException", "expectedSequenceToken": "1"}, status=400)
    assert await logs.put(TO, events("a"), credentials=session) == Rejections()


async def test_an_impossible_name_is_not_the_events_fault(
    logs: CloudWatchLogs, site: Site, session: Credentials
) -> None:
    """Halving the batch would not help."""
    message = "1 validation error detected: Value '/a b' at 'logGroupName' failed to satisfy constraint: ..."
    site.json({"__type": "InvalidParameterException", "message": message}, status=400)
    with pytest.raises(DestinationUnusable):
        await logs.put(TO, events("a"), credentials=session)


async def test_log_content_stays_out_of_the_text(logs: CloudWatchLogs, site: Site, session: Credentials) -> None:
    """CloudWatch quotes the events it could not read."""
    message = "Value '[InputLogEvent(message=hush)]' at 'logEvents' failed to satisfy constraint: too many"
    site.json({"__type": "InvalidParameterException", "message": message}, status=400)
    with pytest.raises(BatchUnreadable) as caught:
        await logs.put(TO, events("hush"), credentials=session)
    assert "hush" not in str(caught.value)
    assert "too many" in str(caught.value)


async def test_a_stream_or_group_that_exists_is_fine(logs: CloudWatchLogs, site: Site, session: Credentials) -> None:
    """It stays as it is: its retention is not touched."""
    site.json({"__type": "ResourceAlreadyExistsException", "message": "exists"}, status=400)
    await logs.create_stream(TO, credentials=session)
    await logs.create_group(TO, retention_days=7, credentials=session)
    assert [operation(request) for request in site.requests] == ["CreateLogStream", "CreateLogGroup"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("LimitExceededException", AccessRefused),
        ("OperationAbortedException", Unavailable),
        ("AccessDeniedException", AccessRefused),
        ("InvalidParameterException", DestinationUnusable),
        ("ResourceNotFoundException", StreamMissing),
    ],
)
async def test_what_cannot_be_made(
    logs: CloudWatchLogs, site: Site, session: Credentials, code: str, expected: type[LogfanoutError]
) -> None:
    """A quota is its owner's to raise; a conflict passes."""
    site.json({"__type": code, "message": "no"}, status=400)
    with pytest.raises(LogfanoutError) as caught:
        await logs.create_stream(TO, credentials=session)
    assert type(caught.value) is expected


async def test_retention_is_set_though_the_group_is_still_being_made(
    logs: CloudWatchLogs, site: Site, session: Credentials
) -> None:
    """The only retry in this adapter: to the caller, the group would exist the next time."""
    site.json({})
    for _ in range(RETENTION_ATTEMPTS - 1):
        site.json({"__type": "OperationAbortedException", "message": "conflict"}, status=400)
    site.json({})
    await logs.create_group(TO, retention_days=7, credentials=session)
    assert site.requests[-1].json() == {"logGroupName": "/acme/logs", "retentionInDays": 7}
    assert len(site.requests) == 1 + RETENTION_ATTEMPTS


def operation(request: Request) -> str:
    return request.headers["x-amz-target"].partition(".")[2]

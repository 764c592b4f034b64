"""Does the strict AWS refuse what AWS refuses, and fail as it is told?

The drills believe it, so it is held here to AWS's documentation, through the real adapters where there is one.
"""

import asyncio
import gzip
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiobotocore.session import AioSession
from hypothesis import given
from hypothesis import strategies as st

from logfanout.aws.endpoints import Endpoint, Endpoints
from logfanout.aws.faults import RequestWrong
from logfanout.aws.http import open_http
from logfanout.aws.logs import CloudWatchLogs
from logfanout.errors import (
    AccessRefused,
    BatchUnreadable,
    CredentialsExpired,
    StreamMissing,
    Throttled,
    Unavailable,
)
from logfanout.ports import Credentials, Event, LogEvents, LogStream, Rejections
from logfanout.testing import log_limits
from logfanout.testing.site import Answer, open_site
from logfanout.testing.strict_aws import (
    Delay,
    Fault,
    Faults,
    Hold,
    Misfortune,
    Place,
    Refuse,
    Reset,
    StrictAws,
    Truncate,
    calls,
    cloudwatch,
    open_strict_aws,
)
from logfanout.testing.strict_aws.holdings import Group, Stream

ACCOUNT, REGION = "111122223333", "eu-west-1"
TO = LogStream(REGION, "/acme/logs", "web-1")
PLACE = Place(ACCOUNT, REGION, TO.group)


class AtTheDoor(Endpoints):
    """Every service at one address."""

    def __init__(self, url: str) -> None:
        super().__init__(AioSession(), region=REGION)
        self._url = url

    async def of(self, service: str, region: str) -> Endpoint:
        """Return the door."""
        return Endpoint(url=self._url, host=self._url.removeprefix("http://"), path="/", region=region, proxy=None)


@pytest.fixture
async def aws() -> AsyncIterator[StrictAws]:
    """A strict AWS with nothing behind it."""
    async with open_strict_aws() as opened:
        yield opened


@pytest.fixture
async def logs(aws: StrictAws) -> AsyncIterator[CloudWatchLogs]:
    """The adapter the worker uses."""
    async with open_http(trust=ssl.create_default_context()) as http:
        yield CloudWatchLogs(http, endpoints=AtTheDoor(aws.url))


@pytest.fixture
async def session(aws: StrictAws) -> Credentials:
    """A session of a role of the tenant's, as STS hands it out; its stream exists."""
    form = {"Action": "AssumeRole", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/logs", "RoleSessionName": "s-1"}
    scope = f"Credential=999999999999/20260302/{REGION}/sts/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    async with aiohttp.ClientSession() as http, http.post(aws.url, data=form, headers=headers) as answer:
        assert answer.status == 200
    [known] = aws.sessions.known()
    aws.holdings.groups[PLACE] = Group(created_ms=0, streams={TO.stream: Stream(created_ms=0)})
    return Credentials(access_key=known.access_key, secret_key=known.secret, token=known.token, expires_ms=0)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def events(*given: tuple[int, str]) -> LogEvents:
    return LogEvents.of([Event(at, msgspec.Raw(msgspec.json.encode(text))) for at, text in given])


Put = Callable[..., Coroutine[Any, Any, Rejections]]


@pytest.fixture
def put(logs: CloudWatchLogs, session: Credentials) -> Put:
    """Puts (time, message) pairs."""

    async def puts(*given: tuple[int, str], by: Credentials = session, to: LogStream = TO) -> Rejections:
        return await logs.put(to, events(*given), credentials=by)

    return puts


async def test_what_is_accepted_is_kept(put: Put, aws: StrictAws) -> None:
    """With its account, in the order of arrival, and whether the answer went out."""
    at = now_ms()
    assert await put((at, "caf\u00e9"), (at, "\U0001f600 \x00 \\")) == Rejections()
    [kept] = aws.holdings.puts
    assert (kept.place, kept.stream, kept.times) == (PLACE, TO.stream, [at, at])
    assert kept.messages == ["caf\u00e9", "\U0001f600 \x00 \\"]
    assert kept.size_bytes == 5 + 8 + 2 * 26
    assert kept.answered
    assert not aws.holdings.broken


def sized(size: int) -> str:
    return "x" * size


MOST = log_limits.MOST_BATCH_BYTES
HOUR, DAY = 3_600_000, log_limits.DAY_MS
BREAKING: dict[str, Callable[[int], list[tuple[int, str]]]] = {
    "one byte too many": lambda now: [(now, sized(MOST // 2)), (now, sized(MOST - MOST // 2 - 52 + 1))],
    "one event too large": lambda now: [(now, sized(MOST - 26 + 1))],
    "too many bytes in UTF-8 only": lambda now: [(now, "\u00e9" * (MOST // 2))],
    "too many events": lambda now: [(now, "x")] * 10_001,
    "no time order": lambda now: [(now, "a"), (now - 1, "b")],
    "more than a day": lambda now: [(now - DAY - 1, "a"), (now, "b")],
    "empty message": lambda now: [(now, "a"), (now, "")],
    "none": lambda _: [],
    "before 1970": lambda now: [(-1, "a"), (now, "b")],
}


@pytest.mark.parametrize("case", BREAKING)
async def test_a_limit_is_a_limit(put: Put, aws: StrictAws, case: str) -> None:
    """The whole batch is refused, nothing of it is kept, and it is noted."""
    with pytest.raises(BatchUnreadable):
        await put(*BREAKING[case](now_ms()))
    assert not aws.holdings.puts
    [broken] = aws.holdings.broken
    assert (broken.place, broken.code) == (PLACE, "InvalidParameterException")


@pytest.mark.parametrize(
    "batch",
    [
        lambda now: [(now, sized(MOST // 2 - 26)), (now, sized(MOST // 2 - 26))],
        lambda now: [(now, sized(MOST - 26))],
        lambda now: [(now, "x")] * 10_000,
        lambda now: [(now - DAY, "a"), (now, "b")],
    ],
    ids=["bytes", "one event", "events", "a day"],
)
async def test_up_to_the_limit_is_fine(put: Put, aws: StrictAws, batch: Callable[[int], list[tuple[int, str]]]) -> None:
    """To the byte."""
    assert await put(*batch(now_ms())) == Rejections()
    assert not aws.holdings.broken


async def test_what_is_too_old_or_too_new_is_rejected_singly(put: Put, aws: StrictAws) -> None:
    """Ends are exclusive, the start is inclusive; a day may lie between the valid ones only."""
    now = now_ms()
    given = [(now - 15 * DAY, "old"), (now - 8 * DAY, "expired"), (now, "fine"), (now + 3 * HOUR, "new")]
    assert await put(given[0], given[2], given[3]) == Rejections(too_old_end=1, too_new_start=2)
    aws.holdings.groups[PLACE].retention_days = 7
    assert await put(*given) == Rejections(too_old_end=1, expired_end=2, too_new_start=3)
    assert [put.messages for put in aws.holdings.puts] == [["fine"], ["fine"]]


@given(
    times=st.lists(st.integers(-16 * DAY, 4 * HOUR), max_size=6),
    size=st.sampled_from([0, 1, 1000, MOST // 2 - 26, MOST // 2 - 25, MOST - 26]),
    in_order=st.booleans(),
    retention_days=st.sampled_from([None, 1, 7, 30]),
)
def test_the_shortcut_agrees_with_the_rules(
    times: list[int], size: int, in_order: bool, retention_days: int | None
) -> None:
    """What is plainly fine is taken whole by the exact rules, too."""
    now = 1_772_452_800_000
    stamps = [now + at for at in (sorted(times) if in_order else times)]
    messages = [sized(size)] * len(stamps)
    total = (size + 26) * len(stamps)
    if cloudwatch.plainly_fine(stamps, messages, total, now_ms=now, retention_days=retention_days):
        pairs = list(zip(stamps, messages, strict=True))
        assert log_limits.judge(events(*pairs).decoded(), now_ms=now, retention_days=retention_days) == (
            pairs,
            Rejections(),
        )


EVENT = b'{"logGroupName":"g","logStreamName":"s","logEvents":[{%s}]}'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (EVENT % b'"timestamp":1,"message":"\xff"', "SerializationException"),
        (EVENT % b'"timestamp":1,"message":"\\ud83d"', "SerializationException"),
        (EVENT % b'"timestamp":1', "InvalidParameterException"),
        (EVENT % b'"timestamp":"1","message":"m"', "InvalidParameterException"),
        (b"{", "SerializationException"),
        (b'{"logGroupName":"g","logStreamName":"s","x":"\xff","logEvents":[]}', "SerializationException"),
        (
            b'{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"\\ud83d"}]}',
            "Serialization",
        ),
        (b'{"logGroupName":"g:*","logStreamName":"s","logEvents":[]}', "InvalidParameterException"),
        (b'{"logGroupName":"g","logStreamName":"s","logEvents":[]}', "ResourceNotFoundException"),
    ],
)
async def test_bodies_that_cannot_be_read(aws: StrictAws, body: bytes, code: str) -> None:
    """Answered as JSON 1.1, with AWS's code."""
    status, answer = await as_root(aws, "PutLogEvents", body)
    assert status == 400
    assert json.loads(answer)["__type"].startswith(code)
    assert not aws.holdings.puts


async def test_groups_and_streams(aws: StrictAws) -> None:
    """Made, made again, given a retention, listed, read and deleted, each account and region for itself."""
    group, stream = b'{"logGroupName":"g"}', b'{"logGroupName":"g","logStreamName":"s"}'
    assert "ResourceNotFound" in (await as_root(aws, "CreateLogStream", stream))[1]
    assert (await as_root(aws, "CreateLogGroup", group))[0] == 200
    assert "ResourceAlreadyExists" in (await as_root(aws, "CreateLogGroup", group))[1]
    assert (await as_root(aws, "CreateLogStream", stream))[0] == 200
    assert (
        "InvalidParameter" in (await as_root(aws, "PutRetentionPolicy", b'{"logGroupName":"g","retentionInDays":8}'))[1]
    )
    assert (await as_root(aws, "PutRetentionPolicy", b'{"logGroupName":"g","retentionInDays":7}'))[0] == 200
    event = {"timestamp": now_ms(), "message": "m"}
    body = {"logGroupName": "g", "logStreamName": "s", "logEvents": [event], "sequenceToken": "ignored"}
    assert (await as_root(aws, "PutLogEvents", json.dumps(body).encode()))[0] == 200
    listed = json.loads((await as_root(aws, "DescribeLogGroups", b"{}"))[1])["logGroups"]
    assert [(one["logGroupName"], one["retentionInDays"]) for one in listed] == [("g", 7)]
    read = json.loads((await as_root(aws, "GetLogEvents", stream))[1])
    assert [(one["timestamp"], one["message"]) for one in read["events"]] == [(event["timestamp"], "m")]
    assert (await as_root(aws, "DeleteLogGroup", group))[0] == 200
    assert json.loads((await as_root(aws, "DescribeLogGroups", b"{}"))[1]) == {"logGroups": []}
    assert "UnknownOperation" in (await as_root(aws, "StartQuery", b"{}"))[1]


async def test_only_the_owner_of_a_session_is_let_in(put: Put, aws: StrictAws, session: Credentials) -> None:
    """A wrong secret, a wrong token, an unknown key; then the right one after its end."""
    at = now_ms()
    with pytest.raises((AccessRefused, RequestWrong), match="InvalidSignatureException"):
        await put((at, "m"), by=replace(session, secret_key="another"))
    for wrong in (replace(session, token="another"), replace(session, access_key="ASIAANOTHER")):
        with pytest.raises(CredentialsExpired):
            await put((at, "m"), by=wrong)
    await put((at, "m"))
    assert aws.sessions.expire("444455556666") == 0
    await put((at, "m"))
    assert aws.sessions.expire(ACCOUNT) == 1
    with pytest.raises(CredentialsExpired):
        await put((at, "m"))
    assert len(aws.holdings.puts) == 2


async def test_a_late_signature_is_none(aws: StrictAws, session: Credentials) -> None:
    """Five minutes, either way."""
    async with open_http(trust=ssl.create_default_context()) as http:
        for ahead in (-301.0, 301.0):
            late = CloudWatchLogs(http, endpoints=AtTheDoor(aws.url), now_seconds=lambda: time.time() + ahead)  # noqa: B023
            with pytest.raises(Unavailable):
                await late.put(TO, events((now_ms(), "m")), credentials=session)


async def test_one_accounts_session_sees_only_its_own(put: Put) -> None:
    """The same group in another region is another group."""
    with pytest.raises(StreamMissing):
        await put((now_ms(), "m"), to=LogStream("us-east-1", TO.group, TO.stream))


async def test_faults_before_and_after(put: Put, aws: StrictAws) -> None:
    """Before: nothing was done. After: it was, and only the answer is lost, which is noted."""
    at, on = now_ms(), "logs:PutLogEvents"
    aws.faults.add(Fault(on=on, effect=Refuse(Misfortune.THROTTLED), times=1, account=ACCOUNT))
    with pytest.raises(Throttled):
        await put((at, "a"))
    aws.faults.add(Fault(on=on, effect=Reset(), times=1))
    with pytest.raises(Unavailable):
        await put((at, "b"))
    assert not aws.holdings.puts
    aws.faults.add(Fault(on=on, effect=Reset(), times=1, after=True))
    with pytest.raises(Unavailable):
        await put((at, "c"))
    aws.faults.add(Fault(on=on, effect=Delay(0.0), times=1))
    await put((at, "d"))
    assert [(put.messages, put.answered) for put in aws.holdings.puts] == [(["c"], False), (["d"], True)]


async def test_callers_are_held(put: Put, aws: StrictAws) -> None:
    """Some are let go, then all; whoever comes later is not held."""
    gate = Hold()
    aws.faults.add(Fault(on="logs:*", effect=gate))
    async with asyncio.TaskGroup() as callers:
        tasks = [callers.create_task(put((now_ms(), str(n)))) for n in range(3)]
        async with asyncio.timeout(10):
            while gate.waiting < 3:  # noqa: ASYNC110  it counts, and tells nobody
                await asyncio.sleep(0.01)
            assert not aws.holdings.puts
            gate.let(1)
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            assert (len(aws.holdings.puts), gate.waiting) == (1, 2)
            gate.release()
    await put((now_ms(), "late"))
    assert len(aws.holdings.puts) == 4


def test_which_calls_a_fault_strikes() -> None:
    """So many are let pass, so many are struck, the rest pass; others are not its business."""
    faults = Faults()
    fault = faults.add(Fault(on="s3:Get*", resource="b/harbor/*", effect=Reset(), skip=1, times=2))
    ours = calls.Call(service="s3", operation="GetObject", resource="b/harbor/x")
    others = [replace(ours, operation="PutObject"), replace(ours, resource="b/meadow/x")]
    assert [faults.due(call) for call in others] == [[], []]
    assert [len(faults.due(ours)) for _ in range(5)] == [0, 1, 1, 0, 0]
    assert (fault.seen, fault.hits) == (5, 2)
    faults.lift()
    assert faults.due(ours) == []


def test_a_share_of_the_calls() -> None:
    """About so many, and the same ones each time."""
    call = calls.Call(service="logs", operation="PutLogEvents")
    runs = []
    for _ in range(2):
        faults = Faults(seed=7)
        faults.add(Fault(on="*", effect=Reset(), share=0.5))
        runs.append([len(faults.due(call)) for _ in range(1000)])
    assert runs[0] == runs[1]
    assert 400 < sum(runs[0]) < 600


async def test_all_else_is_passed_on_as_it_came() -> None:
    """Bodies, paths and the signed Host header; a stored object is not inflated on its way."""
    stored = gzip.compress(b"text" * 1000)
    async with (
        open_site() as site,
        open_strict_aws(site.url) as aws,
        aiohttp.ClientSession(auto_decompress=False) as http,
    ):
        site.play(Answer(body=stored, headers={"Content-Encoding": "gzip", "ETag": '"e"'}))
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=AK/20260302/r/s3/aws4_request, ...", "Host": "signed:1"}
        async with http.get(f"{aws.url}/b/a%2Bb", headers=signed) as answer:
            assert (await answer.read(), answer.headers["ETag"]) == (stored, '"e"')
        [asked] = site.requests
        assert (asked.target, asked.headers["host"]) == ("/b/a%2Bb", "signed:1")
        aws.faults.add(Fault(on="s3:GetObject", effect=Truncate(0.5)))
        with pytest.raises(aiohttp.ClientPayloadError):
            async with http.get(f"{aws.url}/b/a", headers=signed) as answer:
                assert answer.content_length == len(stored)
                await answer.read()


async def test_another_process_looks_and_spoils(put: Put, aws: StrictAws) -> None:
    """Over HTTP: counts by group, faults, the end of all sessions, a clean start."""
    await put((now_ms(), "m"))
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{aws.url}/_strict/holdings") as answer:
            seen = await answer.json(content_type=None)
            assert seen["groups"] == {f"{ACCOUNT}/{REGION}/{TO.group}": {"puts": 1, "events": 1, "bytes": 27}}
        rule = {"on": "logs:*", "effect": "throttled", "times": 1}
        for document, status in ((rule, 200), ({"on": "logs:*", "effect": "no such"}, 400), ({"what": 1}, 400)):
            async with http.post(f"{aws.url}/_strict/faults", json=document) as answer:
                assert answer.status == status
        with pytest.raises(Throttled):
            await put((now_ms(), "m"))
        await http.post(f"{aws.url}/_strict/expire")
        with pytest.raises(CredentialsExpired):
            await put((now_ms(), "m"))
        await http.post(f"{aws.url}/_strict/reset")
    assert not aws.holdings.puts


async def as_root(aws: StrictAws, operation: str, body: bytes) -> tuple[int, str]:
    """Call Logs as the account's root; return the status and the body."""
    scope = f"Credential={ACCOUNT}/20260302/{REGION}/logs/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}",
        "X-Amz-Target": f"Logs_20140328.{operation}",
    }
    async with aiohttp.ClientSession() as http, http.post(aws.url, data=body, headers=headers) as answer:
        return answer.status, await answer.text()

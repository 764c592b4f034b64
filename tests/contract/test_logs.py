"""What may the pipeline rely on when it delivers to CloudWatch Logs?

Only what emulators enforce, too; the limits of PutLogEvents are in ``test_log_limits.py``.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from logfanout.errors import AccessRefused, CredentialsExpired, StreamMissing
from logfanout.ports import Assumption, Credentials, Event, LogEvents, Logs, LogStream, Rejections
from logfanout.testing import World

CENTRAL, CUSTOMER = "999999999999", "111122223333"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """CloudWatch Logs, reached with a tenant's session."""

    logs: Logs
    to: LogStream
    session: Callable[..., Awaitable[Credentials]]  # (may=the actions its role allows)
    stored: Callable[[LogStream], Awaitable[list[tuple[int, str]]]]
    retention_days: Callable[[LogStream], Awaitable[int | None]]
    now_ms: Callable[[], int]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side, name) if isinstance(side, World) else real(side, name)


def fake(world: World, name: str) -> Stage:
    arn = f"arn:aws:iam::{CUSTOMER}:role/{name}"
    world.tokens.trust(arn)

    async def session(may: tuple[str, ...] = ("put", "create_stream", "create_group")) -> Credentials:
        denied = {"put", "create_stream", "create_group"} - set(may)
        if denied:
            world.logs.forbid(CUSTOMER, *denied)
        return await world.tokens.assume(Assumption(role_arn=arn, session_name="s-1"), using=None)

    async def stored(to: LogStream) -> list[tuple[int, str]]:
        return world.logs.events(CUSTOMER, to.group, stream=to.stream, region=to.region)

    async def retention_days(to: LogStream) -> int | None:
        return world.logs.retention_days(CUSTOMER, to.group, region=to.region)

    return Stage(
        logs=world.logs,
        to=LogStream("us-west-2", f"/acme/{name}", "web-pod-1"),
        session=session,
        stored=stored,
        retention_days=retention_days,
        now_ms=world.clock.epoch_ms,
    )


ACTIONS = {
    "put": "logs:PutLogEvents",
    "create_stream": "logs:CreateLogStream",
    "create_group": "logs:CreateLogGroup",
}


def real(cloud: Any, name: str) -> Stage:
    async def session(may: tuple[str, ...] = tuple(ACTIONS)) -> Credentials:
        trust = policy(Principal={"AWS": f"arn:aws:iam::{CENTRAL}:root"}, Action="sts:AssumeRole")
        allowed = [ACTIONS[method] for method in may] + ["logs:PutRetentionPolicy"]
        async with cloud.client("iam", account=CUSTOMER) as iam:
            role = await iam.create_role(RoleName=f"{name}-{len(may)}", AssumeRolePolicyDocument=trust)
            document = policy(Action=allowed, Resource="*")
            await iam.put_role_policy(RoleName=f"{name}-{len(may)}", PolicyName="may", PolicyDocument=document)
        wanted = Assumption(role_arn=role["Role"]["Arn"], session_name="s-1")
        credentials: Credentials = await cloud.aws.tokens().assume(wanted, using=None)
        return credentials

    async def stored(to: LogStream) -> list[tuple[int, str]]:
        async with cloud.client("logs", account=CUSTOMER, region=to.region) as logs:
            answer = await logs.get_log_events(logGroupName=to.group, logStreamName=to.stream, startFromHead=True)
        return [(event["timestamp"], event["message"]) for event in answer["events"]]

    async def retention_days(to: LogStream) -> int | None:
        async with cloud.client("logs", account=CUSTOMER, region=to.region) as logs:
            [group] = (await logs.describe_log_groups(logGroupNamePrefix=to.group))["logGroups"]
        days: int | None = group.get("retentionInDays")
        return days

    return Stage(
        logs=cloud.aws.logs(),
        to=LogStream("us-west-2", f"/acme/{name}", "web-pod-1"),
        session=session,
        stored=stored,
        retention_days=retention_days,
        now_ms=lambda: int(time.time() * 1000),
    )


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def events(at_ms: int, *messages: str) -> LogEvents:
    """Return messages a millisecond apart, as the pipeline hands them over."""
    return LogEvents.of([Event(at_ms + n, msgspec.Raw(msgspec.json.encode(m))) for n, m in enumerate(messages)])


async def ready(stage: Stage) -> Credentials:
    """Make group and stream; return the session that did."""
    session = await stage.session()
    await stage.logs.create_group(stage.to, retention_days=None, credentials=session)
    await stage.logs.create_stream(stage.to, credentials=session)
    return session


async def test_events_arrive_in_order_and_whole(stage: Stage) -> None:
    """Every character of them; a token's escapes are JSON's, not the message's."""
    session, at_ms = await ready(stage), stage.now_ms()
    messages = ["plain", "é 日本 🦆", 'quote " backslash \\ newline \n tab \t', "\u0001\u001f", " "]
    escaped = Event(at_ms + 9, msgspec.Raw(b'"\\u00e9\\ud83e\\udd86\\/"'))
    batch = LogEvents.of([*events(at_ms, *messages).decoded(), escaped])
    assert await stage.logs.put(stage.to, batch, credentials=session) == Rejections()
    expected = [(at_ms + n, message) for n, message in enumerate(messages)]
    assert await stage.stored(stage.to) == [*expected, (at_ms + 9, "é🦆/")]


async def test_a_put_says_what_is_missing(stage: Stage) -> None:
    """First the group, then the stream: both are made when a put says so, never looked for."""
    session, batch = await stage.session(), events(stage.now_ms(), "m")
    with pytest.raises(StreamMissing):
        await stage.logs.put(stage.to, batch, credentials=session)
    with pytest.raises(StreamMissing):
        await stage.logs.create_stream(stage.to, credentials=session)
    await stage.logs.create_group(stage.to, retention_days=None, credentials=session)
    with pytest.raises(StreamMissing):
        await stage.logs.put(stage.to, batch, credentials=session)
    await stage.logs.create_stream(stage.to, credentials=session)
    assert await stage.logs.put(stage.to, batch, credentials=session) == Rejections()


async def test_making_what_exists_is_fine(stage: Stage) -> None:
    """Many workers make the same group at once; its retention is the first one's."""
    session = await stage.session()
    await stage.logs.create_group(stage.to, retention_days=30, credentials=session)
    await stage.logs.create_group(stage.to, retention_days=7, credentials=session)
    await stage.logs.create_stream(stage.to, credentials=session)
    await stage.logs.create_stream(stage.to, credentials=session)
    assert await stage.retention_days(stage.to) == 30


async def test_without_a_wish_a_group_keeps_for_ever(stage: Stage) -> None:
    """As CloudWatch does by default."""
    await ready(stage)
    assert await stage.retention_days(stage.to) is None


async def test_a_region_is_its_own_world(stage: Stage) -> None:
    """The same names elsewhere are not there."""
    session = await ready(stage)
    with pytest.raises(StreamMissing):
        elsewhere = LogStream("eu-north-1", stage.to.group, stage.to.stream)
        await stage.logs.put(elsewhere, events(stage.now_ms(), "m"), credentials=session)


async def test_puts_side_by_side_all_arrive(stage: Stage) -> None:
    """No sequence token is needed any more."""
    session, at_ms = await ready(stage), stage.now_ms()
    puts = (stage.logs.put(stage.to, events(at_ms, f"m{n}"), credentials=session) for n in range(20))
    assert await asyncio.gather(*puts) == [Rejections()] * 20
    assert sorted(message for _, message in await stage.stored(stage.to)) == sorted(f"m{n}" for n in range(20))


async def test_a_role_may_forbid(stage: Stage) -> None:
    """The tenant made the group and lets nobody make one."""
    await ready(stage)
    session = await stage.session(may=("put", "create_stream"))
    with pytest.raises(AccessRefused):
        await stage.logs.create_group(stage.to, retention_days=None, credentials=session)
    assert await stage.logs.put(stage.to, events(stage.now_ms(), "m"), credentials=session) == Rejections()


async def test_a_session_nobody_gave_is_expired(stage: Stage) -> None:
    """As one that ended is: a new one is what it takes."""
    session = await ready(stage)
    forged = replace(session, access_key="ASIAFORGED0000000000", token="forged")
    with pytest.raises(CredentialsExpired):
        await stage.logs.put(stage.to, events(stage.now_ms(), "m"), credentials=forged)

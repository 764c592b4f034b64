"""A batch gets into its stream whatever CloudWatch says meanwhile, and what it never takes is named."""

import asyncio
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logfanout.errors import (
    AccessRefused,
    BatchUnreadable,
    CredentialsExpired,
    LogfanoutError,
    StreamMissing,
    Throttled,
    Unavailable,
)
from logfanout.pipeline.stream_batches import Batch
from logfanout.pipeline.writer import Placed, Writer
from logfanout.ports import Credentials, Event, LogEvents, LogStream, Rejections
from logfanout.retrying import ATTEMPTS, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
from logfanout.tenants import log_groups
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.log_groups import CloudWatchDestination
from logfanout.tenants.rows import Fields
from logfanout.testing import World, run, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import CENTRAL_ROLE

ACCOUNT = "111122223333"
GROUP = "/platform/logs"
DAY_MS = 86_400_000


async def destination_of(world: World, tenant: str) -> CloudWatchDestination:
    """The group the tenant's row names."""
    [row] = await world.rows.of(tenant)
    return log_groups.read(Fields(row=row, tenant=tenant, region="us-east-1"))


class Scene:
    """A writer, one tenant and its CloudWatch."""

    def __init__(self, **fields: Any) -> None:
        self.world = World()
        self.world.add_tenant("acme", account=ACCOUNT, **fields)
        cache = CredentialCache(
            tokens=self.world.tokens, central_role=CENTRAL_ROLE, external_id=CENTRAL_ACCOUNT, clock=self.world.clock
        )
        self.writer = Writer(self.world.logs, credentials=cache)
        self.fields = fields

    async def destination(self) -> CloudWatchDestination:
        return await destination_of(self.world, "acme")

    async def put(self, given: Batch) -> Placed:
        return await self.writer.put(given, destination=await self.destination())

    @property
    def messages(self) -> list[str]:
        return self.world.logs.messages(ACCOUNT, GROUP)


def batch(*messages: str, stream: str = "web-2026-03-02", at_ms: int = NOON_MS, times: Sequence[int] = ()) -> Batch:
    events = [
        Event(at, msgspec.Raw(msgspec.json.encode(message)))
        for at, message in zip(times or [at_ms] * len(messages), messages, strict=True)
    ]
    return Batch(
        stream=stream,
        log_events=LogEvents.of(events),
        positions=list(range(len(messages))),
        size_bytes=sum(len(message) + 26 for message in messages),
    )


def taken(placed: Placed) -> list[int]:
    return sorted(position for positions in placed.taken for position in positions)


# Making what is missing.


@virtual_time
async def test_a_missing_group_and_stream_are_made_by_the_put_that_misses_them() -> None:
    """Nothing is described first: the first put finds out."""
    scene = Scene()
    placed = await scene.put(batch("a", "b"))
    assert (placed.delivered, placed.refused) == (2, {})
    assert scene.messages == ["a", "b"]
    assert dict(scene.world.logs.calls) == {"put": 2, "create_stream": 2, "create_group": 1}
    assert scene.world.logs.retention_days(ACCOUNT, GROUP) is None


@virtual_time
async def test_many_that_miss_the_same_make_it_once() -> None:
    """Fifty puts find the group missing; it is made by one of them while the others wait."""
    scene = Scene()
    scene.world.logs.slow(0.2)
    async with asyncio.TaskGroup() as puts:
        for n in range(50):
            puts.create_task(scene.put(batch(f"{n}")))
    assert sorted(scene.messages, key=int) == [f"{n}" for n in range(50)]
    assert scene.world.logs.calls["create_group"] == 1
    assert scene.world.logs.calls["create_stream"] == 2


@virtual_time
async def test_a_new_group_keeps_events_as_long_as_the_tenant_asks() -> None:
    """Retention is set where the group is made by us, and a group that is there stays as it is."""
    scene = Scene(log_retention_days=7)
    await scene.put(batch("a"))
    assert scene.world.logs.retention_days(ACCOUNT, GROUP) == 7
    kept = Scene(log_retention_days=7)
    kept.world.logs.add_group(ACCOUNT, GROUP, retention_days=30)
    await kept.put(batch("a"))
    assert kept.world.logs.retention_days(ACCOUNT, GROUP) == 30


@virtual_time
async def test_a_tenant_may_forbid_to_make_groups() -> None:
    """Who made the group itself need not let us make any."""
    scene = Scene()
    scene.world.logs.add_group(ACCOUNT, GROUP)
    scene.world.logs.forbid(ACCOUNT, "create_group")
    assert (await scene.put(batch("a"))).delivered == 1
    assert scene.world.logs.calls["create_group"] == 0


@virtual_time
async def test_a_group_that_is_missing_and_may_not_be_made_is_a_refusal() -> None:
    """It is the tenant's to change, and not tried over and over here."""
    scene = Scene()
    scene.world.logs.forbid(ACCOUNT, "create_group")
    with pytest.raises(AccessRefused):
        await scene.put(batch("a"))
    assert scene.world.logs.calls["put"] == 1


@virtual_time
async def test_a_group_deleted_meanwhile_heals() -> None:
    """The next put makes it again."""
    scene = Scene()
    await scene.put(batch("a"))
    scene.world.logs.remove_group(ACCOUNT, GROUP)
    await scene.put(batch("b"))
    assert scene.messages == ["a", "b"]


@virtual_time
async def test_making_is_tried_again() -> None:
    """CreateLogStream is throttled at a few calls a second: a new day begins with many of them."""
    scene = Scene()
    scene.world.logs.fail_next(2, Throttled("rate exceeded"), on="create_stream")
    scene.world.logs.fail_next(2, Unavailable("503"), on="create_group")
    scene.world.logs.fail_next(1, CredentialsExpired("expired"), on="create_stream")
    assert (await scene.put(batch("a"))).delivered == 1


@virtual_time
async def test_what_is_made_and_missing_each_time_is_given_up() -> None:
    """A put does not go round in circles."""
    scene = Scene()
    scene.world.logs.fail_next(10**6, StreamMissing("The specified log stream does not exist."), on="put")
    with pytest.raises(StreamMissing):
        await scene.put(batch("a"))
    assert scene.world.logs.calls["put"] == ATTEMPTS


# Trying again.


@pytest.mark.parametrize("error", [Throttled("rate exceeded"), Unavailable("503")])
@virtual_time
async def test_what_passes_is_waited_out(error: LogfanoutError) -> None:
    """Throttling and outages shorter than our patience are nobody's business."""
    scene = Scene()
    await scene.put(batch("a"))
    scene.world.logs.fail_next(ATTEMPTS - 1, error, on="put")
    assert (await scene.put(batch("b"))).delivered == 1
    assert scene.messages == ["a", "b"]


@virtual_time
async def test_waits_grow_and_are_jittered() -> None:
    """Many that failed together do not come back together, and each asks less often the longer it fails."""
    scene = Scene()
    await scene.put(batch("a"))
    times: list[list[float]] = []
    logs = scene.world.logs

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(logs, name)

        async def put(self, to: LogStream, events: LogEvents, *, credentials: Credentials) -> Rejections:
            times[-1].append(asyncio.get_running_loop().time())
            return await logs.put(to, events, credentials=credentials)

    writer = Writer(Watched(), credentials=scene.writer._credentials)
    for _ in range(30):
        times.append([])
        logs.fail_next(ATTEMPTS, Throttled("rate exceeded"), on="put")
        with pytest.raises(Throttled):
            await writer.put(batch("b"), destination=await scene.destination())
    waits = [[after - before for before, after in pairwise(each)] for each in times]
    for n in range(ATTEMPTS - 1):
        longest = min(FIRST_WAIT_SECONDS * 2**n, LONGEST_WAIT_SECONDS)
        column = [each[n] for each in waits]
        assert 0 <= min(column) < longest / 2 < max(column) <= longest + 0.001
    assert len({round(sum(each), 6) for each in waits}) > 20


@virtual_time
async def test_what_lasts_is_left_to_sqs() -> None:
    """After some seconds the error comes out, and the message is given back."""
    scene = Scene()
    scene.world.logs.fail_next(10**6, Throttled("rate exceeded"), on="put")
    with pytest.raises(Throttled):
        await scene.put(batch("a"))
    assert scene.world.logs.calls["put"] == ATTEMPTS


@virtual_time
async def test_an_access_refusal_is_not_tried_again() -> None:
    """Its owner can change it, seconds cannot."""
    scene = Scene()
    scene.world.logs.add_group(ACCOUNT, GROUP)
    scene.world.logs.forbid(ACCOUNT, "put")
    with pytest.raises(AccessRefused):
        await scene.put(batch("a"))
    assert scene.world.logs.calls["put"] == 1


@virtual_time
async def test_a_token_that_ends_is_renewed_and_the_put_goes_on() -> None:
    """A session may be over before its time: revoked, or the clocks differ."""
    scene = Scene()
    await scene.put(batch("a"))
    role = (await scene.destination()).role_arn
    scene.world.tokens.expire(role)
    await scene.put(batch("b"))
    scene.world.tokens.expire()  # the central role's too
    await scene.put(batch("c"))
    assert scene.messages == ["a", "b", "c"]
    assert [wanted.role_arn for wanted in scene.world.tokens.assumed].count(role) == 3


@virtual_time
async def test_a_put_whose_answer_was_lost_is_sent_again() -> None:
    """Delivery is at least once: CloudWatch has no way to say that it has had a batch."""
    scene = Scene()
    await scene.put(batch("a"))
    scene.world.logs.fail_next(1, Unavailable("reset"), on="put", after=True)
    assert (await scene.put(batch("b"))).delivered == 1
    assert scene.messages == ["a", "b", "b"]


# What CloudWatch refuses.


@virtual_time
async def test_a_bad_event_is_found_by_halving() -> None:
    """CloudWatch does not say which event of a batch it cannot read: the others are delivered, in their order."""
    scene = Scene()
    messages = [f"{n}" for n in range(100)]
    messages[37] = ""  # CloudWatch takes no empty event
    placed = await scene.put(batch(*messages))
    assert (placed.delivered, placed.refused) == (99, {"refused_alone": 1})
    assert scene.messages == [message for message in messages if message]
    assert taken(placed) == [n for n in range(100) if n != 37]
    assert [list(outcasts.positions) for outcasts in placed.outcasts] == [[37]]
    assert scene.world.logs.calls["put"] < 25


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(lambda bad: not all(bad)))
def test_halving_finds_every_bad_event_and_no_other(bad: list[bool]) -> None:
    """However many there are and wherever they stand."""

    async def story() -> None:
        scene = Scene()
        placed = await scene.put(batch(*("" if is_bad else f"{n}" for n, is_bad in enumerate(bad))))
        assert placed.delivered == len(bad) - sum(bad) == len(scene.messages)
        assert sum(placed.refused.values()) == sum(bad)
        assert scene.messages == [f"{n}" for n in taken(placed)]

    run(story())


@virtual_time
async def test_one_bad_event_alone_is_refused_alone() -> None:
    """A batch of one needs no halving."""
    placed = await Scene().put(batch(""))
    assert (placed.delivered, placed.refused) == (0, {"refused_alone": 1})


@virtual_time
async def test_when_every_event_is_refused_none_of_them_is_the_cause() -> None:
    """Something about the request is wrong, not about the logs: they are kept, not counted away."""
    with pytest.raises(BatchUnreadable, match="all of 5 events"):
        await Scene().put(batch(*[""] * 5))


@virtual_time
async def test_what_is_rejected_singly_is_named_and_the_rest_is_delivered() -> None:
    """Too old, expired and too new events of a batch cost themselves only."""
    scene = Scene()
    scene.world.logs.add_group(ACCOUNT, GROUP, retention_days=3)
    times = [NOON_MS + round(days * DAY_MS) for days in (-15, -14.5, -3.1, -2.9, 0, 0.05, 0.2)]
    placed = await scene.put(batch("a", "b", "c", "d", "e", "f", "g", times=times))
    assert placed.refused == {"too_old": 2, "expired": 1, "too_new": 1}
    assert placed.delivered == 3


times = st.one_of(
    st.integers(NOON_MS - 3600_000, NOON_MS + 3 * 3600_000), st.integers(NOON_MS - 20 * DAY_MS, NOON_MS + DAY_MS)
)


@settings(max_examples=60)
@given(st.lists(times, min_size=1, max_size=12).map(sorted), st.sampled_from([None, 1, 7, 30]))
def test_any_rejections_are_counted_as_cloudwatch_means_them(times: list[int], retention: int | None) -> None:
    """What is called delivered is what is stored, event by event: the ends are exclusive, the start is inclusive."""

    async def story() -> None:
        scene = Scene()
        scene.world.logs.add_group(ACCOUNT, GROUP, retention_days=retention)
        try:
            placed = await scene.put(batch(*(f"{n}" for n in range(len(times))), times=times))
        except BatchUnreadable:  # it spans more than a day: no batch of ours does
            return
        assert placed.delivered + sum(placed.refused.values()) == len(times)
        stored = sorted(int(message) for message in scene.messages)
        assert stored == taken(placed)
        assert placed.delivered == len(stored)
        cast_out = [position for outcasts in placed.outcasts for position in outcasts.positions]
        assert sorted(stored + cast_out) == list(range(len(times)))

    run(story())


indexes = st.one_of(st.none(), st.integers(-5, 15))


@given(st.integers(1, 8), st.integers(-5, 15), st.integers(-5, 15), indexes)
def test_indexes_out_of_range_lose_count_of_nothing(
    count: int, too_old: int, expired: int, too_new: int | None
) -> None:
    """Emulators answer with indexes that mean nothing; every event is still accounted for once."""
    placed = Placed()
    given = batch(*["x"] * count)
    placed.sort_out(given, Rejections(too_old_end=too_old, expired_end=expired, too_new_start=too_new))
    cast_out = [position for outcasts in placed.outcasts for position in outcasts.positions]
    assert sorted(taken(placed) + cast_out) == list(range(count))
    assert placed.delivered == len(taken(placed))


# Many at once.


@virtual_time
async def test_one_account_does_not_hold_up_another() -> None:
    """A tenant whose CloudWatch is slow or throttled waits alone."""
    scene = Scene()
    other = scene.world.add_tenant("other", account="444455556666")
    scene.world.logs.slow(60, where=ACCOUNT)
    slow = asyncio.create_task(scene.put(batch("a")))
    their_group = await destination_of(scene.world, "other")
    async with asyncio.timeout(1):
        for n in range(20):
            await scene.writer.put(batch(f"{n}"), destination=their_group)
    assert len(scene.world.logs.messages("444455556666", other.group)) == 20
    assert not slow.done()
    assert (await slow).delivered == 1


@virtual_time
async def test_who_is_cancelled_does_not_take_the_others_along() -> None:
    """The stream that one put was making is still made for the puts that wait for it."""
    scene = Scene()
    scene.world.logs.slow(1, on="create_stream")
    scene.world.logs.slow(1, on="create_group")
    first = asyncio.create_task(scene.put(batch("first")))
    others = [asyncio.create_task(scene.put(batch(f"{n}"))) for n in range(3)]
    await asyncio.sleep(0.5)
    first.cancel()
    assert [(await each).delivered for each in others] == [1, 1, 1]
    assert scene.world.logs.calls["create_group"] == 1
    with pytest.raises(asyncio.CancelledError):
        await first


@virtual_time
async def test_the_repr_names_no_secret() -> None:
    """Whatever is printed in a crash says nothing that signs."""
    scene = Scene()
    await scene.put(batch("a"))
    credentials = await scene.writer._credentials.of(await scene.destination())
    shown = f"{scene.writer!r} {scene.writer._credentials!r} {credentials!r} {scene.writer._credentials._sessions!r}"
    assert not re.search(r"secret-\d|token-\d", shown)

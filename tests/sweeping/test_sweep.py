"""What lies in a bucket is delivered, once for each writing of it, by scans and replays on the shipped fakes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from logfanout.errors import AccessRefused, Throttled, Unavailable
from logfanout.ledger.object_ids import object_id
from logfanout.memory import Gate
from logfanout.pipeline import notices
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import Listed, ObjectRef
from logfanout.sweeping.listings import as_ref
from logfanout.sweeping.reach import Reach
from logfanout.sweeping.replay import ATTEMPTS, Asked, Replay, Totals
from logfanout.sweeping.scan import Scan
from logfanout.sweeping.sweep import MOST_FOLLOWED, ROOM_IN_LANE, Sweep, Terms
from logfanout.testing import TenantSetup, World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import MIB, courier_in
from logfanout.testing.world import BUCKET, ndjson

LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")


def enrol(world: World, *names: str) -> list[TenantSetup]:
    return [world.add_tenant(name, account=f"{n:012}") for n, name in enumerate(names, 111_122_223_333)]


def lay(world: World, tenant: str, *names: str) -> None:
    """Put objects of one line each, their name, that nobody announces."""
    for name in names:
        world.upload(f"{tenant}/c1/web/pod-1/{name}", ndjson(name, at_ms=NOON_MS), announce=False)


def arrived(world: World, tenant: TenantSetup) -> list[str]:
    return world.logs.messages(tenant.account, tenant.group)


def sweep_in(world: World, *, uri: str = f"s3://{BUCKET}", **given: Any) -> Sweep:
    """A sweep as ``sweeps`` puts it together."""
    terms = {"slots": 32, "give_back_seconds": 30.0} | given.pop("terms", {})
    rules = {"remember_finished": True, "with_fleet_ledger": given.pop("with_fleet_ledger", False)}
    gate = Gate(64 * MIB)
    return Sweep(
        courier_in(world, gate=gate, **rules),
        listing=world.bucket,
        reach=Reach.parse(uri),
        gate=gate,
        terms=Terms(**terms),
        **given,
    )


class Scanning:
    """A scan at work."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.stop = asyncio.Event()
        self.left = -1

    async def until(self, done: Callable[[], bool], *, within: float = 86_400) -> None:
        async with asyncio.timeout(within):
            while not done():  # noqa: ASYNC110  the loop's time jumps
                await asyncio.sleep(0.5)


@asynccontextmanager
async def at_work(
    world: World, *, interval: float = 10.0, drain_seconds: float = 25.0, **given: Any
) -> AsyncIterator[Scanning]:
    """A scan while the block lasts."""
    sweep = sweep_in(world, **given)
    at = Scanning(Scan(sweep, reach=Reach.parse(f"s3://{BUCKET}"), interval_seconds=interval))
    async with asyncio.TaskGroup() as group:

        async def serve() -> None:
            at.left = await at.scan.serve(stop=at.stop, drain_seconds=drain_seconds)

        group.create_task(serve())
        yield at
        at.stop.set()
    assert at.scan.in_hand == 0
    assert world.bucket.open_now == 0


# Scan.


@virtual_time
async def test_what_lies_there_and_what_comes_is_delivered_once() -> None:
    """All pages of it, round after round, for a day."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    lay(world, "acme", *map(str, range(25)))
    lay(world, "other", "a")
    async with at_work(world, interval=600, terms={"page_size": 10}) as scanning:
        await scanning.until(lambda: len(arrived(world, acme)) == 25, within=5)
        lay(world, "other", "b")
        await scanning.until(lambda: len(arrived(world, other)) == 2, within=602)
        await asyncio.sleep(86_400)
    assert Counter(arrived(world, acme)) == Counter(map(str, range(25)))
    assert arrived(world, other) == ["a", "b"]
    assert world.bucket.calls["open"] == 27
    assert scanning.left == 0


@virtual_time
async def test_a_rewritten_object_is_delivered_again() -> None:
    """The same key, but another writing: by its content, or by its time alone."""
    world = World()
    (acme,) = enrol(world, "acme")
    async with at_work(world):
        for _ in range(2):
            lay(world, "acme", "a")
            await asyncio.sleep(60)
    assert arrived(world, acme) == ["a", "a"]


@virtual_time
async def test_a_restart_repeats_nothing_with_a_ledger() -> None:
    """And everything without."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", "a", "b")
    for _ in range(3):
        async with at_work(world, with_fleet_ledger=True):
            await asyncio.sleep(60)
    assert sorted(arrived(world, acme)) == ["a", "b"]
    async with at_work(world):
        await asyncio.sleep(60)
    assert sorted(arrived(world, acme)) == ["a", "a", "b", "b"]


@virtual_time
async def test_what_failed_is_tried_again_ever_more_seldom() -> None:
    """Until it is delivered; the others are not kept from theirs."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.logs.fail_next(10**6, Throttled("rate exceeded"), where=acme.account)
    lay(world, "acme", "a")
    async with at_work(world) as scanning:
        await asyncio.sleep(3600)
        opened = world.bucket.calls["open"]
        assert 5 <= opened <= 12
        lay(world, "other", "b")
        await scanning.until(lambda: arrived(world, other) == ["b"], within=12)
        world.logs.heal()
        await scanning.until(lambda: arrived(world, acme) == ["a"], within=1000)


@virtual_time
async def test_what_can_never_be_delivered_is_tried_once() -> None:
    """And set aside with its reason where somebody wants it."""
    world = World()
    lay(world, "nobody", "a")
    world.upload("short", b"x", announce=False)
    async with at_work(world, dead_letters=world.dead_letters):
        await asyncio.sleep(3600)
    assert sorted(world.dead_letters.reasons()) == ["bad_key", "unknown_tenant"]
    [key] = [
        ref.key
        for letter in world.dead_letters.letters
        if letter.attributes["logfanout.reason"] == "unknown_tenant"
        for ref in notices.parse(letter.body)
    ]
    assert key == "nobody/c1/web/pod-1/a"


@virtual_time
async def test_without_a_dead_letter_queue_it_is_logged_and_left() -> None:
    """There is no queue that would show it again."""
    world = World()
    enrol(world, "acme")
    world.upload("acme/c1/web/pod-1/a", b"{]", announce=False, compress=False)
    lay(world, "nobody", "a")
    async with at_work(world):
        await asyncio.sleep(3600)
    assert world.bucket.calls["open"] <= 1
    assert world.dead_letters.letters == []


@virtual_time
async def test_a_dead_letter_that_cannot_be_sent_is_sent_later() -> None:
    """The object is tried again, and comes to the same end."""
    world = World()
    lay(world, "nobody", "a")
    world.dead_letters.fail_next(20, Unavailable("503"))
    async with at_work(world, dead_letters=world.dead_letters):
        await asyncio.sleep(3600)
    assert world.dead_letters.reasons() == ["unknown_tenant"]


@virtual_time
async def test_what_is_gone_is_not_tried_again() -> None:
    """A failed object that nobody lists any more is nobody's concern."""
    world = World()
    (acme,) = enrol(world, "acme")
    world.logs.fail_next(10**6, Throttled("rate exceeded"))
    lay(world, "acme", "a")
    async with at_work(world, dead_letters=world.dead_letters) as scanning:
        await scanning.until(lambda: scanning.scan._sweep.waiting == 1)
        world.bucket.remove(ObjectRef(bucket=BUCKET, key="acme/c1/web/pod-1/a", size_bytes=0))
        await asyncio.sleep(3600)
        assert scanning.scan._sweep.waiting == 0
    assert arrived(world, acme) == []
    assert world.dead_letters.letters == []


@pytest.mark.parametrize("error", [Unavailable("503"), AccessRefused("AccessDenied")])
@virtual_time
async def test_a_list_that_fails_is_asked_for_again(error: Exception) -> None:
    """The worker is not ready meanwhile; nothing is forgotten by half a list, nor delivered again after it."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", *map(str, range(25)))
    async with at_work(world, terms={"page_size": 10}) as scanning:
        await scanning.until(lambda: len(arrived(world, acme)) == 25)
        assert scanning.scan.receiving
        world.bucket.fail_next(100, error, on="page")
        await scanning.until(lambda: not scanning.scan.receiving, within=60)
        world.bucket.heal()
        await scanning.until(lambda: scanning.scan.receiving, within=60)
        await asyncio.sleep(3600)
    assert len(arrived(world, acme)) == 25


@pytest.mark.parametrize("objects", [20, pytest.param(600, marks=pytest.mark.long)])
@virtual_time
async def test_a_slow_tenant_leaves_slots_to_the_others(objects: int) -> None:
    """Though its objects are listed first, and are more than may wait; once it is quick, it has each of them once."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.logs.slow(600, where=acme.account)
    lay(world, "acme", *map(str, range(objects)))
    lay(world, "other", "b")
    async with at_work(world, terms={"slots": 8}) as scanning:
        await scanning.until(lambda: arrived(world, other) == ["b"], within=10)
        assert scanning.scan.in_hand <= ROOM_IN_LANE + 8
        lay(world, "other", "c")
        await scanning.until(lambda: arrived(world, other) == ["b", "c"], within=30)
        world.logs.heal()
        await scanning.until(lambda: len(arrived(world, acme)) >= objects, within=8000)
        lay(world, "acme", "one more")
        await scanning.until(lambda: "one more" in arrived(world, acme), within=30)
    assert Counter(arrived(world, acme)) == Counter([*map(str, range(objects)), "one more"])


@virtual_time
@pytest.mark.long
async def test_what_is_tried_again_does_not_hold_up_what_comes() -> None:
    """A tenant lets its backlog in again, and takes it slowly: the place is listed for the others all the same."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.logs.forbid(acme.account)
    lay(world, "acme", *map(str, range(2000)))
    async with at_work(world, terms={"slots": 8}) as scanning:
        await scanning.until(lambda: scanning.scan._sweep.waiting == 2000, within=60)
        world.logs.slow(5, where=acme.account)
        world.logs.allow(acme.account)
        await scanning.until(lambda: len(arrived(world, acme)) >= 30, within=1000)
        lay(world, "other", "b")
        await scanning.until(lambda: arrived(world, other) == ["b"], within=30)
        world.logs.heal()
        await scanning.until(lambda: len(arrived(world, acme)) >= 2000, within=3000)
    assert Counter(arrived(world, acme)) == Counter(map(str, range(2000)))


@virtual_time
@pytest.mark.long
async def test_many_slow_tenants_are_not_followed_without_end() -> None:
    """What no list of its own can be had for is left to a later round."""
    world = World()
    *slow, other = enrol(world, *(f"acme-{n:02}" for n in range(12)), "other")
    for tenant in slow:
        world.logs.slow(100, where=tenant.account)
        lay(world, tenant.name, *map(str, range(300)))
    lay(world, "other", "b")
    async with at_work(world, terms={"slots": 64}) as scanning:
        await scanning.until(lambda: len(scanning.scan._sweep._followed) == MOST_FOLLOWED, within=30)
        # More lanes are slow than the reserve has slots: the other waits for one of theirs, as in the fleet.
        await scanning.until(lambda: arrived(world, other) == ["b"], within=600)
        world.logs.heal()
        await scanning.until(lambda: all(len(arrived(world, each)) >= 300 for each in slow), within=10_000)
        assert not scanning.scan._sweep._followed
    for tenant in slow:
        assert Counter(arrived(world, tenant)) == Counter(map(str, range(300)))


@virtual_time
async def test_told_to_stop_it_finishes_what_is_in_hand() -> None:
    """What waits is left for the next; in time."""
    world = World()
    (acme,) = enrol(world, "acme")
    world.logs.slow(5, on="put")
    lay(world, "acme", *(f"{n:03}" for n in range(100)))
    began = asyncio.get_running_loop().time()
    async with at_work(world, terms={"slots": 4}, with_fleet_ledger=True) as scanning:
        await asyncio.sleep(1)
    assert asyncio.get_running_loop().time() - began < 26
    assert scanning.left == 100 - len(arrived(world, acme)) > 0
    world.logs.heal()
    async with at_work(world, with_fleet_ledger=True):
        await asyncio.sleep(60)
    assert Counter(arrived(world, acme)) == Counter(f"{n:03}" for n in range(100))


@virtual_time
async def test_a_drain_has_an_end() -> None:
    """Whatever hangs."""
    world = World()
    enrol(world, "acme")
    world.logs.slow(10**6)
    world.ledger.slow(10**6)
    lay(world, "acme", *map(str, range(10)))
    began = asyncio.get_running_loop().time()
    async with at_work(world, with_fleet_ledger=True, drain_seconds=8) as scanning:
        await asyncio.sleep(10)
    assert asyncio.get_running_loop().time() - began <= 18
    assert scanning.left == 10


# Replay.


async def replayed(
    world: World,
    *,
    stop: asyncio.Event | None = None,
    with_fleet_ledger: bool = False,
    terms: dict[str, Any] | None = None,
    told: Callable[[Totals], None] | None = None,
    uri: str = f"s3://{BUCKET}",
    **asked: Any,
) -> Totals:
    replay = Replay(Asked(reach=Reach.parse(uri), **asked), layout=LAYOUT, told=told)
    sweep = sweep_in(
        world,
        uri=uri,
        terms={"attempts": ATTEMPTS, "in_order": True} | (terms or {}),
        wanted=replay.wants,
        told=replay.note,
        with_fleet_ledger=with_fleet_ledger,
    )
    return await replay.run(sweep, stop=stop or asyncio.Event(), drain_seconds=25)


@virtual_time
async def test_again_means_again() -> None:
    """Whatever was delivered before."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", "a", "b")
    for _ in range(2):
        totals = await replayed(world)
        assert (totals.objects, totals.done, totals.failures, totals.clean) == (2, 2, [], True)
    assert sorted(arrived(world, acme)) == ["a", "a", "b", "b"]


@virtual_time
async def test_what_was_delivered_may_be_skipped() -> None:
    """As far as the ledger knows from scans and replays."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", "a")
    await replayed(world, with_fleet_ledger=True)
    lay(world, "acme", "b")
    totals = await replayed(world, with_fleet_ledger=True)
    assert totals.done == 2
    assert arrived(world, acme) == ["a", "b"]


@virtual_time
async def test_only_what_was_asked_for() -> None:
    """By place, time and tenant."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    lay(world, "acme", "1")
    await asyncio.sleep(3600)
    lay(world, "acme", "2")
    lay(world, "other", "2")
    await asyncio.sleep(3600)
    lay(world, "acme", "3")
    at = {n: NOON_MS + n * 3_600_000 for n in range(3)}
    assert (await replayed(world, since_ms=at[1], until_ms=at[2], tenants=["acme"])).objects == 1
    assert arrived(world, acme) == ["2"]
    assert (await replayed(world, uri=f"s3://{BUCKET}/other")).objects == 1
    assert (arrived(world, acme), arrived(world, other)) == (["2"], ["2"])
    assert (await replayed(world, after="acme/c1/web/pod-1/2")).objects == 2


@virtual_time
async def test_failures_are_tried_again_and_then_told() -> None:
    """With their reasons, whatever they are."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.tokens.distrust(acme.role_arn)
    world.logs.fail_next(12, Throttled("rate exceeded"), where=other.account)
    lay(world, "acme", "a")
    lay(world, "other", "b")
    lay(world, "nobody", "c")
    totals = await replayed(world)
    assert (totals.objects, totals.done, totals.clean) == (3, 1, False)
    told = {failure.ref.key: failure.reason for failure in totals.failures}
    assert told == {"acme/c1/web/pod-1/a": "access_denied", "nobody/c1/web/pod-1/c": "unknown_tenant"}
    assert all(failure.detail for failure in totals.failures)
    assert arrived(world, other) == ["b"]


@virtual_time
async def test_a_bug_ends_a_replay_too() -> None:
    """An object that crashes us at each attempt is told as failed, and not tried for ever."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", "a", "b")
    world.bucket.fail_next(10**6, RuntimeError("a bug"), on="open", where=f"s3://{BUCKET}/acme/c1/web/pod-1/a")
    totals = await replayed(world)
    assert [(failure.ref.key[-1], failure.reason) for failure in totals.failures] == [("a", "undeliverable")]
    assert arrived(world, acme) == ["b"]


@pytest.mark.parametrize("seconds", [0.5, 7.0, 31.0, 100.0])
@virtual_time
async def test_a_stopped_replay_says_where_to_go_on(seconds: float) -> None:
    """From there nothing is missed, though some may come twice."""
    world = World()
    (acme,) = enrol(world, "acme")
    names = [f"{n:03}" for n in range(60)]
    lay(world, "acme", *names)
    world.logs.slow(5, on="put")
    world.logs.fail_next(30, Throttled("rate exceeded"), on="put")
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    totals = await replayed(world, stop=stop, terms={"slots": 4})
    assert totals.stopped
    assert not totals.clean
    told = [failure.ref.key.rpartition("/")[2] for failure in totals.failures]
    world.logs.heal()
    rest = await replayed(world, after=totals.done_up_to)
    assert rest.clean
    assert {*arrived(world, acme), *told} == set(names)
    assert len(arrived(world, acme)) <= 60 + 4


@virtual_time
async def test_what_failed_before_a_stop_is_told_and_holds_nothing_up() -> None:
    """One goes on behind it, and knows what is missing."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.logs.fail_next(10**6, Throttled("rate exceeded"), where=acme.account)
    lay(world, "acme", "a")
    lay(world, "other", *map(str, range(50)))
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(40, stop.set)
    totals = await replayed(world, stop=stop)
    assert (totals.done, totals.stopped, len(arrived(world, other))) == (50, True, 50)
    assert [(failure.ref.key, failure.reason) for failure in totals.failures] == [
        ("acme/c1/web/pod-1/a", "undeliverable")
    ]
    assert totals.done_up_to == "other/c1/web/pod-1/9"


@virtual_time
async def test_progress_is_told() -> None:
    """Never more than there is, and in the end all of it."""
    world = World()
    enrol(world, "acme")
    lay(world, "acme", *map(str, range(20)))
    seen: list[tuple[int, int, bool]] = []
    await replayed(
        world,
        terms={"page_size": 5},
        told=lambda totals: seen.append((totals.done + len(totals.failures), totals.objects, totals.listed)),
    )
    assert all(done <= objects for done, objects, _ in seen)
    assert seen[-1] == (20, 20, True)


@virtual_time
async def test_a_place_that_cannot_be_listed_stops_a_replay() -> None:
    """What had begun by then is finished, and one may go on behind it."""
    world = World()
    (acme,) = enrol(world, "acme")
    lay(world, "acme", *map(str, range(20)))

    def told(totals: Totals) -> None:
        if totals.objects == 5:
            world.bucket.fail_next(100, AccessRefused("no"), on="page")

    totals = await replayed(world, terms={"page_size": 5}, told=told)
    assert (totals.clean, totals.stopped, totals.done) == (False, True, 5)
    assert "no" in totals.trouble
    assert len(arrived(world, acme)) == 5
    world.bucket.heal()
    assert (await replayed(world, after=totals.done_up_to)).done == 15


# Names.


def test_a_listed_object_has_one_name() -> None:
    """In the ledger and in a dead letter alike; another writing has another."""
    listed = Listed(key="acme/c1/web/pod-1/a b+%é", size_bytes=3, etag="e", last_modified_ms=NOON_MS)
    ref = as_ref(BUCKET, listed)
    assert notices.parse(notices.render([ref])) == (ref,)
    others = [
        Listed(key=listed.key, size_bytes=3, etag="f", last_modified_ms=NOON_MS),
        Listed(key=listed.key, size_bytes=3, etag="e", last_modified_ms=NOON_MS + 1000),
    ]
    names = {object_id(as_ref(BUCKET, each)) for each in (listed, *others)}
    assert len(names) == 3

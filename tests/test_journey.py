"""From the queue to the tenants' accounts: what is announced arrives where it belongs, and only then is deleted."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from logfanout.courier import Courier
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.memory import Gate
from logfanout.pipeline.inbox import Inbox, Terms
from logfanout.pipeline.notices import parse
from logfanout.pipeline.routes import KeyLayout
from logfanout.testing import TenantSetup, World, run, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import STREAM_NAME, parts_of, rules_of
from logfanout.testing.logs import REGION
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import CENTRAL_ROLE, ndjson, notice
from logfanout.worker import Worker

MIB = 1024 * 1024
DAY_MS = 86_400_000


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """These journeys log what they should; written out it would be most of the time they take."""
    before = structlog.get_config()
    structlog.configure(processors=[drop])
    yield
    structlog.configure(**before)


def drop(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


class Crew:
    """One worker and its inbox, as ``app`` puts them together."""

    def __init__(
        self,
        world: World,
        *,
        drain_seconds: float = 25.0,
        slots: int = 32,
        receivers: int = 4,
        lease_seconds: int = 120,
        give_back_seconds: float = 30,
        with_dead_letters: bool = True,
        with_fleet_ledger: bool = False,
        with_quarantine: bool = False,
        max_receives: int | None = None,
        budget_bytes: int = 64 * MIB,
        stream_name: str = STREAM_NAME,
        **rules: Any,
    ) -> None:
        self.world = world
        self.drain_seconds = drain_seconds
        self.stop = asyncio.Event()
        self.gate = Gate(budget_bytes)
        parts = parts_of(
            world,
            gate=self.gate,
            fleet=world.ledger if with_fleet_ledger else None,
            quarantine=world.quarantine if with_quarantine else None,
            stream_name=stream_name,
        )
        carrier = Courier(parts, rules_of(**rules))
        self.worker = Worker(carrier, max_receives=max_receives)
        self.inbox = Inbox(
            world.queue,
            dead_letters=world.dead_letters if with_dead_letters else None,
            lane=carrier.lane,
            gate=self.gate,
            terms=Terms(
                slots=slots, receivers=receivers, lease_seconds=lease_seconds, give_back_seconds=give_back_seconds
            ),
        )

    async def serve(self) -> int:
        given_back = await self.inbox.serve(self.worker.handle, stop=self.stop, drain_seconds=self.drain_seconds)
        assert self.inbox.in_hand == 0
        assert self.gate.held_bytes == 0
        assert self.world.bucket.open_now == 0
        return given_back

    async def until(self, done: Callable[[], bool], *, within: float = 7 * 86_400) -> None:
        """Let time pass until *done*."""
        async with asyncio.timeout(within):
            while not done():  # noqa: ASYNC110  the loop's time jumps
                await asyncio.sleep(0.5)

    async def until_empty(self, *, within: float = 7 * 86_400) -> None:
        """Let time pass until nothing is on the queue any more."""
        await self.until(lambda: not self.world.queue.bodies(), within=within)


@asynccontextmanager
async def at_work(world: World, **settings: Any) -> AsyncIterator[Crew]:
    """A worker while the block lasts."""
    crew = Crew(world, **settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(crew.serve())
        yield crew
        crew.stop.set()


def enrol(world: World, *names: str, **fields: Any) -> list[TenantSetup]:
    """Enrol tenants, each in an account of its own."""
    return [world.add_tenant(name, account=f"{n:012}", **fields) for n, name in enumerate(names, 111_122_223_333)]


def arrived(world: World, tenant: TenantSetup) -> list[str]:
    return world.logs.messages(tenant.account, tenant.group)


def counted(name: str, **labels: str) -> float:
    """What a metric says by now."""
    return REGISTRY.get_sample_value(f"logfanout_{name}", labels) or 0.0


# The way it should go.


@virtual_time
async def test_everything_announced_arrives_exactly() -> None:
    """Several tenants, clusters and pods, every framing and compression: each line once, where it belongs."""
    world = World()
    tenants = enrol(world, "acme", "globex", "initech")
    expected: dict[str, Counter[tuple[int, str]]] = {tenant.name: Counter() for tenant in tenants}
    for n in range(60):
        tenant = tenants[n % 3]
        lines = [f"{tenant.name} object {n} line {k}" for k in range(n * 7)]
        expected[tenant.name].update((NOON_MS - n * 1000 + k, line) for k, line in enumerate(lines))
        data = ndjson(*lines, at_ms=NOON_MS - n * 1000)
        if n % 4 == 1:
            data = b"[" + b",".join(data.splitlines()) + b"]"
        world.upload(f"{tenant.name}/c{n % 2}/web/pod-{n % 5}/{n} +%.json.gz", data, compress=n % 2 == 0)
    async with at_work(world, receivers=4) as crew:
        await crew.until_empty(within=60)
    for tenant in tenants:
        assert Counter(world.logs.events(tenant.account, tenant.group)) == expected[tenant.name]
    assert world.dead_letters.letters == []
    assert world.queue.calls["delete"] <= 60
    assert world.tokens.calls["assume"] == 4


@virtual_time
async def test_streams_are_named_for_pod_and_day() -> None:
    """An object around midnight feeds the streams of both its days."""
    world = World()
    (acme,) = enrol(world, "acme")
    midnight = NOON_MS // DAY_MS * DAY_MS
    world.upload("acme/c1/web:8080/pod*1/a.gz", ndjson("before", "after", at_ms=midnight - 1))
    async with at_work(world) as crew:
        await crew.until_empty()
    assert world.logs.streams(acme.account, acme.group) == ["web_8080-pod_1-2026-03-01", "web_8080-pod_1-2026-03-02"]
    assert world.logs.messages(acme.account, acme.group, stream="web_8080-pod_1-2026-03-01") == ["before"]


@virtual_time
async def test_the_other_layout_and_naming() -> None:
    """What an operator may choose reaches the stream's name."""
    world = World()
    (acme,) = enrol(world, "acme")
    world.upload("c1/acme/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    layout = KeyLayout.parse("{cluster}/{tenant}/{application}/{pod}/")
    async with at_work(world, layout=layout, stream_name="{cluster}/{tenant}") as crew:
        await crew.until_empty()
    assert world.logs.streams(acme.account, acme.group) == ["c1/acme"]


@virtual_time
async def test_a_large_object_is_a_stream_of_batches() -> None:
    """Tens of thousands of lines go out while they are read, few at a time, and none is lost between two batches."""
    world = World()
    (acme,) = enrol(world, "acme")
    lines = [f"line {n:06} {'x' * 200}" for n in range(50_000)]
    world.upload("acme/c1/web/pod-1/a.gz", ndjson(*lines, at_ms=NOON_MS - 50_000))
    world.logs.slow(0.1, on="put")
    async with at_work(world) as crew:
        await crew.until_empty()
    assert sorted(arrived(world, acme)) == lines
    assert 10 < len(world.logs.puts) < 40
    assert world.logs.most_under_way <= 4


@virtual_time
async def test_a_long_message_arrives_in_parts() -> None:
    """Nothing of it is cut away."""
    world = World()
    (acme,) = enrol(world, "acme")
    long = "€" * MIB
    world.upload("acme/c1/web/pod-1/a.gz", ndjson("before", long, "after", at_ms=NOON_MS))
    async with at_work(world) as crew:
        await crew.until_empty()
    first, *parts, last = [
        message for _, message in sorted(world.logs.events(acme.account, acme.group), key=lambda e: e[0])
    ]
    assert (first, "".join(parts), last) == ("before", long, "after")


@virtual_time
async def test_tenants_may_be_in_other_regions() -> None:
    """Each in its own, whatever region the worker is in."""
    world = World()
    acme = world.add_tenant("acme", account="111122223333", region="eu-west-1")
    world.upload("acme/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    async with at_work(world) as crew:
        await crew.until_empty()
    assert world.logs.events(acme.account, acme.group, region="eu-west-1") == [(NOON_MS, "line")]
    assert world.logs.events(acme.account, acme.group, region=REGION) == []


# One tenant's trouble is its own.


@pytest.mark.parametrize("trouble", ["throttled", "down", "slow", "role refused", "group refused", "sts down"])
@virtual_time
async def test_one_tenants_trouble_keeps_its_messages_and_nobody_elses(trouble: str) -> None:
    """The others are delivered meanwhile; when it is over, nothing of the tenant's is missing or doubled."""
    world = World(max_receive_count=1000)
    acme, other = enrol(world, "acme", "other")
    match trouble:
        case "throttled":
            world.logs.fail_next(10**9, Throttled("rate exceeded"), where=acme.account)
        case "down":
            world.logs.fail_next(10**9, Unavailable("503"), where=acme.account)
        case "slow":
            world.logs.slow(300, where=acme.account)
        case "role refused":
            world.tokens.distrust(acme.role_arn)
        case "group refused":
            world.logs.forbid(acme.account)
        case "sts down":
            world.tokens.fail_next(10**9, Unavailable("503"), where=acme.role_arn)
    lines = [f"line {n}" for n in range(100)]
    for n, line in enumerate(lines):
        for tenant in (acme, other):
            world.upload(f"{tenant.name}/c1/web/pod-1/{n}.gz", ndjson(line, at_ms=NOON_MS))
    async with at_work(world, slots=16) as crew:
        await crew.until(lambda: len(arrived(world, other)) == 100, within=120)
        assert len(arrived(world, acme)) < 100
        world.logs.heal()
        world.tokens.heal()
        world.logs.allow(acme.account)
        world.tokens.trust(acme.role_arn, by=CENTRAL_ROLE, external_id=CENTRAL_ACCOUNT)
        await crew.until_empty(within=4 * 3600)
    assert Counter(arrived(world, acme)) == Counter(arrived(world, other)) == Counter(lines)
    assert world.dead_letters.letters == []


@virtual_time
async def test_a_refused_role_costs_next_to_nothing_while_it_waits() -> None:
    """Its breaker is open: no object is opened and no role is asked for but by one probe at a time."""
    world = World(max_receive_count=1000)
    (acme,) = enrol(world, "acme")
    world.tokens.distrust(acme.role_arn)
    for n in range(100):
        world.upload(f"acme/c1/web/pod-1/{n}.gz", ndjson(f"{n}", at_ms=NOON_MS))
    async with at_work(world):
        await asyncio.sleep(3600)
    assert world.tokens.calls_by_place["assume", acme.role_arn] < 130  # one probe each thirty seconds at most
    assert world.bucket.calls["open"] < 200


@virtual_time
async def test_when_receives_run_out_the_reason_is_known() -> None:
    """A role refused for good ends in the dead-letter queue, and the letter says who refused what."""
    world = World(max_receive_count=4)
    (acme,) = enrol(world, "acme")
    world.tokens.distrust(acme.role_arn)
    world.upload("acme/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    async with at_work(world, max_receives=4) as crew:
        await crew.until_empty()
    (letter,) = world.dead_letters.letters
    assert letter.attributes["logfanout.reason"] == "access_denied"
    assert letter.attributes["logfanout.tenant"] == "acme"
    assert letter.attributes["logfanout.receive_count"] == "4"
    assert acme.role_arn in letter.attributes["logfanout.detail"]


# What cannot be delivered.


@virtual_time
async def test_bad_messages_end_in_the_dead_letter_queue_with_their_reasons() -> None:
    """At once, at their first receive, and beside them everything else is delivered."""
    world = World()
    (acme,) = enrol(world, "acme")
    good = ndjson("line", at_ms=NOON_MS)
    world.queue.send("no JSON")
    world.upload("nobody/c1/web/pod-1/a.gz", good)
    world.upload("acme/a.gz", good)
    world.upload("acme/c1/web/pod-1/corrupt.gz", gzip.compress(good)[:-6], compress=False)
    world.upload("acme/c1/web/pod-1/bomb.gz", bytes(65 * MIB))
    world.bucket.remove(world.upload("acme/c1/web/pod-1/gone.gz", good))
    world.upload("acme/c1/web/pod-1/good.gz", good)
    world.queue.send(json.dumps({"Event": "s3:TestEvent", "Bucket": "central-logs"}))
    async with at_work(world) as crew:
        await crew.until_empty(within=60)
    assert sorted(world.dead_letters.reasons()) == [
        "bad_key",
        "bad_message",
        "object_corrupt",
        "object_gone",
        "object_refused",
        "unknown_tenant",
    ]
    assert {letter.attributes["logfanout.receive_count"] for letter in world.dead_letters.letters} == {"1"}
    assert "line" in arrived(world, acme)


@virtual_time
async def test_a_message_of_several_is_reduced_to_what_is_owed() -> None:
    """Redriven after the tenant has enrolled, the letter brings what was missing and nothing twice."""
    world = World()
    (acme,) = enrol(world, "acme")
    refs = [
        world.upload(f"{name}/c1/web/pod-1/{name}.gz", ndjson(name, at_ms=NOON_MS), announce=False)
        for name in ("acme", "newcomer", "acme")
    ]
    world.queue.send(notice(*refs, sent_ms=NOON_MS))
    async with at_work(world) as crew:
        await crew.until_empty()
        (letter,) = world.dead_letters.letters
        assert [ref.key for ref in parse(letter.body)] == ["newcomer/c1/web/pod-1/newcomer.gz"]
        newcomer = world.add_tenant("newcomer", account="999988887777")
        await asyncio.sleep(120)
        world.queue.send(letter.body)
        await crew.until_empty()
    assert set(arrived(world, acme)) == {"acme"}
    assert arrived(world, newcomer) == ["newcomer"]


@virtual_time
async def test_unknown_tenants_may_be_dropped() -> None:
    """And counted, where most tenants do not subscribe."""
    world = World()
    world.upload("nobody/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    before = counted("objects_total", outcome="unsubscribed")
    async with at_work(world, drop_unknown_tenants=True) as crew:
        await crew.until_empty(within=10)
    assert world.dead_letters.letters == []
    assert counted("objects_total", outcome="unsubscribed") == before + 1


@virtual_time
async def test_a_table_that_is_down_makes_nobody_unknown() -> None:
    """Messages of tenants not met before wait for it; the others' go on."""
    world = World(max_receive_count=1000)
    acme, other = enrol(world, "acme", "other")
    world.upload("acme/c1/web/pod-1/a.gz", ndjson("a", at_ms=NOON_MS))
    async with at_work(world, drop_unknown_tenants=True) as crew:
        await crew.until_empty()
        world.rows.fail_next(10**9, Unavailable("503"))
        await asyncio.sleep(600)
        world.upload("acme/c1/web/pod-1/b.gz", ndjson("b", at_ms=NOON_MS))
        world.upload("other/c1/web/pod-1/c.gz", ndjson("c", at_ms=NOON_MS))
        await asyncio.sleep(600)
        assert arrived(world, acme) == ["a", "b"]
        assert arrived(world, other) == []
        world.rows.heal()
        await crew.until_empty()
    assert arrived(world, other) == ["c"]


@virtual_time
async def test_filters_and_disabled_tenants_cost_no_put() -> None:
    """What nobody asked for is deleted unread."""
    world = World()
    acme, other = enrol(world, "acme", "other")
    world.rows.change("acme", desired_logs={"api", "kube-*"})
    world.rows.change("other", enabled=False)
    for application in ("web", "api", "kube-proxy"):
        for tenant in (acme, other):
            world.upload(f"{tenant.name}/c1/{application}/pod-1/a.gz", ndjson(application, at_ms=NOON_MS))
    async with at_work(world) as crew:
        await crew.until_empty(within=60)
    assert sorted(arrived(world, acme)) == ["api", "kube-proxy"]
    assert arrived(world, other) == []
    assert world.bucket.calls["open"] == 2


@virtual_time
async def test_without_a_dead_letter_queue_nothing_is_deleted_undelivered() -> None:
    """SQS's own redrive has the last word."""
    world = World(max_receive_count=3)
    world.upload("nobody/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    async with at_work(world, with_dead_letters=False, max_receives=3) as crew:
        await crew.until_empty()
    assert world.dead_letters.reasons() == [""]


@virtual_time
async def test_what_can_never_be_delivered_is_quarantined_record_by_record() -> None:
    """Old, new and unreadable records are kept with their reasons; all others arrive."""
    world = World()
    (acme,) = enrol(world, "acme")
    lines = [
        ndjson("old", at_ms=NOON_MS - 15 * DAY_MS),
        ndjson("good", at_ms=NOON_MS),
        b"not JSON\n",
        ndjson("new", at_ms=NOON_MS + DAY_MS),
        ndjson("fine", at_ms=NOON_MS),
    ]
    world.upload("acme/c1/web/pod-1/a.gz", b"".join(lines))
    async with at_work(world, with_quarantine=True) as crew:
        await crew.until_empty()
    assert sorted(arrived(world, acme)) == ["fine", "good"]
    kept = {record["position"]: record["reason"] for record in world.quarantine.records()}
    assert kept == {0: "too_old", 2: "unreadable", 3: "too_new"}


# Nothing twice, nothing lost.


@virtual_time
async def test_the_same_notification_twice_is_delivered_once() -> None:
    """S3 and SQS both deliver at least once."""
    world = World()
    (acme,) = enrol(world, "acme")
    ref = world.upload("acme/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    body = world.queue.bodies()[0]
    async with at_work(world) as crew:
        for _ in range(5):
            await crew.until_empty()
            world.queue.send(body)
            await asyncio.sleep(3600)
        await crew.until_empty()
    assert arrived(world, acme) == ["line"]
    assert world.bucket.calls_by_place["open", ref.uri] == 1


@virtual_time
async def test_the_same_notification_twice_at_once_is_delivered_once() -> None:
    """Both are in hand before either is done: one delivers, the other finds it delivered."""
    world = World()
    (acme,) = enrol(world, "acme")
    world.logs.slow(60, on="put")
    world.upload("acme/c1/web/pod-1/a.gz", ndjson("line", at_ms=NOON_MS))
    for _ in range(5):
        world.queue.send(world.queue.bodies()[0])
    async with at_work(world) as crew:
        await crew.until_empty()
    assert arrived(world, acme) == ["line"]


@virtual_time
async def test_a_rewritten_object_is_a_new_one() -> None:
    """The same key, written again later, is delivered again."""
    world = World()
    (acme,) = enrol(world, "acme")
    async with at_work(world) as crew:
        for n in range(3):
            world.upload("acme/c1/web/pod-1/a.gz", ndjson(f"{n}", at_ms=NOON_MS))
            await crew.until_empty()
            await asyncio.sleep(60)
    assert arrived(world, acme) == ["0", "1", "2"]


@virtual_time
async def test_a_slow_delivery_is_not_begun_by_another_worker() -> None:
    """Its message stays hidden for as long as it takes, however short the lease."""
    world = World()
    (acme,) = enrol(world, "acme")
    lines = [f"line {n:05} {'x' * 300}" for n in range(10_000)]
    ref = world.upload("acme/c1/web/pod-1/a.json", ndjson(*lines, at_ms=NOON_MS - 10_000), compress=False)
    world.bucket.trickle(ref, seconds_a_chunk=5)
    async with at_work(world, lease_seconds=30), at_work(world, lease_seconds=30) as crew:
        await crew.until_empty()
    assert sorted(arrived(world, acme)) == lines
    assert world.bucket.calls["open"] == 1


@virtual_time
async def test_a_worker_told_to_stop_hands_over() -> None:
    """What it cannot finish is on the queue again at once, and the next worker sends only what was not taken."""
    world = World()
    (acme,) = enrol(world, "acme")
    lines = [f"line {n:05} {'x' * 300}" for n in range(30_000)]
    ref = world.upload("acme/c1/web/pod-1/a.json", ndjson(*lines, at_ms=NOON_MS - 30_000), compress=False)
    world.bucket.trickle(ref, seconds_a_chunk=0.2)
    began = asyncio.get_running_loop().time()
    async with at_work(world, with_fleet_ledger=True, drain_seconds=10) as crew:
        await crew.until(lambda: len(arrived(world, acme)) > 5000)
        told = asyncio.get_running_loop().time()
    ended = asyncio.get_running_loop().time()
    assert ended - told <= 10.5
    assert began < told < ended
    assert world.queue.visible == 1
    taken = len(arrived(world, acme))
    assert 5000 < taken < 30_000
    async with at_work(world, with_fleet_ledger=True) as crew:
        await crew.until_empty()
    assert set(arrived(world, acme)) == set(lines)
    assert len(arrived(world, acme)) - len(lines) <= 4 * MIB / 300  # what was under way when it was cut off


@pytest.mark.parametrize("slow", ["queue", "ledger", "logs", "bucket", "rows", "tokens", "dead_letters"])
@virtual_time
async def test_a_drain_ends_in_time_whatever_hangs(slow: str) -> None:
    """The task is killed at its stop timeout: nothing may hold up the end."""
    world = World()
    enrol(world, "acme")
    crew_settings: dict[str, Any] = {"with_fleet_ledger": True, "drain_seconds": 10}
    lines = [f"line {n:05} {'x' * 300}" for n in range(20_000)]
    ref = world.upload("acme/c1/web/pod-1/a.json", ndjson(*lines, at_ms=NOON_MS - 20_000), compress=False)
    world.bucket.trickle(ref, seconds_a_chunk=0.2)
    async with at_work(world, **crew_settings):
        await asyncio.sleep(30)
        getattr(world, slow).slow(100_000)
        world.upload("acme/c1/web/pod-1/b.gz", ndjson("line", at_ms=NOON_MS))
        world.upload("nobody/c1/web/pod-1/c.gz", ndjson("line", at_ms=NOON_MS))
        await asyncio.sleep(30)
        told = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - told <= 10.5
    world.queue.heal()
    assert len(world.queue.bodies()) + len(world.dead_letters.letters) >= 1


@virtual_time
async def test_memory_is_bounded_by_receiving_less() -> None:
    """With as many bytes in hand as the budget allows, no more messages are asked for."""
    world = World()
    (acme,) = enrol(world, "acme")
    for n in range(40):
        lines = [f"object {n} line {k:05} {'x' * 500}" for k in range(4000)]
        world.upload(f"acme/c1/web/pod-1/{n}.gz", ndjson(*lines, at_ms=NOON_MS - 4000))
    world.logs.slow(1, on="put")
    most = 0
    async with at_work(world, budget_bytes=16 * MIB) as crew:
        async with asyncio.timeout(3600):
            while world.queue.bodies():
                most = max(most, crew.gate.held_bytes)
                await asyncio.sleep(0.1)
    assert len(arrived(world, acme)) == 160_000
    assert most < 120 * MIB


@virtual_time
async def test_the_accounts_are_balanced() -> None:
    """Of every record that was read, the metrics say what became of it."""
    world = World()
    (acme,) = enrol(world, "acme-balanced")
    data = b"".join(
        [
            ndjson(*(f"line {n}" for n in range(50)), at_ms=NOON_MS),
            ndjson("", "", at_ms=NOON_MS),
            b"bad\n",
            ndjson("old", at_ms=0),
        ]
    )
    world.upload("acme-balanced/c1/web/pod-1/a.gz", data)
    async with at_work(world) as crew:
        await crew.until_empty()
    events = {
        outcome: counted("events_total", outcome=outcome, tenant="acme-balanced")
        for outcome in ("delivered", "skipped", "rejected", "quarantined")
    }
    assert events == {"delivered": 50, "skipped": 2, "rejected": 2, "quarantined": 0}
    assert counted("events_not_delivered_total", reason="too_old", tenant="acme-balanced") == 1
    assert counted("accounting_errors_total") == 0
    assert len(arrived(world, acme)) == 50


# Properties.

FAULTS: list[LogfanoutError] = [Throttled("slow down"), Unavailable("503"), AccessRefused("AccessDenied")]
LINES = ["bucket", "rows", "tokens", "logs", "queue", "dead_letters", "ledger"]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["acme", "globex", "initech"]), st.integers(0, 300)), min_size=1, max_size=12),
    st.lists(
        st.tuples(
            st.sampled_from(LINES), st.sampled_from(FAULTS), st.integers(1, 30), st.booleans(), st.integers(0, 600)
        ),
        max_size=5,
    ),
    st.lists(st.integers(1, 900), max_size=3),
)
def test_whatever_happens_everything_arrives_where_it_belongs(
    objects: list[tuple[str, int]], faults: list[Any], stops: list[int]
) -> None:
    """Faults at any port at any time, sessions that end, workers stopped and started: nothing is lost or misplaced."""

    async def story() -> None:
        world = World(max_receive_count=10_000)
        tenants = {tenant.name: tenant for tenant in enrol(world, "acme", "globex", "initech")}
        expected: dict[str, set[str]] = {name: set() for name in tenants}
        for n, (name, count) in enumerate(objects):
            lines = [f"{name} object {n} line {k}" for k in range(count)]
            expected[name].update(lines)
            ref = world.upload(f"{name}/c1/web/pod-1/{n}.gz", ndjson(*lines, at_ms=NOON_MS))
            world.bucket.trickle(ref, seconds_a_chunk=count / 10)

        async def trouble() -> None:
            for name, error, times, after, seconds in faults:
                await asyncio.sleep(seconds)
                getattr(world, name).fail_next(times, error, after=after)
                world.tokens.expire()

        troubled = asyncio.create_task(trouble())
        for seconds in stops:
            async with at_work(world, with_fleet_ledger=True, drain_seconds=2):
                await asyncio.sleep(seconds)
        async with at_work(world, with_fleet_ledger=True) as crew:
            await troubled
            await crew.until_empty()
        assert world.dead_letters.letters == []
        for name, tenant in tenants.items():
            assert set(arrived(world, tenant)) == expected[name]
            if not stops and not any(after for _, _, _, after, _ in faults):
                assert len(arrived(world, tenant)) == len(expected[name])
        owners = {tenant.account: name for name, tenant in tenants.items()}
        events = chain.from_iterable(((put.account, message) for _, message in put.events) for put in world.logs.puts)
        assert all(message.startswith(owners[account] + " ") for account, message in events)

    run(story())

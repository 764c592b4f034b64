"""What becomes of the messages of Lambda invocations, played on the shipped fakes."""

import asyncio
from typing import Any

import pytest

from logfanout.errors import AccessRefused, Throttled, Unavailable
from logfanout.function.events import EventUnreadable
from logfanout.function.invocations import RESERVE_SECONDS, SHOW_AT, Function, Source, Terms
from logfanout.ledger.ledgers import FLEET_SECONDS
from logfanout.memory import Gate
from logfanout.ports import Received
from logfanout.testing import TenantSetup, World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import MIB, courier_in
from logfanout.testing.world import ndjson

ARN = "arn:aws:sqs:eu-west-1:999999999999:notices"
QUEUE_SECONDS = 360  # the queue's visibility timeout


class Mapping:
    """Lambda's event source mapping, over the fake queue, and one environment of the function."""

    def __init__(
        self,
        world: World,
        *,
        slots: int = 32,
        source: Source | None = None,
        with_fleet_ledger: bool = False,
        max_receives: int | None = None,
    ) -> None:
        self.world = world
        self.looked_up = 0
        self.source = source or Source(queue=world.queue, dead_letters=world.dead_letters, max_receives=max_receives)
        gate = Gate(64 * MIB)
        self.function = Function(
            courier_in(world, gate=gate, with_fleet_ledger=with_fleet_ledger),
            gate=gate,
            terms=Terms(slots=slots, give_back_seconds=30),
            find=self.find,
        )

    async def find(self, arn: str) -> Source:
        assert arn == ARN
        self.looked_up += 1
        return self.source

    async def poll(self, *, most: int = 100, seconds: float = 60.0) -> list[str]:
        """Invoke the function with what is visible and follow its answer; return the ids of what it kept."""
        messages: list[Received] = []
        while len(messages) < most and (
            batch := await self.world.queue.receive(most=10, wait_seconds=0, hide_seconds=QUEUE_SECONDS)
        ):
            messages += batch
        began = asyncio.get_running_loop().time()
        answer = await self.function.invoke({"Records": [record(each) for each in messages]}, seconds=seconds)
        assert asyncio.get_running_loop().time() - began < seconds
        assert self.world.bucket.open_now == 0
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for message in messages:
            if message.id not in failed:
                assert await self.world.queue.delete([message.receipt]) == []
        return failed


def record(message: Received, **fields: Any) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(message.receive_count), "SentTimestamp": str(message.sent_ms)}
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN,
    } | fields


def enrol(world: World, *names: str) -> list[TenantSetup]:
    return [world.add_tenant(name, account=f"{n:012}") for n, name in enumerate(names, 111_122_223_333)]


def write(world: World, tenant: TenantSetup, *names: str) -> None:
    for name in names:
        world.upload(f"{tenant.name}/c1/web/pod-1/{name}.gz", ndjson(name, at_ms=NOON_MS))


def arrived(world: World, tenant: TenantSetup) -> list[str]:
    return sorted(world.logs.messages(tenant.account, tenant.group))


@virtual_time
async def test_everything_is_delivered_and_nothing_failed() -> None:
    """The second batch asks for no role and for no policy of the queue's: all that is at hand."""
    world = World()
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world)
    write(world, acme, "a", "b", "c")
    assert await mapping.poll() == []
    assumed = world.tokens.calls["assume"]
    write(world, acme, "d")
    assert await mapping.poll() == []
    assert arrived(world, acme) == ["a", "b", "c", "d"]
    assert (world.tokens.calls["assume"], mapping.looked_up) == (assumed, 1)
    assert world.queue.bodies() == []


@virtual_time
async def test_what_may_be_delivered_later_is_kept_and_shown_again_in_time() -> None:
    """After a growing delay of ours; the others of the batch are deleted."""
    world = World(max_receive_count=100)
    acme, other = enrol(world, "acme", "other")
    mapping = Mapping(world)
    world.logs.fail_next(10**6, Throttled("rate exceeded"), where=acme.account)
    write(world, acme, "a")
    write(world, other, "b")
    [kept] = await mapping.poll()
    assert arrived(world, other) == ["b"]
    assert world.queue.receive_counts() == {kept: 1}
    for longest in (30, 60, 120):
        await asyncio.sleep(longest / 2 - 1)
        assert world.queue.visible == 0
        await asyncio.sleep(longest / 2 + 1)
        assert world.queue.visible == 1
        assert await mapping.poll() == [kept]
    world.logs.heal()
    await asyncio.sleep(900)
    assert await mapping.poll() == []
    assert arrived(world, acme) == ["a"]


@virtual_time
async def test_what_can_never_be_delivered_is_dead_lettered() -> None:
    """With its reason, and is no failure: Lambda deletes it."""
    world = World()
    mapping = Mapping(world)
    world.queue.send("no JSON")
    world.upload("nobody/c1/web/pod-1/a.gz", ndjson("a", at_ms=NOON_MS))
    assert await mapping.poll() == []
    assert sorted(world.dead_letters.reasons()) == ["bad_message", "unknown_tenant"]


@virtual_time
async def test_at_the_last_receive_the_reason_is_known() -> None:
    """SQS would move the message without a word."""
    world = World(max_receive_count=2)
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world, max_receives=2)
    world.tokens.distrust(acme.role_arn)
    write(world, acme, "a")
    assert len(await mapping.poll()) == 1
    await asyncio.sleep(900)
    assert await mapping.poll() == []
    assert world.dead_letters.reasons() == ["access_denied"]


@virtual_time
async def test_without_a_dead_letter_queue_nothing_is_deleted() -> None:
    """SQS's own redrive has the last word."""
    world = World()
    mapping = Mapping(world, source=Source(queue=world.queue))
    world.queue.send("no JSON")
    assert await mapping.poll() == ["m-1"]
    assert world.dead_letters.letters == []


@virtual_time
async def test_a_dead_letter_that_cannot_be_sent_is_kept() -> None:
    """Deleted unsent it would be lost."""
    world = World()
    mapping = Mapping(world)
    world.dead_letters.fail_next(10**6, Unavailable("503"))
    world.queue.send("no JSON")
    assert await mapping.poll() == ["m-1"]


@pytest.mark.parametrize("error", [AccessRefused("no"), Unavailable("503")])
@virtual_time
async def test_visibility_that_cannot_be_changed_is_the_queues_own(error: Exception) -> None:
    """The message is reported as failed all the same; who may not, asks once."""
    world = World(max_receive_count=100)
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world)
    world.logs.fail_next(10**6, Throttled("rate exceeded"))
    world.queue.fail_next(10**6, error, on="hide")
    write(world, acme, "a", "b", "c")
    assert len(await mapping.poll()) == 3
    assert world.queue.calls["hide"] == (1 if isinstance(error, AccessRefused) else 3)
    await asyncio.sleep(QUEUE_SECONDS)
    world.logs.heal()
    assert await mapping.poll() == []


@virtual_time
async def test_a_queue_that_cannot_be_asked_is_delivered_from() -> None:
    """And asked again with the next event."""
    world = World()
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world)

    async def down(_arn: str) -> Source:
        raise Unavailable("503")

    found, mapping.function._find = mapping.function._find, down
    write(world, acme, "a")
    world.queue.send("no JSON")
    assert await mapping.poll() == ["m-2"]
    assert arrived(world, acme) == ["a"]
    mapping.function._find = found
    await asyncio.sleep(QUEUE_SECONDS)
    assert await mapping.poll() == []
    assert world.dead_letters.reasons() == ["bad_message"]


@virtual_time
async def test_when_the_time_ends_what_is_left_is_failed() -> None:
    """What had begun leaves its progress; what had not is shown at once; all of it well before the deadline."""
    world = World(max_receive_count=100)
    (acme,) = enrol(world, "acme")
    first = Mapping(world, slots=2, with_fleet_ledger=True)
    lines = [f"line {n:05} {'x' * 300}" for n in range(20_000)]
    for name in ("a", "b", "c"):
        world.upload(f"acme/c1/web/pod-1/{name}.gz", ndjson(*lines, at_ms=NOON_MS - 20_000))
    world.logs.slow(6, on="put")
    assert len(await first.poll(seconds=20)) == 3
    assert world.queue.visible == 2  # with two slots one tenant alone has one
    delivered = len(arrived(world, acme))
    assert 0 < delivered < len(lines)
    world.logs.heal()
    second = Mapping(world, with_fleet_ledger=True)  # a cold environment
    await asyncio.sleep(900)
    assert await second.poll() == []
    stored = arrived(world, acme)
    assert (len(set(stored)), len(stored)) == (20_000, 60_000 + repeated(world))


def repeated(world: World) -> int:
    """Events of puts that were under way when the time ended: at most four of one object."""
    sent = sum(len(put.events) for put in world.logs.puts) - 60_000
    assert 0 <= sent <= 4 * max(len(put.events) for put in world.logs.puts)
    return sent


@pytest.mark.parametrize("seconds", [1.0, 8.0, 20.0, 900.0])
@virtual_time
async def test_the_answer_is_given_in_time_whatever_hangs(seconds: float) -> None:
    """Destination, ledger and queue alike."""
    world = World(max_receive_count=100)
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world, with_fleet_ledger=True)
    write(world, acme, "a")
    assert await mapping.poll(seconds=900) == []
    for line in (world.logs, world.ledger):
        line.slow(10**6)
    world.queue.slow(10**6, on="hide")
    write(world, acme, *map(str, range(50)))
    assert len(await mapping.poll(seconds=seconds)) == 50


@pytest.mark.parametrize("seconds", [3.0, 60.0])
@virtual_time
async def test_a_look_up_that_hangs_leaves_time_to_deliver(seconds: float) -> None:
    """Its answer is not worth the batch."""
    world = World()
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world)

    async def hang(_arn: str) -> Source:
        await asyncio.sleep(10**6)
        raise AssertionError

    mapping.function._find = hang
    write(world, acme, "a")
    assert await mapping.poll(seconds=seconds) == []
    assert arrived(world, acme) == ["a"]


@virtual_time
async def test_a_record_without_a_body_fails_alone() -> None:
    """Lambda is told its id."""
    world = World()
    mapping = Mapping(world)
    world.queue.send("no JSON")
    [message] = await world.queue.receive(most=1, wait_seconds=0, hide_seconds=60)
    answer = await mapping.function.invoke({"Records": [record(message, body=None)]}, seconds=60)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}


@virtual_time
async def test_a_record_without_an_id_keeps_the_batch() -> None:
    """With an error, once the others are delivered; when these come again, nothing is sent twice."""
    world = World()
    (acme,) = enrol(world, "acme")
    mapping = Mapping(world)
    write(world, acme, "a")
    [message] = await world.queue.receive(most=1, wait_seconds=0, hide_seconds=60)
    for _ in range(2):
        with pytest.raises(EventUnreadable, match="no messageId"):
            await mapping.function.invoke({"Records": [record(message), record(message, messageId="")]}, seconds=60)
    assert arrived(world, acme) == ["a"]


def test_the_reserve_is_enough_to_remember() -> None:
    """The ledger has as long as it may take."""
    assert RESERVE_SECONDS * (1 - SHOW_AT) > FLEET_SECONDS

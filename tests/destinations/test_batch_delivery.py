"""What a delivery in batches blames on its destination, and what it takes note of."""

from logfanout.destinations.batch_delivery import BatchDelivery
from logfanout.destinations.kind import Delivery, Shipment
from logfanout.errors import AccessRefused, Unavailable
from logfanout.ledger.ranges import Ranges
from logfanout.memory import Gate
from logfanout.pipeline.records import RecordReader
from logfanout.pipeline.routes import DAY_MS, KeyLayout
from logfanout.tenants.log_groups import CloudWatchDestination
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import MIB, parts_of
from logfanout.testing.world import ndjson

ACCOUNT, GROUP = "111122223333", "/platform/logs"
LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")
CONTENT = b"not JSON\n" + ndjson("good", at_ms=NOON_MS)


class Scene:
    """One object of an unreadable record and a good one, a log group for it, and a quarantine."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.world = World()
        self.world.add_tenant("acme", account=ACCOUNT, group=GROUP)
        self.ref = self.world.upload("acme/c1/web/pod-1/a.gz", content, announce=False)
        self.kind = parts_of(self.world, gate=Gate(64 * MIB), quarantine=self.world.quarantine).kinds["cloudwatch"]

    async def deliver(self, *, taken: Ranges = Ranges()) -> Delivery:  # noqa: B008  a frozen value
        """Deliver as the courier does; return the delivery at its end."""
        [to] = (await parts_of(self.world, gate=Gate(MIB)).directory.find("acme")).destinations
        assert isinstance(to, CloudWatchDestination)
        delivery = self.kind.delivery(to, Shipment(ref=self.ref, key=LAYOUT.read(self.ref.key), taken=taken))
        assert isinstance(delivery, BatchDelivery)
        async with delivery:
            reader = RecordReader(name=self.ref.uri, untimed_ms=NOON_MS)
            for records in (*reader.feed(self.content), *reader.finish()):
                await delivery.take(records)
            await delivery.finish()
        delivery.account(complete=True)
        return delivery


@virtual_time
async def test_a_quarantine_that_refuses_is_not_the_tenants_trouble() -> None:
    """The message is kept for it, and what the tenant has taken is noted; its breaker hears of nothing."""
    scene = Scene()
    scene.world.quarantine.fail_next(1, AccessRefused("PutObject: AccessDenied"))
    delivery = await scene.deliver()
    assert isinstance(delivery.failure, AccessRefused)
    assert delivery.refusal is None
    assert delivery.accepted
    assert delivery.taken == Ranges.of([1])
    again = await scene.deliver(taken=delivery.taken)
    assert again.failure is None
    assert again.taken == Ranges.of([0, 1])
    assert [record["position"] for record in scene.world.quarantine.records()] == [0]


@virtual_time
async def test_a_group_that_refuses_is() -> None:
    """Its breaker is told."""
    scene = Scene()
    scene.world.logs.forbid(ACCOUNT)
    delivery = await scene.deliver()
    assert delivery.refusal is delivery.failure is not None


@virtual_time
async def test_the_last_batches_of_several_days_are_put_side_by_side() -> None:
    """Each has a stream of its own; an object of old logs does not wait for them one by one."""
    days = [ndjson(f"day {n}", at_ms=NOON_MS - n * DAY_MS) for n in range(3)]
    scene = Scene(b"".join(days))
    scene.world.logs.slow(1.0, on="put")
    delivery = await scene.deliver()
    assert delivery.taken == Ranges.of([0, 1, 2])
    assert len(scene.world.logs.streams(ACCOUNT, GROUP)) == 3
    assert scene.world.logs.most_under_way == 3


@virtual_time
async def test_what_the_quarantine_did_not_take_is_owed_whatever_else_failed() -> None:
    """A group and a quarantine that fail together: neither's records are done with."""
    scene = Scene()
    scene.world.logs.fail_next(100, Unavailable("down"), on="put")
    scene.world.quarantine.fail_next(100, Unavailable("down"))
    delivery = await scene.deliver()
    assert isinstance(delivery.failure, Unavailable)
    assert not delivery.taken

"""Tenants are read once a minute however many ask, and the last good copy serves while the table is down."""

import asyncio
from typing import Any

import pytest

from logfanout.errors import AccessRefused, LogfanoutError, TenantUnknown, Throttled, Unavailable
from logfanout.tenants import log_groups
from logfanout.tenants.directory import JITTER, MOST_ENTRIES, STALE_SECONDS, Directory
from logfanout.tenants.rows import Tenant
from logfanout.testing import World, virtual_time

KEEP = 60.0
LONGER = KEEP * (1 + JITTER) + 1
ACCOUNT = "111122223333"


class Scene:
    """A directory over a table with one tenant."""

    def __init__(self, **fields: Any) -> None:
        self.world = World()
        self.world.add_tenant("acme", account=ACCOUNT, **fields)
        self.rows = self.world.rows
        self.directory = Directory(
            self.rows,
            kinds={"cloudwatch": log_groups},
            region="us-east-1",
            keep_seconds=KEEP,
            clock=self.world.clock,
        )

    async def find(self, name: str = "acme") -> Tenant:
        return await self.directory.find(name)


@virtual_time
async def test_a_tenant_is_read_once_a_minute() -> None:
    """Thousands of objects ask; the table is asked once, and again when the minute is over."""
    scene = Scene()
    for _ in range(1000):
        assert (await scene.find()).id == "acme"
    assert scene.rows.calls["of"] == 1
    await asyncio.sleep(LONGER)
    await scene.find()
    assert scene.rows.calls["of"] == 2


@virtual_time
async def test_many_who_ask_at_once_share_the_answer() -> None:
    """A cold start with a full queue is one read a tenant."""
    scene = Scene()
    scene.rows.slow(2)
    found = await asyncio.gather(*(scene.find() for _ in range(100)))
    assert {tenant.id for tenant in found} == {"acme"}
    assert scene.rows.calls["of"] == 1


@virtual_time
async def test_a_change_is_seen_within_the_minute() -> None:
    """A tenant disabled or enrolled now is so for every worker a minute and a bit later."""
    scene = Scene()
    assert len((await scene.find()).destinations) == 1
    scene.rows.change("acme", enabled=False)
    assert len((await scene.find()).destinations) == 1
    await asyncio.sleep(LONGER)
    assert (await scene.find()).destinations == ()
    scene.rows.remove("acme")
    await asyncio.sleep(LONGER)
    with pytest.raises(TenantUnknown):
        await scene.find()


@virtual_time
async def test_entries_made_together_do_not_end_together() -> None:
    """A fleet that starts at once must not read the table at once for ever."""
    scene = Scene()
    names = [f"t{n}" for n in range(200)]
    for name in names:
        scene.world.add_tenant(name, account=ACCOUNT)
        await scene.find(name)
    await asyncio.sleep(KEEP * (1 - JITTER))
    reads = []
    for _ in range(round(KEEP * 2 * JITTER) + 1):
        before = scene.rows.calls["of"]
        for name in names:
            await scene.find(name)
        reads.append(scene.rows.calls["of"] - before)
        await asyncio.sleep(1)
    assert sum(reads) == 200
    assert max(reads) < 60


@virtual_time
async def test_the_unknown_are_remembered_too() -> None:
    """Keys of a tenant that never enrolled cost one read a minute, not one each."""
    scene = Scene()
    for _ in range(100):
        with pytest.raises(TenantUnknown, match="'nobody'"):
            await scene.find("nobody")
    assert scene.rows.calls["of"] == 1
    scene.world.add_tenant("nobody", account=ACCOUNT)
    await asyncio.sleep(LONGER)
    assert (await scene.find("nobody")).id == "nobody"


@virtual_time
async def test_hostile_names_do_not_fill_memory() -> None:
    """Whoever writes to the bucket invents names as fast as keys; the oldest are forgotten, and no tenant for them."""
    scene = Scene()
    await scene.find()
    for n in range(MOST_ENTRIES + 100):
        with pytest.raises(TenantUnknown):
            await scene.find(f"invented-{n}")
    assert repr(scene.directory) == f"<Directory of 1 tenants, {MOST_ENTRIES} names of none>"
    with pytest.raises(TenantUnknown) as unknown:
        await scene.find("x" * 1000)
    assert len(str(unknown.value)) < 300
    await asyncio.sleep(LONGER)
    scene.rows.fail_next(100, Unavailable("503"))
    assert (await scene.find()).id == "acme"


@pytest.mark.parametrize("error", [Unavailable("503"), Throttled("slow down"), AccessRefused("AccessDenied")])
@virtual_time
async def test_the_last_good_copy_serves_while_the_table_is_down(error: LogfanoutError) -> None:
    """For as long as it takes; and the table is asked again every few seconds."""
    scene = Scene()
    await scene.find()
    scene.rows.fail_next(10**6, error)
    for _ in range(100):
        await asyncio.sleep(60)
        assert len((await scene.find()).destinations) == 1
    scene.rows.heal()
    scene.rows.change("acme", enabled=False)
    await asyncio.sleep(STALE_SECONDS + 1)
    assert (await scene.find()).destinations == ()


@virtual_time
async def test_a_table_that_is_down_is_not_hammered() -> None:
    """While the copy serves, one look in a few seconds is enough."""
    scene = Scene()
    await scene.find()
    await asyncio.sleep(LONGER)
    scene.rows.fail_next(10**6, Unavailable("503"))
    before = scene.rows.calls["of"]
    for _ in range(500):
        await scene.find()
    assert scene.rows.calls["of"] - before <= 4


@virtual_time
async def test_without_a_copy_the_tenant_is_not_called_unknown() -> None:
    """A table that is down says nothing about a tenant: the message is kept."""
    scene = Scene()
    scene.rows.fail_next(10**6, Unavailable("503"))
    with pytest.raises(Unavailable):
        await scene.find()
    scene.rows.heal()
    assert (await scene.find()).id == "acme"


@virtual_time
async def test_that_a_tenant_was_unknown_is_no_copy_to_serve() -> None:
    """A tenant may have enrolled since: its messages are kept, neither dead-lettered nor dropped."""
    scene = Scene()
    with pytest.raises(TenantUnknown):
        await scene.find("newcomer")
    scene.world.add_tenant("newcomer", account=ACCOUNT)
    await asyncio.sleep(LONGER)
    scene.rows.fail_next(10**6, Unavailable("503"))
    with pytest.raises(Unavailable):
        await scene.find("newcomer")
    scene.rows.heal()
    assert (await scene.find("newcomer")).id == "newcomer"


@virtual_time
async def test_passing_trouble_is_waited_out() -> None:
    """A throttled read is tried again before anybody hears of it."""
    scene = Scene()
    scene.rows.fail_next(3, Throttled("slow down"))
    assert (await scene.find()).id == "acme"


@virtual_time
async def test_a_row_ends_at_its_ttl() -> None:
    """Whatever DynamoDB still shows."""
    scene = Scene()
    scene.rows.change("acme", ttl=scene.world.clock.epoch_ms() / 1000 + 30)
    await scene.find()
    await asyncio.sleep(LONGER)
    with pytest.raises(TenantUnknown):
        await scene.find()


@virtual_time
async def test_who_stops_waiting_does_not_stop_the_read() -> None:
    """The others who wait for it still get it."""
    scene = Scene()
    scene.rows.slow(5)
    first = asyncio.create_task(scene.find())
    await asyncio.sleep(1)
    second = asyncio.create_task(scene.find())
    await asyncio.sleep(1)
    first.cancel()
    assert (await second).id == "acme"
    assert scene.rows.calls["of"] == 1
    await scene.directory.close()

"""An operator's day with the table, and what the fleet makes of it."""

from typing import Any

import pytest
from tests.roster.conftest import KINDS

from logfanout.errors import AccessRefused, DestinationUnusable, TenantUnknown
from logfanout.memory import Gate
from logfanout.roster.changes import Change, replacing
from logfanout.roster.commands import found, listed, put, switch
from logfanout.roster.entries import Reading, State
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import parts_of

ROLE = "arn:aws:iam::111122223333:role/CustomerLogDistribution-acme"


def reading_in(world: World) -> Reading:
    return Reading(kinds=KINDS, region="us-east-1", clock=world.clock)


def to_group(name: str = "/platform/acme", **fields: Any) -> Change:
    return replacing(
        "acme",
        "cloudwatch",
        {"log_distribution_role_arn": ROLE, "log_group_name": name, **fields},
        now_ms=NOON_MS,
    )


@virtual_time
async def test_the_list_is_in_order_and_whole() -> None:
    """By tenant and type, a bad row among the good ones."""
    world = World()
    world.add_bucket("meadow", bucket="meadow-archive", enabled=False)
    world.add_tenant("meadow", account="111122223333", group="/g")
    world.rows.put({"tenant_id": "acme", "type": "s3"})
    entries = await listed(world.rows, reading=reading_in(world))
    assert [(each.tenant, each.type, each.state) for each in entries] == [
        ("acme", "s3", State.REFUSED),
        ("meadow", "cloudwatch", State.ENABLED),
        ("meadow", "s3", State.DISABLED),
    ]


@virtual_time
async def test_a_tenant_from_its_first_row_to_its_end() -> None:
    """Put, seen by the fleet, disabled, enabled, moved."""
    world = World()
    reading = reading_in(world)
    made = await put(world.rows, to_group(), reading=reading)
    assert (made.created, made.entry.state) == (True, State.ENABLED)
    fleet = parts_of(world, gate=Gate(1 << 20), keep_seconds=0.001).directory
    [destination] = (await fleet.find("acme")).destinations
    assert str(destination) == made.entry.to

    [off] = await switch(world.rows, "acme", None, enabled=False, reading=reading)
    assert (off.created, off.fields, off.entry.state) == (False, ["enabled"], State.DISABLED)
    moved = await put(world.rows, to_group("/platform/new", desired_logs=["web"]), reading=reading)
    assert (moved.created, moved.fields) == (False, ["desired_logs", "log_group_name"])
    assert moved.entry.state is State.DISABLED

    [on] = await switch(world.rows, "acme", "cloudwatch", enabled=True, reading=reading)
    assert (on.fields, on.entry.state) == (["enabled"], State.ENABLED)
    [again] = await switch(world.rows, "acme", None, enabled=True, reading=reading)
    assert again.fields == []
    [entry] = await found(world.rows, "acme", reading=reading)
    assert entry == again.entry
    assert "/platform/new" in entry.to


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"log_group_name": "no spaces"}, "log_group_name must be"),
        ({"log_retention_days": 2}, "log_retention_days must be"),
        ({"target_region": "moon"}, "target_region must be"),
        ({"groups": ["nobody's"]}, "groups names"),
        ({"external_id": "x"}, "external_id must be"),
        ({"enabled": False, "log_group_name": "no spaces"}, "log_group_name must be"),
        ({"ttl": NOON_MS // 1000}, "ttl must not be past"),
    ],
)
@virtual_time
async def test_what_the_fleet_would_refuse_is_not_written(fields: dict[str, Any], why: str) -> None:
    """Nor asked about."""
    world = World()
    with pytest.raises(DestinationUnusable, match=why):
        await put(world.rows, to_group(**fields), reading=reading_in(world))
    assert not world.rows.calls


@virtual_time
async def test_a_row_refused_for_what_was_left_says_so() -> None:
    """A malformed field that the change does not name is seen once it is written."""
    world = World()
    world.rows.put({"tenant_id": "acme", "type": "cloudwatch", "enabled": "yes"})
    done = await put(world.rows, to_group(), reading=reading_in(world))
    assert (done.entry.state, "enabled must be" in done.entry.refused) == (State.REFUSED, True)


@virtual_time
async def test_a_switch_reaches_all_rows_or_one() -> None:
    """Expired and malformed ones too: whoever mends them finds them off."""
    world = World()
    world.add_tenant("acme", account="111122223333", group="/g", ttl=1)
    world.rows.put({"tenant_id": "acme", "type": "s3"})
    done = await switch(world.rows, "acme", None, enabled=False, reading=reading_in(world))
    assert [(each.entry.type, each.entry.state) for each in done] == [
        ("cloudwatch", State.EXPIRED),
        ("s3", State.DISABLED),
    ]
    [one] = await switch(world.rows, "acme", "s3", enabled=True, reading=reading_in(world))
    assert (one.entry.type, one.entry.state) == ("s3", State.REFUSED)


@virtual_time
async def test_nobodys_row_is_never_made_by_a_switch() -> None:
    """Not of an unknown tenant, not of a type it has no row of."""
    world = World()
    world.add_tenant("acme", account="111122223333", group="/g")
    for tenant, type_ in (("nobody", None), ("nobody", "s3"), ("acme", "s3")):
        with pytest.raises(TenantUnknown, match=tenant):
            await switch(world.rows, tenant, type_, enabled=True, reading=reading_in(world))
    with pytest.raises(TenantUnknown, match="no row names 'nobody'"):
        await found(world.rows, "nobody", reading=reading_in(world))
    assert len(await world.rows.all()) == 1


@virtual_time
async def test_a_table_that_refuses_is_an_error() -> None:
    """Never an empty list."""
    world = World()
    world.rows.fail_next(1, AccessRefused("Scan: AccessDeniedException"))
    with pytest.raises(AccessRefused):
        await listed(world.rows, reading=reading_in(world))

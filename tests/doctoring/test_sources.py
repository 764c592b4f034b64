"""An object of a tenant's says more than a bucket's name."""

from typing import Any

import pytest

from logfanout.doctoring import sources
from logfanout.doctoring.findings import Outcome
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused, ObjectGone
from logfanout.ports import ObjectRef
from logfanout.testing import World, healthy, virtual_time
from logfanout.testing.world import BUCKET

KEY = "acme/c1/web/pod-1/a.gz"


def with_sample(world: World, key: str = KEY, **changes: Any) -> Case:
    """Return a case with an object that lies there."""
    case = healthy(world, **changes)
    case.sample = world.upload(key, b"{}", announce=False)
    case.tenants_answer = True
    return case


@virtual_time
async def test_a_bucket_is_listed_by_one_key() -> None:
    """One that is empty is fine."""
    world = World()
    assert "nothing lies there yet" in (await sources.listing(healthy(world))).said
    found = await sources.listing(with_sample(world))
    assert (found.outcome, found.said) == (Outcome.OK, f"s3://{BUCKET}/ can be listed")


@virtual_time
async def test_only_a_scan_must_list() -> None:
    """To the others it is worth having."""
    world = World()
    world.bucket.fail_next(2, AccessRefused("ListObjectsV2: AccessDenied"), on="page")
    assert (await sources.listing(healthy(world))).outcome == Outcome.WARNING
    with pytest.raises(AccessRefused):
        await sources.listing(healthy(world, mode="scan"))


@virtual_time
async def test_an_object_is_described_and_not_read() -> None:
    """Nobody is charged for its bytes."""
    world = World()
    found = await sources.objects(with_sample(world))
    assert (found.outcome, world.bucket.calls) == (Outcome.OK, {"describe": 1})


@virtual_time
async def test_without_an_object_nothing_is_read() -> None:
    """It is said how to name one."""
    found = await sources.objects(healthy(World()))
    assert (found.outcome, "--object" in found.todo) == (Outcome.NOT_TRIED, True)


@virtual_time
async def test_an_object_that_is_gone_is_an_error() -> None:
    """As it would be to the fleet."""
    case = healthy(World())
    case.sample = ObjectRef(bucket=BUCKET, key=KEY, size_bytes=0)
    with pytest.raises(ObjectGone):
        await sources.objects(case)


@virtual_time
async def test_a_key_names_its_tenant() -> None:
    """By the layout that is set."""
    world = World()
    world.add_tenant("acme", account="111122223333")
    case = with_sample(world)
    assert "tenant 'acme'" in (await sources.keys(case)).said
    found = await sources.owner(case)
    assert (found.outcome, found.said.startswith("'acme' has 1 rows")) == (Outcome.OK, True)


@virtual_time
async def test_a_key_that_is_not_of_the_layout_has_failed() -> None:
    """And its tenant is not tried."""
    case = with_sample(World(), "a.gz")
    found = await sources.keys(case)
    assert (found.outcome, "LOGFANOUT_KEY_LAYOUT" in found.todo) == (Outcome.FAILED, True)
    assert (await sources.owner(case)).outcome == Outcome.NOT_TRIED


@pytest.mark.parametrize(("dropped", "outcome"), [(False, Outcome.FAILED), (True, Outcome.WARNING)])
@virtual_time
async def test_a_tenant_nobody_knows(dropped: bool, outcome: Outcome) -> None:
    """Its objects become dead letters, or are dropped where that was asked for."""
    case = with_sample(World(), drop_unknown_tenants=dropped)
    await sources.keys(case)
    assert (await sources.owner(case)).outcome == outcome


@virtual_time
async def test_a_heartbeat_is_nobodys() -> None:
    """No row is missing."""
    case = with_sample(World(), "_heartbeat/c1/vector/pod-1/a.gz")
    await sources.keys(case)
    assert (await sources.owner(case)).outcome == Outcome.OK

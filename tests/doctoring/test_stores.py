"""What we read from must answer; what we write to is left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from logfanout.doctoring import stores
from logfanout.doctoring.findings import Outcome
from logfanout.errors import AccessRefused, Unavailable
from logfanout.tenants.file import FileRows
from logfanout.testing import FakeInspection, World, healthy, virtual_time


@virtual_time
async def test_the_table_is_asked_for_nobody() -> None:
    """By a name that no key can hold."""
    world = World()
    case = healthy(world)
    found = await stores.table(case)
    assert (found.outcome, case.tenants_answer) == (Outcome.OK, True)
    assert list(world.rows.calls_by_place) == [("of", stores.NO_TENANT)]
    assert "/" in stores.NO_TENANT


@virtual_time
async def test_a_table_that_refuses_is_an_error() -> None:
    """In DynamoDB's words."""
    world = World()
    world.rows.fail_next(1, AccessRefused("Query: AccessDeniedException"))
    case = healthy(world)
    with pytest.raises(AccessRefused):
        await stores.table(case)
    assert not case.tenants_answer


@virtual_time
async def test_a_file_of_tenants_is_counted(tmp_path: Path) -> None:
    """And one that cannot be read is an error."""
    path = tmp_path / "tenants.yaml"
    path.write_text(
        "tenants:\n- {tenant_id: acme, type: s3}\n- {tenant_id: acme, type: cloudwatch}\n- {tenant_id: b}\n"
    )
    case = healthy(World(), tenants_table="")
    case.around = replace(case.around, file=FileRows(path))
    assert f"{path} has 2 tenants" in (await stores.file(case)).said
    path.unlink()
    with pytest.raises(Unavailable, match=r"tenants\.yaml cannot be read"):
        await stores.file(case)


@virtual_time
async def test_the_ledger_is_read_and_not_written() -> None:
    """Of an object whose id is no digest."""
    world = World()
    case = healthy(world)
    assert (await stores.ledger(case)).outcome == Outcome.OK
    found = await stores.remembering(case)
    assert (found.outcome, world.ledger.calls) == (Outcome.NOT_TRIED, {"recall": 1})
    assert "dynamodb:PutItem --resource-arns arn:aws:dynamodb:us-east-1:ACCOUNT:table/ledger" in found.todo


@virtual_time
async def test_a_ledger_that_is_not_there_is_an_error() -> None:
    """Though the fleet goes on without: it was asked for."""
    world = World()
    world.ledger.fail_next(1, Unavailable("GetItem: ResourceNotFoundException"))
    with pytest.raises(Unavailable):
        await stores.ledger(healthy(world))


@pytest.mark.parametrize(
    ("attribute", "outcome"), [("ttl", Outcome.OK), ("", Outcome.WARNING), ("expires", Outcome.WARNING)]
)
@virtual_time
async def test_a_ledger_forgets(attribute: str, outcome: Outcome) -> None:
    """Or grows for ever."""
    inspection = FakeInspection()
    case = healthy(World(), inspection=inspection)
    inspection.put_table("ledger", expires_by=attribute)
    assert (await stores.forgetting(case)).outcome == outcome


@virtual_time
async def test_whether_a_ledger_forgets_may_stay_unknown() -> None:
    """The permission is none of the fleet's."""
    inspection = FakeInspection()
    inspection.fail_next(1, AccessRefused("AccessDeniedException"), on="expiry_attribute")
    found = await stores.forgetting(healthy(World(), inspection=inspection))
    assert (found.outcome, "dynamodb:DescribeTimeToLive" in found.todo) == (Outcome.NOT_TRIED, True)


@virtual_time
async def test_a_quarantine_is_left_alone() -> None:
    """Without one, it is said what becomes of records."""
    assert (await stores.quarantine(healthy(World()))).outcome == Outcome.OK
    found = await stores.quarantine(healthy(World(), quarantine_uri="s3://aside/bad"))
    assert found.outcome == Outcome.NOT_TRIED
    assert "s3:PutObject --resource-arns 'arn:aws:s3:::aside/bad/*'" in found.todo

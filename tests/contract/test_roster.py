"""What may an operator's command rely on when it reads the table as a whole, and changes it?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contract.test_tenant_rows import ROW, table

from logfanout.errors import Unavailable
from logfanout.roster.changes import Change, applied, replacing, switching
from logfanout.roster.commands import ChangeableRoster
from logfanout.testing import World

NOON_MS = 1_772_452_800_000
NOON = "2026-03-02T12:00:00Z"
FIELDS = {
    "log_distribution_role_arn": "arn:aws:iam::111122223333:role/r",
    "log_group_name": "/platform/é",
    "desired_logs": ["web-*", "api"],
    "groups": [],
    "log_retention_days": 30,
    "session_tags": True,
    "ttl": 1_900_000_000,
    "target_region": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A table."""

    roster: ChangeableRoster
    put: Callable[[dict[str, Any]], Awaitable[None]]

    async def only(self) -> dict[str, Any]:
        """Return the one row there is."""
        [row] = await self.roster.all()
        return dict(row)


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side) if isinstance(side, World) else await real(side, name)


def fake(world: World) -> Stage:
    async def put(row: dict[str, Any]) -> None:
        world.rows.put(row)

    return Stage(roster=world.rows, put=put)


async def real(cloud: Any, name: str) -> Stage:
    return Stage(roster=cloud.aws.roster(f"roster-{name}"), put=await table(cloud, f"roster-{name}"))


def change_of(**fields: Any) -> Change:
    return replacing("acme", "cloudwatch", FIELDS | fields, now_ms=NOON_MS)


async def test_an_empty_table_has_no_rows(stage: Stage) -> None:
    """Which is an answer, not an error."""
    assert list(await stage.roster.all()) == list(await stage.roster.of("nobody")) == []


async def test_every_row_comes_as_plain_python(stage: Stage) -> None:
    """Of every tenant and type, in any order; and of one tenant its own."""
    rows = [ROW, ROW | {"type": "s3"}, ROW | {"tenant_id": "acme2"}]
    for row in rows:
        await stage.put(row)
    found = sorted(await stage.roster.all(), key=lambda row: (row["tenant_id"], row["type"]))
    assert found == rows
    assert list(await stage.roster.of("acme")) == rows[:2]


async def test_a_change_may_make_the_row(stage: Stage) -> None:
    """There was none before; empty lists and texts are values like others."""
    assert await stage.roster.write(change_of()) is None
    row = await stage.only()
    assert row == {
        "tenant_id": "acme",
        "type": "cloudwatch",
        "created_at": NOON,
        "updated_at": NOON,
        **FIELDS,
    }


async def test_a_change_replaces_some_fields_and_keeps_others(stage: Stage) -> None:
    """In one write, whose answer is the row as it was: what it is now follows from both."""
    await stage.put(ROW | {"external_id": "theirs", "created_at": "2025-01-01T00:00:00Z"})
    before = await stage.only()
    change = replacing("acme", "cloudwatch", {"log_group_name": "/g"}, removes=["external_id"], now_ms=NOON_MS)
    assert await stage.roster.write(change) == before
    after = await stage.only()
    assert after == applied(change, before)
    assert after == {
        **{name: ROW[name] for name in ("tenant_id", "type", "enabled", "share", "note", "nested")},
        "log_group_name": "/g",
        "created_at": "2025-01-01T00:00:00Z",
        "updated_at": NOON,
    }


async def test_the_same_change_twice_is_the_same(stage: Stage) -> None:
    """An answer that is lost is asked for again."""
    await stage.roster.write(change_of())
    first = await stage.only()
    assert await stage.roster.write(change_of()) == first
    assert await stage.only() == first


async def test_a_switch_changes_a_row_that_is_there(stage: Stage) -> None:
    """And one of its type only."""
    await stage.put(ROW)
    await stage.put(ROW | {"type": "s3"})
    assert await stage.roster.write(switching("acme", "s3", enabled=False, now_ms=NOON_MS)) == ROW | {"type": "s3"}
    group, bucket = await stage.roster.of("acme")
    assert group == ROW
    assert bucket == ROW | {"type": "s3", "enabled": False, "updated_at": NOON}


async def test_a_switch_makes_no_row(stage: Stage) -> None:
    """Half a row would be refused by the fleet."""
    assert await stage.roster.write(switching("acme", "s3", enabled=True, now_ms=NOON_MS)) is None
    assert list(await stage.roster.all()) == []


@pytest.mark.emulator
async def test_a_table_that_is_not_there_is_unavailable(cloud: Any) -> None:
    """Its name is in the error; it is never an empty list."""
    roster = cloud.aws.roster("no-such-table")
    for asked in (roster.all(), roster.of("acme"), roster.write(change_of())):
        with pytest.raises(Unavailable, match="no-such-table"):
            await asked

"""What may the pipeline rely on when it looks a tenant up?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.ports import TenantRows
from logfanout.testing import World

ROW = {
    "tenant_id": "acme",
    "type": "cloudwatch",
    "enabled": True,
    "desired_logs": ["web-*", "é"],
    "ttl": 1_772_452_800,
    "share": 1.5,
    "note": None,
    "groups": {"edge"},
    "nested": {"a": [{"b": 1}], "empty": []},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A table."""

    rows: TenantRows
    put: Callable[[dict[str, Any]], Awaitable[None]]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side) if isinstance(side, World) else await real(side, name)


def fake(world: World) -> Stage:
    async def put(row: dict[str, Any]) -> None:
        world.rows.put(row)

    return Stage(rows=world.rows, put=put)


async def real(cloud: Any, name: str) -> Stage:
    return Stage(rows=cloud.aws.tenant_rows(f"tenants-{name}"), put=await table(cloud, f"tenants-{name}"))


async def table(cloud: Any, name: str) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """Make the table *name*; return what puts a row there."""
    keys = {"tenant_id": "HASH", "type": "RANGE"}
    async with cloud.client("dynamodb") as dynamodb:
        await dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )

    async def put(row: dict[str, Any]) -> None:
        async with cloud.client("dynamodb") as dynamodb:
            await dynamodb.put_item(TableName=name, Item={key: stored(value) for key, value in row.items()})

    return put


def stored(value: Any) -> dict[str, Any]:
    """Return *value* as DynamoDB stores it."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": str(value)}
        case set():
            return {"SS": sorted(value)}
        case list():
            return {"L": [stored(each) for each in value]}
        case _:
            return {"M": {key: stored(each) for key, each in value.items()}}


async def test_an_unknown_tenant_has_no_rows(stage: Stage) -> None:
    """Which is an answer, not an error."""
    assert list(await stage.rows.of("nobody")) == []


async def test_a_row_comes_as_plain_python(stage: Stage) -> None:
    """Sets are sets: a filter stored as one is a filter."""
    await stage.put(ROW)
    assert list(await stage.rows.of("acme")) == [ROW]


async def test_a_tenant_has_a_row_for_each_type(stage: Stage) -> None:
    """And none of another's."""
    for row in (ROW, ROW | {"type": "s3"}, ROW | {"tenant_id": "acme2"}):
        await stage.put(row)
    assert [(row["tenant_id"], row["type"]) for row in await stage.rows.of("acme")] == [
        ("acme", "cloudwatch"),
        ("acme", "s3"),
    ]


async def test_a_change_is_seen(stage: Stage) -> None:
    """Remembering rows is not the port's business."""
    await stage.put(ROW)
    await stage.put(ROW | {"enabled": False})
    assert [row["enabled"] for row in await stage.rows.of("acme")] == [False]

"""How is the table of tenants read as a whole, and changed?

    Scan, Query, every page ──► rows as plain Python          Change ──► one UpdateItem ──► the row as it was

For operators' commands, which are rare: through the SDK, and consistently, so that a list shows what was just changed.
The fleet asks ``tenant_table``.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from logfanout.aws.attribute_values import row_of, stored
from logfanout.aws.faults import Table, as_ours
from logfanout.errors import LogfanoutError, Unavailable
from logfanout.ports import Row
from logfanout.retrying import patiently
from logfanout.roster.changes import Change


class _NoRow(LogfanoutError):
    """The condition that the row is there does not hold."""


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html, "Errors"; Scan's and Query's too
ROSTER_FAULTS: Table = {
    "ConditionalCheckFailedException": _NoRow,
    "ReplicatedWriteConflictException": Unavailable,
    # A wrong name, a table with another key, a row beyond 400 KB: an operator sees to it.
    "ResourceNotFoundException": Unavailable,
    "ValidationException": Unavailable,
    "ItemCollectionSizeLimitExceededException": Unavailable,
}
_ATTEMPTS = 4  # somebody waits for the answer


class DynamoRoster:
    """The ``ChangeableRoster`` over DynamoDB: hash ``tenant_id``, range ``type``."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._patiently = patiently(attempts=_ATTEMPTS)

    def __repr__(self) -> str:
        return f"<DynamoRoster {self._table}>"

    async def all(self) -> Sequence[Row]:
        """Return every row."""
        return await self._every(self._client.scan, f"Scan {self._table}", {})

    async def of(self, tenant: str) -> Sequence[Row]:
        """Return every row of *tenant*; none for an unknown one."""
        query = {
            "KeyConditionExpression": "tenant_id = :tenant",
            "ExpressionAttributeValues": {":tenant": stored(tenant)},
        }
        return await self._every(self._client.query, f"Query {self._table} for {tenant!r}", query)

    async def write(self, change: Change) -> Row | None:
        """Carry *change* out; return the row as it was before, ``None`` if there was none."""
        asked = f"UpdateItem {self._table} for {change.tenant!r}, type {change.type!r}"
        try:
            answer = await self._patiently(self._call, self._client.update_item, asked, _update(change))
        except _NoRow:
            return None
        before = answer.get("Attributes")
        return row_of(before) if before else None

    async def _every(self, operation: Callable[..., Awaitable[Any]], asked: str, request: dict[str, Any]) -> list[Row]:
        rows: list[Row] = []
        while True:
            page = await self._patiently(self._call, operation, asked, {**request, "ConsistentRead": True})
            rows += map(row_of, page["Items"])
            last = page.get("LastEvaluatedKey")  # with each page of a megabyte but the last one
            if not last:
                return rows
            request = {**request, "ExclusiveStartKey": last}

    async def _call(self, operation: Callable[..., Awaitable[Any]], asked: str, request: dict[str, Any]) -> Any:
        with as_ours(ROSTER_FAULTS, asked):
            return await operation(TableName=self._table, **request)


def _update(change: Change) -> dict[str, Any]:
    """Return what UpdateItem is asked.

    Names stand behind placeholders: ``ttl``, ``type`` and others are reserved ("Reserved words in DynamoDB").
    """
    names = [*change.sets, *change.sets_once, *change.removes]
    at = {name: f"#f{n}" for n, name in enumerate(dict.fromkeys(names))}
    values = {**change.sets_once, **change.sets}
    sets = [f"{at[name]} = :{at[name][1:]}" for name in change.sets]
    sets += [f"{at[name]} = if_not_exists({at[name]}, :{at[name][1:]})" for name in change.sets_once]
    removes = f" REMOVE {', '.join(at[name] for name in change.removes)}" if change.removes else ""
    condition = {} if change.creates else {"ConditionExpression": "attribute_exists(tenant_id)"}
    return {
        "Key": {"tenant_id": stored(change.tenant), "type": stored(change.type)},
        "UpdateExpression": f"SET {', '.join(sets)}{removes}",
        "ExpressionAttributeNames": {placeholder: name for name, placeholder in at.items()},
        "ExpressionAttributeValues": {f":{at[name][1:]}": stored(value) for name, value in values.items()},
        "ReturnValues": "ALL_OLD",
        **condition,
    }

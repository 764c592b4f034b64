"""What does the table say about one tenant?

    tenant ──► Query, every page ──► rows as plain Python

Unchecked: what a row means, and whether it is usable, is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from logfanout.aws.faults import Table, as_ours
from logfanout.errors import Unavailable
from logfanout.ports import Row

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html, "Errors"
DYNAMODB_FAULTS: Table = {
    # A wrong name, or a table being restored: an operator sees to it, and messages wait meanwhile.
    "ResourceNotFoundException": Unavailable,
}
UNREADABLE = "a type of DynamoDB's that this version does not know"


class DynamoTenantRows:
    """The ``TenantRows`` port over DynamoDB: hash ``tenant_id``, range ``type``."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def __repr__(self) -> str:
        return f"<DynamoTenantRows {self._table}>"

    async def of(self, tenant: str) -> Sequence[Row]:
        """Return every row of *tenant*; none for an unknown one."""
        rows: list[Row] = []
        if not tenant:
            return rows  # DynamoDB refuses an empty key
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "tenant_id = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}},
            # Not ConsistentRead: rows are cached for a minute anyway, and it costs twice as much.
        }
        with as_ours(DYNAMODB_FAULTS, f"Query {self._table} for {tenant}"):
            while True:
                page = await self._client.query(**query)
                rows += [{name: _plain(value) for name, value in item.items()} for item in page["Items"]]
                if not (last := page.get("LastEvaluatedKey")):
                    return rows
                query["ExclusiveStartKey"] = last


def _plain(value: Mapping[str, Any]) -> Any:
    """Return a DynamoDB attribute value as plain Python.

    One of a type we do not know becomes a mapping that is never empty, so that its reader finds a malformed field:
    an absent or empty filter means "all". (The SDK hands such a value over as ``{}``.)
    """
    match dict(value):
        case {"S": found} | {"BOOL": found} | {"B": found}:
            return found
        case {"N": str(number)}:
            return _number(number)
        case {"NULL": True}:
            return None
        case {"SS": [*strings]} | {"BS": [*strings]}:
            return set(strings)
        case {"NS": [*numbers]}:
            return {_number(number) for number in numbers}
        case {"L": list(elements)}:
            return [_plain(each) for each in elements]
        case {"M": dict(members)}:
            return {name: _plain(each) for name, each in members.items()}
        case unknown:
            return {UNREADABLE: unknown}


def _number(text: str) -> int | float:
    """Return what DynamoDB wrote: whole numbers without a point, large ones with an exponent."""
    try:
        return int(text)
    except ValueError:
        return float(text)

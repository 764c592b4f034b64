"""What does the table say about one tenant?

    tenant ──► Query, every page ──► rows as plain Python

Unchecked: what a row means, and whether it is usable, is decided elsewhere. Hand-signed: with ten thousand tenants it
is asked for a tenant every few objects, and the SDK takes a millisecond for it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from logfanout.aws.attribute_values import row_of
from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Table, as_ours, error_of
from logfanout.aws.http import Http
from logfanout.aws.json_requests import JsonRequests, refused
from logfanout.errors import Unavailable
from logfanout.ports import Credentials, Row

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html, "Errors"
DYNAMODB_FAULTS: Table = {
    # A wrong name, or a table being restored: an operator sees to it, and messages wait meanwhile.
    "ResourceNotFoundException": Unavailable,
}


class DynamoTenantRows:
    """The ``TenantRows`` port over DynamoDB: hash ``tenant_id``, range ``type``."""

    def __init__(
        self,
        http: Http,
        table: str,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
    ) -> None:
        self._requests = JsonRequests(
            http, service="dynamodb", target="DynamoDB_20120810", version="1.0", endpoints=endpoints, repeatable=True
        )
        self._region = endpoints.region
        self._credentials = credentials
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
        while True:
            page = await self._page(query, f"Query {self._table} for {tenant}")
            rows += [row_of(item) for item in page.items]
            if not page.last:
                return rows
            query["ExclusiveStartKey"] = page.last

    async def _page(self, query: Mapping[str, Any], asked: str) -> "_Page":
        with as_ours(DYNAMODB_FAULTS, asked):
            body = msgspec.json.encode(query)
            reply = await self._requests.send("Query", body, region=self._region, by=await self._credentials())
        if reply.status != 200:
            raise error_of(refused(reply), DYNAMODB_FAULTS, asked)
        try:
            return _page.decode(reply.body)
        except msgspec.DecodeError as error:
            raise Unavailable(f"{asked}: the answer is not DynamoDB's ({error})") from None


class _Page(msgspec.Struct):
    items: list[dict[str, dict[str, Any]]] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


_page = msgspec.json.Decoder(_Page)

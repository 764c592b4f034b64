"""What is in the table of tenants?

put, change, remove ──► of(tenant), all          write(change)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from logfanout.ports import Row
from logfanout.roster.changes import Change, applied
from logfanout.testing.line import Line


class FakeTenantRows(Line):
    """The DynamoDB table in memory, hash ``tenant_id``, range ``type``. Calls are told apart by tenant."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}

    def __repr__(self) -> str:
        return f"<FakeTenantRows {len(self._rows)} rows>"

    def put(self, row: Mapping[str, Any]) -> None:
        """Store *row* in the place of the one with the same ``tenant_id`` and ``type``."""
        self._rows[row["tenant_id"], row["type"]] = dict(row)

    def change(self, tenant: str, kind: str = "cloudwatch", /, **fields: Any) -> None:
        """Overwrite *fields* of one row; ``None`` takes a field away."""
        row = self._rows[tenant, kind] | fields
        self._rows[tenant, kind] = {name: value for name, value in row.items() if value is not None}

    def remove(self, tenant: str, kind: str = "cloudwatch") -> None:
        """Delete one row."""
        del self._rows[tenant, kind]

    async def all(self) -> Sequence[Row]:
        """Return every row; as with a Scan, in no order that one could rely on."""
        async with self._call("all"):
            return [dict(row) for _, row in sorted(self._rows.items(), reverse=True)]

    async def write(self, change: Change) -> Row | None:
        """Carry *change* out; return the row as it was before, ``None`` if there was none."""
        async with self._call("write", change.tenant):
            key = change.tenant, change.type
            before = self._rows.get(key)
            after = applied(change, before)
            if after is not None:
                self._rows[key] = dict(after)
            return before

    async def of(self, tenant: str) -> Sequence[Row]:
        """Return every row of *tenant*, in the order of their types, as a Query does."""
        async with self._call("of", tenant):
            return [dict(row) for key, row in sorted(self._rows.items()) if key[0] == tenant]

"""What does the whole fleet remember?

    recall ──► GetItem ──► Memory
    remember ──► GetItem, merged, PutItem if nobody was faster ──► again, if somebody was

One item an object: ``object_id`` (S, the table's hash key), ``finished`` (BOOL), ``taken`` (M: destination to the text
of its ``Ranges``), ``revision`` (N), ``ttl`` (N, epoch seconds). Without an item nothing is known, which costs
duplicates and never a record.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from logfanout.aws.faults import Table, as_ours
from logfanout.errors import Unavailable
from logfanout.ledger.memory import NOTHING, merged
from logfanout.ledger.ranges import Ranges
from logfanout.ports import Memory
from logfanout.retrying import policy

KEEP_SECONDS = 2 * 24 * 3600.0  # a message may wait a day behind an outage, and its object is then read once more
# Of all destinations together: a text of some 20 KB, where an item may have 400 and each KB costs a write unit.
MOST_RANGES = 1000


class _Overtaken(Unavailable):
    """Somebody else remembered something of the same object just now."""


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html, "Errors"
LEDGER_FAULTS: Table = {
    "ConditionalCheckFailedException": _Overtaken,
    "ReplicatedWriteConflictException": _Overtaken,
    # A wrong name, or a table with another key: an operator sees to it, and delivery goes on without.
    "ResourceNotFoundException": Unavailable,
    "ValidationException": Unavailable,
}


class DynamoLedger:
    """The ``Ledger`` port over DynamoDB."""

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        keep_seconds: float = KEEP_SECONDS,
        now_seconds: Callable[[], float] = time.time,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._keep_seconds = keep_seconds
        self._now_seconds = now_seconds
        self._overtaking = policy(_Overtaken).copy(sleep=pause)

    def __repr__(self) -> str:
        return f"<DynamoLedger {self._table}>"

    async def recall(self, object_id: str) -> Memory:
        """Return what is remembered of the object; an empty memory if nothing is."""
        return _memory(await self._item(object_id), now_seconds=self._now_seconds())

    async def remember(self, object_id: str, memory: Memory) -> None:
        """Add *memory* to what is remembered of the object, for two days from now."""
        await self._overtaking(self._add, object_id, memory)

    async def _item(self, object_id: str) -> Mapping[str, Any]:
        with as_ours(LEDGER_FAULTS, f"GetItem {self._table} of {object_id}"):
            answer = await self._client.get_item(
                TableName=self._table,
                Key={"object_id": {"S": object_id}},
                ConsistentRead=True,  # what the other worker wrote just before its message came to us
            )
        item: Mapping[str, Any] = answer.get("Item", {})
        return item

    async def _add(self, object_id: str, memory: Memory) -> None:
        """Write what is there and *memory*; raise ``_Overtaken`` if something else is there by then."""
        now = self._now_seconds()
        item = await self._item(object_id)
        seen = item.get("revision", {}).get("N")
        known = _memory(item, now_seconds=now)
        if known.finished or merged(known, memory) == NOTHING:
            return
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if seen is not None:
            condition = {
                "ConditionExpression": "revision = :seen",
                "ExpressionAttributeValues": {":seen": {"N": seen}},
            }
        fields = _fields(merged(known, memory))
        fields |= {
            "object_id": {"S": object_id},
            "revision": {"N": str(int(seen or 0) + 1)},
            "ttl": {"N": str(int(now + self._keep_seconds))},
        }
        with as_ours(LEDGER_FAULTS, f"PutItem {self._table} of {object_id}"):
            await self._client.put_item(TableName=self._table, Item=fields, **condition)


def _fields(memory: Memory) -> dict[str, Any]:
    most = max(1, MOST_RANGES // max(1, len(memory.taken)))
    return {
        "finished": {"BOOL": memory.finished},
        "taken": {"M": {to: {"S": str(ranges.at_most(most))} for to, ranges in memory.taken.items()}},
    }


def _memory(item: Mapping[str, Any], *, now_seconds: float) -> Memory:
    """Return what *item* says; one past its time says nothing, since DynamoDB deletes within days, not at once."""
    match item:
        case {"ttl": {"N": str(ends)}} if float(ends) <= now_seconds:
            return NOTHING
        case {"finished": {"BOOL": True}}:
            return Memory(finished=True)
        case {"taken": {"M": dict(taken)}}:
            return Memory(taken={to: ranges for to, text in taken.items() if (ranges := _ranges(text))})
        case _:
            return NOTHING


def _ranges(text: Mapping[str, str]) -> Ranges:
    """Return what ``_fields`` wrote; nothing for what somebody else did."""
    try:
        return Ranges.parse(text.get("S", ""))
    except ValueError:
        return Ranges()

"""What is kept of records that can never be delivered?

    Outcasts, Unreadable ──► one NDJSON line each: reason, tenant, bucket, key, position, and the record ──► Quarantine

Pure but for ``Keeper``, which collects one delivery's lines and hands them over some at a time.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from logfanout.ledger.object_ids import object_id
from logfanout.pipeline.records import Unreadable
from logfanout.pipeline.stream_batches import Outcasts
from logfanout.ports import ObjectRef, Quarantine
from logfanout.retrying import patiently

FLUSH_BYTES = 4 * 1024 * 1024


class Keeper:
    """Collects what one object's delivery casts out."""

    def __init__(self, quarantine: Quarantine, *, ref: ObjectRef, tenant: str) -> None:
        self._quarantine = quarantine
        self._ref = ref
        self._tenant = tenant
        self._lines: list[bytes] = []
        self._bytes = 0
        self._first = -1  # position of the first line waiting
        self.turn = asyncio.Lock()  # for whoever hands something over: one at a time
        self._flushes = 0  # so far: the parts of a split record share their position, and names must differ

    def __repr__(self) -> str:
        return f"<Keeper of {self._ref.uri}, {len(self._lines)} lines waiting>"

    async def keep_outcasts(self, outcasts: Outcasts) -> None:
        """Keep events that CloudWatch will never take."""
        for event, position in zip(outcasts.events, outcasts.positions, strict=True):
            record = {"timestamp": event.timestamp, "message": event.message}
            await self._keep(outcasts.reason, position, record)

    async def keep_unreadable(self, records: Sequence[Unreadable]) -> None:
        """Keep what is no record; bytes that are no UTF-8 are replaced."""
        for record in records:
            await self._keep("unreadable", record.position, {"record": record.text.decode(errors="replace")})

    async def flush(self) -> None:
        """Return once everything is kept.

        Raises:
            LogfanoutError: the quarantine does not take it.
        """
        if not self._lines:
            return
        name = f"{self._tenant}/{object_id(self._ref)}-{self._first}-{self._flushes}.ndjson"
        await patiently()(self._quarantine.put, name, b"".join(self._lines))
        self._flushes += 1
        self._lines, self._bytes, self._first = [], 0, -1

    async def _keep(self, reason: str, position: int, record: dict[str, Any]) -> None:
        line = _line(
            reason=reason,
            tenant=self._tenant,
            bucket=self._ref.bucket,
            key=self._ref.key,
            version_id=self._ref.version_id,
            position=position,
            **record,
        )
        if self._first < 0:
            self._first = position
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FLUSH_BYTES:
            await self.flush()


def _line(**fields: Any) -> bytes:
    return msgspec.json.encode({name: value for name, value in fields.items() if value != ""}) + b"\n"

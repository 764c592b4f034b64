"""How are messages deleted in tens?

    receipts, one by one ──► Deletions.delete ──► DeleteMessageBatch ──► Refusal, or none

Part of the step ``inbox``.
"""

import asyncio
from collections.abc import Sequence

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.pipeline._leases import BATCH
from logfanout.places import Places
from logfanout.ports import Queue, Refusal
from logfanout.retrying import patiently

_PARALLEL_DELETES = 2
_PATIENTLY = patiently()


class Deletions:
    """Deletes in tens without waiting for ten: what comes while a call is under way goes with the next."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._waiting: list[tuple[str, asyncio.Future[Refusal | None]]] = []
        self._turn = Places(_PARALLEL_DELETES)
        self._loop = asyncio.get_running_loop()

    async def delete(self, receipt: str) -> Refusal | None:
        """Return ``None`` once SQS has deleted *receipt*'s message, or why it has not."""
        answer: asyncio.Future[Refusal | None] = self._loop.create_future()
        self._waiting.append((receipt, answer))
        await self._turn.enter()
        try:
            if self._waiting and not answer.done():
                await self._send(self._taken())
        finally:
            self._turn.leave()
        return await answer

    def _taken(self) -> list[tuple[str, asyncio.Future[Refusal | None]]]:
        taken, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        return taken

    async def _send(self, entries: Sequence[tuple[str, asyncio.Future[Refusal | None]]]) -> None:
        receipts = [receipt for receipt, _ in entries]
        refused = {receipt: Refusal(receipt=receipt, code="Unanswered", lost=False) for receipt in receipts}
        try:
            refused = {refusal.receipt: refusal for refusal in await self._delete(receipts)}
        except LogfanoutError as error:
            telemetry.QueueFailed(call="delete", error=str(error), retry_seconds=0.0).emit()
        finally:  # whatever befell this caller, the others whose messages it took along are told
            for receipt, answer in entries:
                if not answer.done():  # a caller may have been cancelled meanwhile
                    answer.set_result(refused.get(receipt))

    async def _delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        """Delete a batch; what SQS refused of it for a passing reason is tried again one by one."""
        final: list[Refusal] = []
        refusals: Sequence[Refusal] = await _PATIENTLY(self._queue.delete, receipts)
        for refusal in refusals:
            final.extend([refusal] if refusal.lost else await _PATIENTLY(self._queue.delete, [refusal.receipt]))
        return final

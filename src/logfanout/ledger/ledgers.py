"""Whom to ask what has been delivered, and whom to tell?

    recall ──► this worker's memory, then, for a message received before, the fleet's table
    remember ──► this worker's memory, and the fleet's table where others may need it

The happy path is a look into a dictionary. The table being down delays no delivery: without it some records may be
delivered twice, which is reported.
"""

import asyncio

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.ledger.memory import WorkerLedger, merged
from logfanout.ports import Ledger, Memory
from logfanout.retrying import patiently

ATTEMPTS = 3
# All attempts together: what the table does not tell costs duplicates, what it delays costs everybody, a drain first.
FLEET_SECONDS = 3.0


class Ledgers:
    """This worker's memory, and the fleet's if there is one."""

    def __init__(self, own: WorkerLedger, *, fleet: Ledger | None = None) -> None:
        self._own = own
        self._fleet = fleet

    def __repr__(self) -> str:
        return f"<Ledgers {self._own!r} {self._fleet!r}>"

    async def recall(self, object_id: str, *, ask_fleet: bool) -> Memory:
        """Return what is remembered of the object; never raises for the table's sake.

        *ask_fleet* if somebody else may have had it in hand: its message was received before.
        """
        known = self._own.known(object_id)
        if known.finished or not ask_fleet or self._fleet is None:
            return known
        try:
            async with asyncio.timeout(FLEET_SECONDS):
                told: Memory = await patiently(attempts=ATTEMPTS)(self._fleet.recall, object_id)
        except (LogfanoutError, TimeoutError) as error:
            telemetry.LedgerFailed(call="recall", error=_said(error)).emit()
            return known
        if told.finished or told.taken:
            self._own.note(object_id, told)
        return merged(known, told)

    async def remember(self, object_id: str, memory: Memory, *, tell_fleet: bool) -> None:
        """Add *memory* to what is remembered; never raises for the table's sake.

        *tell_fleet* if somebody else may need it: the object is not finished, or duplicates are to be kept from all.
        """
        self._own.note(object_id, memory)
        if not tell_fleet or self._fleet is None:
            return
        try:
            async with asyncio.timeout(FLEET_SECONDS):
                await patiently(attempts=ATTEMPTS)(self._fleet.remember, object_id, memory)
        except (LogfanoutError, TimeoutError) as error:
            telemetry.LedgerFailed(call="remember", error=_said(error)).emit()


def _said(error: Exception) -> str:
    return str(error) or f"no answer within {FLEET_SECONDS:.0f} s"

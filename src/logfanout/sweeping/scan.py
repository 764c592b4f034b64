"""How is a bucket kept delivered that announces nothing?

every interval: Sweep.pass_over ──► what is new ──► delivered ──► remembered          until told to stop, drained
"""

import asyncio
import math

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.sweeping.reach import Reach
from logfanout.sweeping.sweep import Sweep

RETRY_SECONDS = 1.0  # how often is looked whether what is to be tried again has room


class Scan:
    """Rounds over one place. What is still in hand does not hold up the next round."""

    def __init__(self, sweep: Sweep, *, reach: Reach, interval_seconds: float) -> None:
        self._sweep = sweep
        self._reach = reach
        self._interval_seconds = interval_seconds
        self._listed_seconds = -math.inf  # loop time: when the place was last listed to its end
        self._retried = 0  # since the last round was told

    def __repr__(self) -> str:
        return f"<Scan {self._sweep!r}>"

    @property
    def receiving(self) -> bool:
        """Whether the last listing was answered."""
        return self._sweep.answered

    @property
    def in_hand(self) -> int:
        """Objects held at this moment."""
        return self._sweep.in_hand

    async def serve(self, *, stop: asyncio.Event, drain_seconds: float) -> int:
        """List and deliver until *stop*, then finish within *drain_seconds*; return how many were left undone."""
        async with self._sweep, asyncio.TaskGroup() as group:
            work = [
                group.create_task(self._rounds(), name="rounds"),
                group.create_task(self._retries(), name="retries"),
            ]
            await stop.wait()
            for task in work:
                task.cancel()
            await asyncio.wait(work)
            return await self._sweep.drain(seconds=drain_seconds)

    async def _rounds(self) -> None:
        while True:
            await self._round()
            await asyncio.sleep(self._interval_seconds)

    async def _retries(self) -> None:
        """Begin anew, as there is room, with what was due when the list ended: what it did not name is forgotten."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            self._retried += self._sweep.try_again(due_by=self._listed_seconds)

    async def _round(self) -> None:
        began = asyncio.get_running_loop().time()
        try:
            passed = await self._sweep.pass_over()
        except LogfanoutError as error:
            telemetry.RoundFailed(place=str(self._reach), error=str(error)).emit()
            return
        self._listed_seconds = asyncio.get_running_loop().time()
        self._retried += self._sweep.try_again(due_by=self._listed_seconds)
        telemetry.RoundFinished(
            place=str(self._reach),
            listed=passed.listed,
            begun=passed.begun + self._retried,
            waiting=self._sweep.waiting,
            seconds=round(asyncio.get_running_loop().time() - began, 3),
        ).emit()
        self._retried = 0

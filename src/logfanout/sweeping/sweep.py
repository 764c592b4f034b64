"""How does what lies in a bucket get to the courier, though nothing announced it?

    Listing ──► pages ──► wanted, and not done with ──► a notice of our own ──► Desk ──► Worker ──► done, or again

What ``scan`` and ``replay`` share. Each object becomes a message that announces it, so that everything behind is the
fleet's own; its lease settles here, in memory, where a queue's would settle with SQS.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from logfanout import telemetry
from logfanout.courier import Courier
from logfanout.errors import LogfanoutError
from logfanout.ledger.object_ids import object_id
from logfanout.memory import Gate
from logfanout.pipeline import notices
from logfanout.pipeline.inbox import Desk, Lease, growing_delay
from logfanout.ports import DeadLetter, DeadLetters, Listing, ObjectRef, Page, Received
from logfanout.retrying import patiently
from logfanout.sweeping.listings import refs
from logfanout.sweeping.reach import Reach
from logfanout.worker import Worker

# Objects that may wait for a slot, of all tenants and of each: a list names one tenant's after the other's.
ROOM, ROOM_IN_LANE = 10_000, 200
# So long is a tenant waited for that has no room; then its objects are followed by a list of their own.
PATIENCE_SECONDS = 2.0
MOST_FOLLOWED = 8
RESERVE_SECONDS = 4.0  # of a drain, for what cannot be finished: a call to the ledger may take three


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a sweep deals with a place; durations in seconds."""

    slots: int  # objects worked on at once, at most
    give_back_seconds: float  # the first delay before an object is tried again; it doubles with each attempt
    page_size: int = 1000
    attempts: int | None = None  # None: until it is delivered, or can never be
    in_order: bool = False  # a slow tenant's objects hold up those behind them: one may go on where it stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An object we are done with."""

    ref: ObjectRef
    reason: str = ""  # why it was not delivered, CONTRACT §6; empty: it was, or nobody wants it
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What one pass over the place came to."""

    listed: int
    begun: int


@dataclass(slots=True, kw_only=True)
class _Attempt:
    ref: ObjectRef
    tenant: str  # empty where the key names none
    number: int  # from 1
    seen: int  # the pass that last listed it
    begun_seconds: float = 0.0  # loop time
    due_seconds: float = 0.0  # loop time


def _all(_ref: ObjectRef) -> bool:
    return True


def _nobody(_done: Done) -> None:
    pass


class Sweep:
    """One place, passed over as often as asked, within an ``async with`` block.

    What is in hand, done with, or to be tried again is not begun anew by a later pass, until it is written anew.
    *told* hears of every object we are done with; *wanted* leaves out what should not be touched.
    """

    def __init__(
        self,
        courier: Courier,
        *,
        listing: Listing,
        reach: Reach,
        gate: Gate,
        terms: Terms,
        dead_letters: DeadLetters | None = None,
        wanted: Callable[[ObjectRef], bool] = _all,
        told: Callable[[Done], None] = _nobody,
    ) -> None:
        self.answered = False  # whether the last page was had
        self._listing = listing
        self._reach = reach
        self._terms = terms
        self._dead_letters = dead_letters
        self._wanted = wanted
        self._told = told
        self._courier = courier
        worker = Worker(courier, max_receives=terms.attempts)
        self._gate = gate
        self._desk = Desk(worker.handle, slots=terms.slots, lane=courier.lane, gate=gate)
        self._pass = 0
        self._done: dict[bytes, int] = {}  # to the pass that last listed it; some 150 bytes each
        self._in_hand: dict[str, _Attempt] = {}
        self._again: dict[str, _Attempt] = {}
        # What has begun and is not done with, by its key, with the key that came before: in the order of the listing.
        self._open: dict[str, str] = {}
        self._last_key = ""
        self._followed: dict[str, asyncio.Task[None]] = {}  # tenants with a list of their own
        self._passed_by: set[str] = set()  # tenants that are left to the next pass

    def __repr__(self) -> str:
        return f"<Sweep of {self._reach}, {len(self._in_hand)} in hand, {len(self._again)} to be tried again>"

    async def __aenter__(self) -> "Sweep":
        await self._desk.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._follow_none()
        await self._desk.__aexit__(*raised)

    @property
    def in_hand(self) -> int:
        """Objects that are worked on, or wait to be."""
        return len(self._in_hand)

    @property
    def waiting(self) -> int:
        """Objects that are to be tried again later."""
        return len(self._again)

    @property
    def done_up_to(self) -> str:
        """The last key up to which the first pass has left nothing behind; empty: none."""
        return next(iter(self._open.values()), self._last_key)

    async def pass_over(self, *, after: str = "") -> Passed:
        """List the place once, from behind the key *after*, and begin with what is new; waits while many wait.

        Raises:
            Unavailable: the listing broke off; what it named so far has begun.
            AccessRefused: we may not list.
        """
        self._pass += 1
        self._passed_by.clear()
        listed = begun = 0
        self._last_key = after
        async for ref in refs(self, self._reach, after=after, page_size=self._terms.page_size):
            listed += 1
            if self._is_new(object_id(ref)) and self._wanted(ref):
                tenant = self._courier.tenant_of(ref)
                if await self._has_room(tenant):
                    self._open[ref.key] = self._last_key
                    self._begin(_Attempt(ref=ref, tenant=tenant, number=1, seen=self._pass))
                    begun += 1
            self._last_key = ref.key
        if not after:
            self._forget_unlisted()
        return Passed(listed=listed, begun=begun)

    def give_up(self) -> None:
        """Be done, undelivered, with what was to be tried again."""
        for attempt in self._again.values():
            self._open.pop(attempt.ref.key, None)
            why = f"stopped before attempt {attempt.number}; why the last one failed is in the log"
            self._told(Done(ref=attempt.ref, reason=LogfanoutError.reason, detail=why))
        self._again.clear()

    async def page(self, bucket: str, *, prefix: str, after: str = "", token: str = "", most: int = 1000) -> Page:
        """Pass a page on, and note whether there was one."""
        try:
            page = await self._listing.page(bucket, prefix=prefix, after=after, token=token, most=most)
        except LogfanoutError:
            self.answered = False
            raise
        self.answered = True
        return page

    def try_again(self, *, due_by: float | None = None) -> int:
        """Begin anew with what failed before, is due by loop time *due_by* (now) and has room; return how many.

        What has no room is left for the next call: to wait for it would hold up everybody else.
        """
        due_by = _now() if due_by is None else due_by
        begun = 0
        for identity in [each for each, attempt in self._again.items() if attempt.due_seconds <= due_by]:
            if self._desk.has_room(self._again[identity].tenant, most=ROOM, most_in_lane=ROOM_IN_LANE):
                self._begin(self._again.pop(identity))
                begun += 1
        return begun

    async def until_all_are_done(self) -> None:
        """Return once nothing is in hand and nothing is to be tried again."""
        while True:
            await self._desk.until_clear()
            if not self._again:
                return
            next_due = min(attempt.due_seconds for attempt in self._again.values())
            await asyncio.sleep(max(next_due - _now(), 0.0))
            self.try_again()

    async def drain(self, *, seconds: float) -> int:
        """Finish what has begun within *seconds*, and begin with nothing; return how many were left undone."""
        deadline = _now() + seconds
        reserve = min(RESERVE_SECONDS, seconds / 4)
        await self._follow_none()
        left = self._desk.take_back()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline - reserve):
                await self._desk.until_clear()
        left += await self._desk.cut(by_seconds=deadline - reserve / 4)
        for lease in left:
            self._in_hand.pop(lease.message.id, None)
        return len(left)

    async def _has_room(self, tenant: str) -> bool:
        """Whether to begin with *tenant*'s next one now; else it has a list of its own, or is left to a later pass.

        Without this a tenant that hangs would keep from the others what comes behind its own in the list.
        """
        if tenant in self._followed or tenant in self._passed_by:
            return False
        try:
            async with asyncio.timeout(None if self._terms.in_order else PATIENCE_SECONDS):
                await self._desk.until_room(tenant, most=ROOM, most_in_lane=ROOM_IN_LANE)
        except TimeoutError:
            if len(self._followed) < MOST_FOLLOWED:
                following = self._follow(tenant, after=self._last_key)
                self._followed[tenant] = asyncio.create_task(following, name=f"follow {tenant}")
            else:
                self._passed_by.add(tenant)
            return False
        return True

    async def _follow(self, tenant: str, *, after: str) -> None:
        """Begin with what *tenant* has behind the key *after*, as fast as it can take it."""
        try:
            async for ref in refs(self, self._reach, after=after, page_size=self._terms.page_size):
                if self._courier.tenant_of(ref) == tenant and self._is_new(object_id(ref)) and self._wanted(ref):
                    await self._desk.until_room(tenant, most=ROOM, most_in_lane=ROOM_IN_LANE)
                    self._open[ref.key] = ""
                    self._begin(_Attempt(ref=ref, tenant=tenant, number=1, seen=self._pass))
        except LogfanoutError as error:
            telemetry.RoundFailed(place=f"{self._reach} of {tenant}", error=str(error)).emit()
        finally:
            self._followed.pop(tenant, None)

    async def _follow_none(self) -> None:
        following = list(self._followed.values())
        for task in following:
            task.cancel()
        if following:
            await asyncio.wait(following)

    def _is_new(self, identity: str) -> bool:
        """Whether nothing has been done about the object yet; note that it is still there."""
        key = bytes.fromhex(identity)
        if key in self._done:
            self._done[key] = self._pass
            return False
        attempt = self._in_hand.get(identity) or self._again.get(identity)
        if attempt is not None:
            attempt.seen = self._pass
        return attempt is None

    def _forget_unlisted(self) -> None:
        """Forget what is not there any more, or not as it was."""
        self._done = {key: seen for key, seen in self._done.items() if seen == self._pass}
        for identity in [each for each, attempt in self._again.items() if attempt.seen != self._pass]:
            self._open.pop(self._again.pop(identity).ref.key, None)

    def _begin(self, attempt: _Attempt) -> None:
        identity = object_id(attempt.ref)
        message = Received(
            id=identity,
            receipt=identity,
            body=notices.render([attempt.ref]),
            receive_count=attempt.number,
            sent_ms=attempt.ref.event_ms,
        )
        attempt.begun_seconds = _now()
        self._in_hand[identity] = attempt
        self._desk.lay(Lease(message, inbox=self, now=_now, seconds=math.inf))
        self._report()

    def _report(self) -> None:
        oldest = next(iter(self._in_hand.values()), None)
        age = _now() - oldest.begun_seconds if oldest else 0.0
        telemetry.InHand(messages=self.in_hand, oldest_seconds=age, bytes=self._gate.held_bytes).emit()

    async def delete(self, lease: Lease) -> None:
        """Note that *lease*'s object is done with."""
        self._finish(lease)

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        """Note that *lease*'s object will not be delivered; send *letter* if there is somewhere to send it."""
        if self._dead_letters is not None:
            await patiently()(self._dead_letters.put, letter)
        reason, detail = letter.attributes["logfanout.reason"], letter.attributes["logfanout.detail"]
        self._finish(lease, reason=reason, detail=detail)
        return self._dead_letters is not None

    async def give_back(self, lease: Lease, *, at_least_seconds: float = 0.0) -> None:
        """Try *lease*'s object again after a delay that grows with its attempts."""
        if self._terms.attempts is not None and lease.message.receive_count >= self._terms.attempts:
            # Its last attempt would have been set aside with a reason, had it not ended in something nobody foresaw.
            self._finish(lease, reason=LogfanoutError.reason, detail="it ended in an error that the log holds")
            return
        lease.settled = True
        attempt = self._in_hand.pop(lease.message.id)
        delay = growing_delay(lease.message, first_seconds=self._terms.give_back_seconds)
        attempt.due_seconds = _now() + max(delay, at_least_seconds)
        attempt.number += 1
        self._again[lease.message.id] = attempt
        self._report()

    def _finish(self, lease: Lease, *, reason: str = "", detail: str = "") -> None:
        lease.settled = True
        attempt = self._in_hand.pop(lease.message.id)
        self._done[bytes.fromhex(lease.message.id)] = max(attempt.seen, self._pass)
        self._open.pop(attempt.ref.key, None)
        self._report()
        self._told(Done(ref=attempt.ref, reason=reason, detail=detail))


def _now() -> float:
    return asyncio.get_running_loop().time()

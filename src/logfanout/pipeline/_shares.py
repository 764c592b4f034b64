"""Whose message starts next, and is there room for another?

    message ──► arrive ──► Start | Wait | Full        leave ──► those that start instead        wanted ──► SQS

Part of the step ``inbox``. Pure: *now* is an argument (the event loop's clock), and nothing is waited for.

A lane is a tenant. SQS hands out messages in no order one could choose by, so one slow tenant with a hundred thousand
of them would soon be in every slot, and the others' messages behind them in the queue. Four rules prevent it:

1. *Fewest running first.* A freed slot goes to the waiting lane with the fewest running, so that lanes move towards
   equal shares without anything being taken from a running message; among equals lanes take turns.
2. *A reserve.* The last eighth of the slots starts a message only while its lane has fewer running than slots are
   free: a lane alone stops short of it, a newcomer starts at once and takes half of what is left, the next one half of
   that. All other slots are never idle while a message waits.
3. *A waiting room.* What may not start yet waits without a slot, so that receivers go on and meet the others'
   messages. The room is for that alone: a message is asked for only while some slot is free, since one hoarded here
   cannot be had by an idle worker elsewhere. When it is full, the lane with the most in it makes room, so that no lane
   can fill it; of that lane's the one received least often goes, so that none uses up its receives long before others.
4. *Looking through the queue.* With the room full, finished work alone decides how fast the queue is read; behind a
   slow lane the others' messages would not be seen for hours. While a slot is free for them the queue is therefore
   read at a steady pace all the same, ``LOOKS_PER_SECOND``: a hundred thousand messages in under nine minutes, for one
   worker. What the room has no place for goes back to SQS, hidden for about as long as its lane will take to get to
   it, which keeps it out of the next look, too.

A look costs each message it gives back one of its receives, and a queue gives only so many before it sets a message
aside. Hence: work that is fast enough reads the queue by itself, and no look is added; a look that in ``LOOK_SECONDS``
has met no lane but the crowd's has seen a long backlog whole, and is taken up again only an hour after it began, so
that a tenant alone on its queue may be as slow as it likes; and while no slot is free nothing is looked for, since
what would be found could not start: then receiving pauses.

Apart from lanes, receives are made worth their price: SQS is paid by the request. Behind an answer that brought all it
was asked for there is more; the next receive then waits until it can ask for ten, or for a third of few slots, though
no longer than ``GATHER_SECONDS``. Where the queue holds less than is asked for, each free slot is asked for at once.

So a slow tenant delays the others by little more than a look through its backlog, and holds what slots the others do
not use; a lane below its share (slots divided by active lanes) never waits for one at or above it to start first.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

BATCH = 10  # ReceiveMessage, "MaxNumberOfMessages"
LOOKS_PER_SECOND = 200.0  # messages seen
LOOK_SECONDS = 600.0  # for how long to look in vain
LOOK_AGAIN_SECONDS = 3600.0  # from the beginning of one look to that of the next
GLANCE_SECONDS = 30.0  # in between: one receive, which by luck meets somebody
GATHER_SECONDS = 0.02  # for which free slots wait for others to share a receive with; an object takes some 0.1 s
GATHERED = 1 / 3  # of the slots: as many are enough for a receive, the others work meanwhile
NO_WAIT_SECONDS = 0.001  # a timer may be early by less: who waited for it must not find that it has to wait again
RESERVE = 1 / 8  # of the slots
LONGEST_DELAY_SECONDS = 900.0  # CONTRACT §1, of a message given back
RATE_SECONDS = 60.0  # over which a lane's pace is averaged


@dataclass(frozen=True, slots=True)
class Start:
    """The message has a slot."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The message waits in the room; ``leave`` names it when it may start."""


@dataclass(frozen=True, slots=True)
class Full(Generic[Item]):
    """The room was full: *item* is to be given back. If it is not the message that arrived, that one waits."""

    item: Item
    delay_seconds: float  # until its lane is likely to get to it; 0: nothing is known, as nothing of it has ended yet


@dataclass(slots=True)
class _Lane(Generic[Item]):
    """One tenant's messages."""

    since_seconds: float  # when it became active
    running: int = 0
    waiting: dict[Item, tuple[int, int]] = field(default_factory=dict)  # in order of arrival: (arrival, receives)
    turn: int = 0  # grows with each start: the less, the longer ago it had one
    pace: float = 0.0  # departures a second, averaged; as of the last one
    left_seconds: float = 0.0  # when that was
    due_seconds: float = 0.0  # when it is likely to have worked off all it was sent, what was given back included

    def rank(self) -> tuple[int, int]:
        """The less, the sooner it starts."""
        return self.running, self.turn

    def left(self, now_seconds: float) -> None:
        """Count a departure."""
        self.pace = self.pace * math.exp((self.left_seconds - now_seconds) / RATE_SECONDS) + 1 / RATE_SECONDS
        self.left_seconds = now_seconds

    def delay(self, now_seconds: float) -> float:
        """Return for how long to hide one more message that is given back."""
        if not self.pace:
            return 0.0
        known = 1 - math.exp((self.since_seconds - now_seconds) / RATE_SECONDS)  # the share of the average that is real
        pace = self.pace * math.exp((self.left_seconds - now_seconds) / RATE_SECONDS)
        each_seconds = known / max(pace, 1 / LONGEST_DELAY_SECONDS)
        ahead_seconds = max(self.due_seconds, now_seconds + len(self.waiting) * each_seconds)
        delay_seconds = min(ahead_seconds + each_seconds - now_seconds, LONGEST_DELAY_SECONDS)
        self.due_seconds = now_seconds + delay_seconds
        return delay_seconds


class Shares(Generic[Item]):
    """The messages in hand, by lane; an item is the inbox's own handle of one, and is here once."""

    def __init__(self, *, slots: int, room: int) -> None:
        self.slots = slots
        self.room = room
        self.reserve = max(1, int(slots * RESERVE)) if slots > 1 else 0
        self.running = 0
        self.waiting = 0
        self._asked = 0  # messages that receives under way may bring
        self._enough = max(1, min(BATCH, int(slots * GATHERED)))  # messages to ask for without waiting for more
        self._gathered_seconds = -math.inf  # from when on fewer are asked for, too
        self._read_seconds = -math.inf  # when the next look is due, at its pace; each arrival puts it off
        self._arrived_seconds = -math.inf
        self._crowd: Hashable = None  # the lane last given back from
        self._met_seconds = -math.inf  # when a message of another lane last arrived
        self._ticks = 0  # arrivals and starts, so that each comes before or after each other
        self._lanes: dict[Hashable, _Lane[Item]] = {}  # the active ones: something runs or waits
        self._lane_of: dict[Item, Hashable] = {}

    def __repr__(self) -> str:
        return (
            f"<Shares, {self.running} of {self.slots} slots and {self.waiting} of {self.room} places"
            f" for {len(self._lanes)} lanes>"
        )

    @property
    def free(self) -> int:
        """Slots nobody has."""
        return self.slots - self.running

    @property
    def room_left(self) -> int:
        """Places nobody waits in."""
        return self.room - self.waiting

    @property
    def share(self) -> int:
        """What each lane may have while all want more; at least one."""
        return max(1, self.slots // max(1, len(self._lanes)))

    def wanted(self, *, now_seconds: float) -> int:
        """Return how many messages to ask SQS for now, 0 to 10; who does ask says so by ``asked``."""
        if self.wanted_after_seconds(now_seconds=now_seconds) != 0:
            return 0
        places = self._places
        return min(BATCH, self.free - self._asked, places) if places > 0 else BATCH

    def wanted_after_seconds(self, *, now_seconds: float) -> float | None:
        """Return when ``wanted`` will say more than 0 though nothing leaves; ``None``: not before something does."""
        unclaimed = self.free - self._asked
        if unclaimed <= 0:
            return None
        places = self._places
        if places <= 0:
            return self._look_wait(now_seconds)
        return 0.0 if min(unclaimed, places) >= self._enough else self._gather_wait(now_seconds)

    def _gather_wait(self, now_seconds: float) -> float:
        wait = self._gathered_seconds - now_seconds
        return wait if wait > NO_WAIT_SECONDS else 0.0

    @property
    def _places(self) -> int:
        """Messages that could be kept whatever lane they are of, beyond those asked for already."""
        return max(self.free - self.reserve, 0) + self.room_left - self._asked

    def _look_wait(self, now_seconds: float) -> float:
        in_vain_seconds = now_seconds - self._met_seconds
        due_seconds = self._read_seconds
        if not math.isinf(in_vain_seconds) and in_vain_seconds % LOOK_AGAIN_SECONDS >= LOOK_SECONDS:
            due_seconds = self._arrived_seconds + GLANCE_SECONDS
        wait = due_seconds - now_seconds
        return wait if wait > NO_WAIT_SECONDS else 0.0

    def asked(self, count: int) -> None:
        """Note that a receive of up to *count* messages is under way."""
        self._asked += count

    def answered(self, count: int, *, brought: int = 0, now_seconds: float) -> None:
        """Note that the receive of up to *count* has ended; what it *brought* has arrived, each by ``arrive``."""
        self._asked -= count
        self._gathered_seconds = now_seconds + GATHER_SECONDS if brought >= count else -math.inf

    def arrive(self, lane: Hashable, item: Item, *, receives: int = 1, now_seconds: float) -> Start | Wait | Full[Item]:
        """Say what becomes of *item*, a message of *lane* that was received *receives* times."""
        self._note_arrival(lane, now_seconds)
        its = self._lanes.get(lane)
        if its is None:
            its = _Lane(since_seconds=now_seconds, left_seconds=now_seconds, turn=self._ticks)
            self._lanes[lane] = its
        self._lane_of[item] = lane
        if self._may_start(its):  # if so, none of its lane waits
            self._start(its)
            return Start()
        its.waiting[item] = (self._ticks, receives)
        self.waiting += 1
        if self.waiting <= self.room:
            return Wait()
        return self._crowded_out(its, now_seconds)

    def _note_arrival(self, lane: Hashable, now_seconds: float) -> None:
        self._ticks += 1
        self._arrived_seconds = now_seconds
        # A burst puts the next look off by a second at most: after a pause it is not paid for for long.
        self._read_seconds = min(max(self._read_seconds, now_seconds) + 1 / LOOKS_PER_SECOND, now_seconds + 1)
        if lane != self._crowd:
            self._met_seconds = now_seconds

    def leave(self, item: Item, *, now_seconds: float) -> tuple[Item, ...]:
        """Free the slot of *item*, which was running; return those that start now."""
        key = self._lane_of.pop(item)
        lane = self._lanes[key]
        lane.running -= 1
        self.running -= 1
        lane.left(now_seconds)
        started = tuple(self._started())
        self._forget_if_idle(key)
        return started

    def withdraw(self, item: Item) -> bool:
        """Let go of *item* if it waits, as its lease is lost; ``False``: it does not wait, it may be running."""
        key = self._lane_of.get(item)
        if key is None or item not in self._lanes[key].waiting:
            return False
        self._withdraw(item, self._lanes[key])
        return True

    def clear(self) -> tuple[Item, ...]:
        """Let go of all that wait, as the worker drains; return them in order of arrival."""
        waiting = sorted(
            ((place, item) for lane in self._lanes.values() for item, place in lane.waiting.items()),
            key=lambda entry: entry[0],
        )
        for _, item in waiting:
            self.withdraw(item)
        return tuple(item for _, item in waiting)

    def _may_start(self, lane: _Lane[Item]) -> bool:
        return self.free > self.reserve or lane.running < self.free

    def _start(self, lane: _Lane[Item]) -> None:
        self._ticks += 1
        lane.turn = self._ticks
        lane.running += 1
        self.running += 1

    def _started(self) -> list[Item]:
        """Start what may; if the lane that comes first may not, no other may."""
        started: list[Item] = []
        while self.waiting:
            lane = min((lane for lane in self._lanes.values() if lane.waiting), key=_Lane.rank)
            if not self._may_start(lane):
                break
            item = next(iter(lane.waiting))
            del lane.waiting[item]
            self.waiting -= 1
            self._start(lane)
            started.append(item)
        return started

    def _crowded_out(self, arrived: _Lane[Item], now_seconds: float) -> Full[Item]:
        """Choose who leaves the room: of the lane with the most in it, unless that would only turn the tables."""
        lane = max(self._lanes.values(), key=lambda each: len(each.waiting))
        if len(lane.waiting) <= len(arrived.waiting):
            lane = arrived
        item = min(reversed(lane.waiting), key=lambda each: lane.waiting[each][1])  # among equals the last to come
        self._crowd = self._lane_of[item]
        self._withdraw(item, lane)
        return Full(item, lane.delay(now_seconds))

    def _withdraw(self, item: Item, lane: _Lane[Item]) -> None:
        del lane.waiting[item]
        self.waiting -= 1
        self._forget_if_idle(self._lane_of.pop(item))

    def _forget_if_idle(self, key: Hashable) -> None:
        lane = self._lanes[key]
        if not lane.running and not lane.waiting:
            del self._lanes[key]

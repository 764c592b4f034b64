"""Who starts next, and can one tenant be in the others' way?"""

import random
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from logfanout.pipeline._shares import (
    BATCH,
    GATHER_SECONDS,
    GLANCE_SECONDS,
    LONGEST_DELAY_SECONDS,
    LOOK_AGAIN_SECONDS,
    LOOK_SECONDS,
    LOOKS_PER_SECOND,
    Full,
    Shares,
    Start,
    Wait,
)


def filled(shares: Shares[str], lane: str, count: int, *, now_seconds: float = 0) -> list[str]:
    """Let *count* messages of *lane* arrive; return those that started."""
    names = [f"{lane}{number}" for number in range(count)]
    return [name for name in names if shares.arrive(lane, name, now_seconds=now_seconds) == Start()]


def test_a_lane_alone_has_all_slots_but_the_reserve() -> None:
    """Work does not wait for somebody who may never come, save an eighth."""
    shares: Shares[str] = Shares(slots=32, room=8)
    assert len(filled(shares, "a", 36)) == 28
    assert (shares.waiting, shares.room_left, shares.free, shares.share) == (8, 0, 4, 32)


def test_newcomers_start_at_once() -> None:
    """The first takes half of the reserve, the next half of what is left, so that some is left for the one after."""
    shares: Shares[str] = Shares(slots=32, room=32)
    filled(shares, "a", 30)
    assert [len(filled(shares, lane, 5)) for lane in "bcd"] == [2, 1, 1]
    assert shares.free == 0


def test_a_freed_slot_goes_to_the_lane_with_the_fewest_running() -> None:
    """Until shares are equal; the reserve then fills again."""
    shares: Shares[str] = Shares(slots=8, room=20)
    running = {"a": deque(filled(shares, "a", 10)), "b": deque(filled(shares, "b", 10))}
    for _ in range(6):
        for started in shares.leave(running["a"].popleft(), now_seconds=1):
            running[started[0]].append(started)
    assert sorted(map(len, running.values())) == [3, 4]


def test_within_a_lane_the_first_to_come_starts_first() -> None:
    """Nothing reorders a tenant's messages but SQS."""
    shares: Shares[str] = Shares(slots=1, room=9)
    assert filled(shares, "a", 4) == ["a0"]
    order = [shares.leave(item, now_seconds=1) for item in ("a0", "a1", "a2", "a3")]
    assert order == [("a1",), ("a2",), ("a3",), ()]


def test_among_equals_lanes_take_turns() -> None:
    """Though all of the first one's messages were there before the others'."""
    shares: Shares[str] = Shares(slots=1, room=9)
    for lane, count in (("a", 4), ("c", 2), ("b", 1)):
        filled(shares, lane, count)
    order, item = [], "a0"
    while started := shares.leave(item, now_seconds=1):
        (item,) = started
        order.append(item)
    assert order == ["a1", "c0", "b0", "a2", "c1", "a3"]


def test_a_full_room_gives_back_of_the_lane_that_fills_it() -> None:
    """The newcomer's message waits instead of one of the crowd's."""
    shares: Shares[str] = Shares(slots=2, room=3)
    filled(shares, "a", 4)
    filled(shares, "c", 1)
    assert shares.free == 0
    arrived = shares.arrive("b", "b0", now_seconds=0)
    assert isinstance(arrived, Full)
    assert arrived.item == "a3"
    assert shares.leave("c0", now_seconds=1) == ("b0",)


def test_what_was_received_most_often_is_not_given_back() -> None:
    """Receives are used up evenly: none runs out of them long before the others."""
    shares: Shares[str] = Shares(slots=1, room=2)
    shares.arrive("a", "running", now_seconds=0)
    shares.arrive("a", "third time", receives=3, now_seconds=0)
    shares.arrive("a", "second time", receives=2, now_seconds=0)
    arrived = shares.arrive("a", "fourth time", receives=4, now_seconds=0)
    assert isinstance(arrived, Full)
    assert arrived.item == "second time"
    assert shares.arrive("a", "first time", receives=1, now_seconds=0) == Full("first time", 0.0)


def test_what_is_given_back_returns_when_its_lane_gets_to_it() -> None:
    """Each is hidden behind the one before, by the pace at which the lane works; never longer than is allowed."""
    shares: Shares[str] = Shares(slots=1, room=2)
    filled(shares, "a", 3)
    now = 0.0
    for number in range(300):  # one message every two seconds
        now += 2.0
        (started,) = shares.leave(f"a{number}", now_seconds=now)
        assert started == f"a{number + 1}"
        shares.arrive("a", f"a{number + 3}", now_seconds=now)
    delays = []
    for number in range(1000):
        arrived = shares.arrive("a", f"late{number}", now_seconds=now)
        assert isinstance(arrived, Full)
        delays.append(arrived.delay_seconds)
    assert all(abs(delay - 2 * (3 + number)) < 0.1 * delay for number, delay in enumerate(delays[:300]))
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_SECONDS


def test_a_message_whose_lease_is_lost_leaves_the_room() -> None:
    """One that runs does not: whoever runs it finds out, and then leaves."""
    shares: Shares[str] = Shares(slots=1, room=3)
    filled(shares, "a", 3)
    assert shares.withdraw("a1")
    assert not shares.withdraw("a1")
    assert not shares.withdraw("a0")
    assert shares.leave("a0", now_seconds=1) == ("a2",)


def test_at_a_drain_the_room_is_emptied_in_order() -> None:
    """What has not started is shown to others at once, and nothing starts any more."""
    shares: Shares[str] = Shares(slots=1, room=4)
    filled(shares, "a", 2)
    filled(shares, "b", 1)
    shares.arrive("a", "last", now_seconds=0)
    assert shares.clear() == ("a1", "b0", "last")
    assert shares.leave("a0", now_seconds=0) == ()
    assert repr(shares) == "<Shares, 0 of 1 slots and 0 of 4 places for 0 lanes>"


def test_no_more_is_asked_for_than_could_be_kept() -> None:
    """Receives under way count as if they had brought all they may."""
    shares: Shares[str] = Shares(slots=16, room=4)
    assert shares.wanted(now_seconds=0) == 10
    shares.asked(10)
    assert shares.wanted(now_seconds=0) == 6
    shares.asked(6)
    assert shares.wanted(now_seconds=0) == 0
    assert shares.wanted_after_seconds(now_seconds=0) is None
    shares.answered(10, now_seconds=0)
    assert shares.wanted(now_seconds=0) == 10
    assert shares.wanted_after_seconds(now_seconds=0) == 0


def test_behind_a_full_answer_free_slots_share_a_receive() -> None:
    """SQS has more: ten slots, or a third of a few, are waited for, but not for long."""
    for slots, enough in ((32, 10), (16, 5), (2, 1)):
        shares: Shares[str] = Shares(slots=slots, room=2 * slots)
        running = filled(shares, "a", slots)
        shares.asked(1)
        shares.answered(1, brought=1, now_seconds=100)
        for item in running[: enough - 1]:
            shares.leave(item, now_seconds=100)
            assert shares.wanted(now_seconds=100) == 0
            assert shares.wanted_after_seconds(now_seconds=100) == pytest.approx(GATHER_SECONDS)
            assert shares.wanted(now_seconds=100 + GATHER_SECONDS) == shares.free
        for item in running[enough - 1 :]:
            shares.leave(item, now_seconds=100)
            assert shares.wanted(now_seconds=100) == min(shares.free, BATCH)


def test_behind_an_answer_that_left_something_to_be_desired_each_slot_is_asked_for() -> None:
    """The queue has no more: whatever comes next is to be had at once."""
    shares: Shares[str] = Shares(slots=32, room=64)
    filled(shares, "a", 31)
    shares.asked(1)
    shares.answered(1, brought=1, now_seconds=100)
    shares.asked(1)
    shares.answered(1, brought=0, now_seconds=100)
    assert shares.wanted(now_seconds=100) == shares.free
    assert shares.wanted_after_seconds(now_seconds=100) == 0


def test_without_a_free_slot_nothing_is_asked_for() -> None:
    """What could not start is better left to a worker where it can, though the room has places."""
    shares: Shares[str] = Shares(slots=1, room=4)
    filled(shares, "a", 1)
    assert shares.wanted(now_seconds=100) == 0
    assert shares.wanted_after_seconds(now_seconds=100) is None


def crowded(now_seconds: float) -> Shares[str]:
    """Return the shares of a worker whose room one lane has filled, and for more."""
    shares: Shares[str] = Shares(slots=16, room=4)
    filled(shares, "a", 19, now_seconds=now_seconds)
    assert (shares.free, shares.room_left) == (2, 0)
    return shares


def look(shares: Shares[str], lane: str, *, now_seconds: float) -> float:
    """Wait for the next look, let it bring ten messages of *lane*, and return how long it was waited for."""
    wait = shares.wanted_after_seconds(now_seconds=now_seconds)
    assert wait is not None
    assert shares.wanted(now_seconds=now_seconds) == (0 if wait else BATCH)
    now = now_seconds + wait
    assert shares.wanted(now_seconds=now) == BATCH
    shares.asked(BATCH)
    assert shares.wanted_after_seconds(now_seconds=now) is None, "one look at a time"
    for number in range(BATCH):
        shares.arrive(lane, f"{lane} at {now} {number}", now_seconds=now)
    shares.answered(BATCH, brought=BATCH, now_seconds=now)
    return wait


def test_with_the_room_full_the_queue_is_looked_through_at_a_pace() -> None:
    """As long as a slot is free for whom that may find; what work itself has read counts."""
    shares = crowded(100)
    assert 0 < look(shares, "a", now_seconds=100) <= 19 / LOOKS_PER_SECOND
    wait = look(shares, "a", now_seconds=200)
    assert wait == 0
    wait = look(shares, "a", now_seconds=200.001)
    assert abs(wait - BATCH / LOOKS_PER_SECOND) < 0.002


def test_a_look_in_vain_ends_and_is_taken_up_within_the_hour() -> None:
    """A tenant alone on its queue must not use up its messages' receives for others who are not there."""
    shares = crowded(100)
    ends, again = 100 + LOOK_SECONDS, 100 + LOOK_AGAIN_SECONDS
    assert look(shares, "a", now_seconds=ends - 10) == 0
    assert look(shares, "a", now_seconds=ends) == GLANCE_SECONDS - 10
    assert look(shares, "a", now_seconds=ends + 100) == 0
    assert look(shares, "a", now_seconds=ends + 100) == GLANCE_SECONDS
    assert look(shares, "a", now_seconds=again) == 0
    assert look(shares, "a", now_seconds=again + 0.01) < 1


def test_a_look_goes_on_while_it_meets_others() -> None:
    """Met by a mere glance, too."""
    shares = crowded(100)
    now = 110 + LOOK_SECONDS
    shares.arrive("b", "b0", now_seconds=now)
    assert shares.leave("b0", now_seconds=now) == ()
    look(shares, "a", now_seconds=now + LOOK_SECONDS - 10)
    assert look(shares, "a", now_seconds=now + LOOK_SECONDS - 9) == 0


def test_a_place_that_falls_free_is_asked_for_sooner_than_the_next_look() -> None:
    """A look in vain waits half a minute for the next one; nobody waits so long for a place to share a receive with."""
    shares = crowded(100)
    now = 110 + LOOK_SECONDS
    look(shares, "a", now_seconds=now)
    assert shares.wanted_after_seconds(now_seconds=now) == GLANCE_SECONDS
    for item in ("a0", "a1", "a2"):
        shares.leave(item, now_seconds=now)
    assert shares.wanted(now_seconds=now) == 0
    assert shares.wanted_after_seconds(now_seconds=now) == pytest.approx(GATHER_SECONDS)


@given(st.floats(0, 1e10), st.floats(0, 900))
@example(7468.385900105391, 380.4148844486611)
def test_nothing_is_given_back_for_longer_than_a_quarter_of_an_hour(now_seconds: float, seconds: float) -> None:
    """However slow its lane is, and whatever the clock shows: SQS is asked for no more than is promised."""
    shares: Shares[int] = Shares(slots=1, room=1)
    shares.arrive("a", 0, now_seconds=now_seconds)
    shares.arrive("a", 1, now_seconds=now_seconds)
    assert shares.leave(0, now_seconds=now_seconds + seconds) == (1,)
    for number in range(2, 20):
        answer = shares.arrive("a", number, now_seconds=now_seconds + seconds + 1)
        assert not isinstance(answer, Full) or 0 <= answer.delay_seconds <= LONGEST_DELAY_SECONDS


class AnyOrder(RuleBasedStateMachine):
    """Messages come and go in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: Shares[tuple[str, int]] = Shares(slots=6, room=5)
        self.number = 0
        self.now = 0.0
        self.running: set[tuple[str, int]] = set()
        self.waiting: list[tuple[str, int]] = []

    def start(self, items: tuple[tuple[str, int], ...]) -> None:
        """Take over what starts, in the state the shares were in just before."""
        for item in items:
            fewest = min(self.count(lane) for lane, _ in self.waiting)
            lane = item[0]
            assert self.count(lane) == fewest, "a lane with more running went first"
            assert item == next(each for each in self.waiting if each[0] == lane), "a message overtook another"
            self.waiting.remove(item)
            self.running.add(item)

    def count(self, lane: str) -> int:
        return sum(each == lane for each, _ in self.running)

    @rule(lane=st.sampled_from("abcdefgh"), receives=st.integers(1, 5), seconds=st.floats(0, 100))
    def arrive(self, lane: str, receives: int, seconds: float) -> None:
        self.now += seconds
        self.number += 1
        item = (lane, self.number)
        match self.shares.arrive(lane, item, receives=receives, now_seconds=self.now):
            case Start():
                assert all(each != lane for each, _ in self.waiting), "it overtook its own lane's"
                below = [each for each, _ in self.waiting if self.count(each) < self.shares.share]
                assert not below or self.count(lane) < self.shares.share, "it took what others wait for"
                self.running.add(item)
            case Wait():
                self.waiting.append(item)
            case Full(item=gone, delay_seconds=delay):
                assert len(self.waiting) == self.shares.room
                assert 0 <= delay <= LONGEST_DELAY_SECONDS
                self.waiting.append(item)
                most = Counter(each for each, _ in self.waiting).most_common(1)[0][1]
                assert gone[0] == lane or sum(each == gone[0] for each, _ in self.waiting) == most
                self.waiting.remove(gone)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), seconds=st.floats(0, 100))
    def leave(self, data: st.DataObject, seconds: float) -> None:
        self.now += seconds
        item = data.draw(st.sampled_from(sorted(self.running)))
        self.running.remove(item)
        self.start(self.shares.leave(item, now_seconds=self.now))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.waiting))
        assert self.shares.withdraw(item)
        self.waiting.remove(item)

    @invariant()
    def counts_agree(self) -> None:
        """Nothing is lost, nothing is there twice, and no bound is passed."""
        assert self.shares.running == len(self.running) <= self.shares.slots
        assert self.shares.waiting == len(self.waiting) <= self.shares.room

    @invariant()
    def no_slot_is_idle_for_nothing(self) -> None:
        """While a message waits, only the reserve is free, and none waits whose lane has nothing running."""
        if self.waiting:
            assert self.shares.free <= self.shares.reserve
            if self.shares.free:
                assert all(self.count(lane) for lane, _ in self.waiting)

    def teardown(self) -> None:
        """When no more come, all that wait start, each after no more departures than there were messages."""
        departures = len(self.running) + len(self.waiting)
        for _ in range(departures):
            if self.running:
                item = min(self.running)
                self.running.remove(item)
                self.start(self.shares.leave(item, now_seconds=self.now))
        assert not self.running
        assert not self.waiting
        assert self.shares.share == self.shares.slots


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@given(st.integers(2, 40), st.integers(1, 40), st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_newcomer_starts_after_a_bounded_number_of_departures(
    slots: int, room: int, others: int, chance: random.Random
) -> None:
    """At the latest when each of the other lanes has had a turn, however many messages each of them has waiting."""
    shares: Shares[tuple[str, int]] = Shares(slots=slots, room=room + others + 1)
    running: list[tuple[str, int]] = []
    number = 0

    def arrive(lane: str) -> bool:
        nonlocal number
        number += 1
        started = shares.arrive(lane, (lane, number), now_seconds=0) == Start()
        running.extend([(lane, number)] if started else [])
        return started

    for _ in range(slots + room):
        arrive(chance.choice("abcdefgh"[:others]))
    came = arrive("newcomer")
    for _ in range(others + 1):
        gone = running.pop(chance.randrange(len(running)))
        started = shares.leave(gone, now_seconds=0)
        came = came or any(lane == "newcomer" for lane, _ in started)
        running.extend(started)
        for _ in range(3):
            arrive(chance.choice("abcdefgh"[:others]))
    assert came


@dataclass
class Sent:
    """A message in the queue of the story below."""

    seconds: float
    lane: str
    receives: int = 0


@dataclass
class Backlog:
    """A queue as unfair as can be: what was sent first is received first; and one worker that reads it."""

    shares: Shares[tuple[str, int]]
    took_seconds: dict[str, float]
    visible: deque[Sent] = field(default_factory=deque)
    hidden: list[tuple[float, Sent]] = field(default_factory=list)  # back at
    in_hand: dict[tuple[str, int], Sent] = field(default_factory=dict)
    ends: dict[tuple[str, int], float] = field(default_factory=dict)  # of those that run
    done: list[tuple[str, float]] = field(default_factory=list)  # lane, how long after it was sent
    given_back: int = 0
    number: int = 0

    def run(self, seconds: float, *, arrivals: dict[str, float]) -> None:
        """Go on for *seconds*, a hundredth at a time; *arrivals* are messages a second, by lane."""
        due = dict.fromkeys(arrivals, 0.0)
        for tick in range(round(seconds * 100)):
            now = tick / 100
            for lane, each_second in arrivals.items():
                due[lane] += each_second / 100
                while due[lane] >= 1:
                    due[lane] -= 1
                    self.visible.append(Sent(now, lane))
            if tick % 100 == 0:
                self.visible.extend(message for back, message in self.hidden if back <= now)
                self.hidden = [each for each in self.hidden if each[0] > now]
            self.finish(now)
            while self.visible and (wanted := self.shares.wanted(now_seconds=now)):
                self.shares.asked(wanted)
                brought = min(wanted, len(self.visible))
                for _ in range(brought):
                    self.receive(self.visible.popleft(), now)
                self.shares.answered(wanted, brought=brought, now_seconds=now)

    def finish(self, now: float) -> None:
        for item in [item for item, end in self.ends.items() if end <= now]:
            del self.ends[item]
            message = self.in_hand.pop(item)
            self.done.append((message.lane, now - message.seconds))
            for each in self.shares.leave(item, now_seconds=now):
                self.ends[each] = now + self.took_seconds[each[0]]

    def receive(self, message: Sent, now: float) -> None:
        self.number += 1
        item = (message.lane, self.number)
        message.receives += 1
        self.in_hand[item] = message
        match self.shares.arrive(message.lane, item, receives=message.receives, now_seconds=now):
            case Start():
                self.ends[item] = now + self.took_seconds[message.lane]
            case Full(item=gone, delay_seconds=delay):
                self.given_back += 1
                returned = self.in_hand.pop(gone)
                usual = min(30 * 2.0 ** (returned.receives - 1), LONGEST_DELAY_SECONDS)
                self.hidden.append((now + (delay or usual), returned))
            case Wait():
                pass

    def waits(self, lane: str) -> list[float]:
        """Return how long after they were sent *lane*'s messages were done, in the order they were."""
        return [seconds for each, seconds in self.done if each == lane]


def test_a_slow_tenants_backlog_does_not_stop_the_others() -> None:
    """Twenty thousand messages of a tenant whose account takes a minute for each, and a tenant that has one a second.

    It waits while the backlog is looked through once, and what came back meanwhile; then it is served as if the other
    were not there.
    """
    world = Backlog(Shares(slots=32, room=32), {"slow": 60.0, "quick": 0.2})
    world.visible.extend(Sent(0.0, "slow") for _ in range(20_000))
    world.run(400, arrivals={"quick": 1.0})
    waits = world.waits("quick")
    assert len(waits) > 380
    assert max(waits) < 1.5 * 20_000 / LOOKS_PER_SECOND
    assert sorted(waits[-200:])[180] < 2
    assert len(world.waits("slow")) >= 28 * 6 - 32


def test_a_quick_tenants_backlog_is_not_handed_back_and_forth() -> None:
    """Where work is fast, finished work paces the reading, and next to nothing is given back."""
    world = Backlog(Shares(slots=32, room=32), {"busy": 0.1})
    world.visible.extend(Sent(0.0, "busy") for _ in range(5_000))
    world.run(20, arrivals={})
    assert len(world.done) == 5_000
    assert world.given_back == 0


def test_a_slow_tenant_alone_keeps_its_receives() -> None:
    """Hours of a backlog cost each message a receive or two an hour, not one with every look."""
    world = Backlog(Shares(slots=16, room=16), {"slow": 30.0})
    world.visible.extend(Sent(0.0, "slow") for _ in range(2_000))
    world.run(3_600, arrivals={})
    assert len(world.done) >= 14 * 119
    assert world.given_back < 2 * 2_000

"""A message in hand is ours until SQS has answered what became of it; none waits, none is forgotten, none is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import REGISTRY

from logfanout.errors import AccessRefused, LeaseLost, Throttled, Unavailable
from logfanout.memory import Gate
from logfanout.pipeline._leases import LONGEST_LEASE_SECONDS
from logfanout.pipeline.inbox import Inbox, Lease, Terms
from logfanout.ports import DeadLetter, DeadLetters, Received, Refusal
from logfanout.testing import FakeDeadLetters, FakeQueue, LoopClock, virtual_time

Handler = Callable[[Lease], Awaitable[None]]
LEASE_SECONDS = 30
LETTER = DeadLetter(body="{}", attributes={"logfanout.reason": "bad_message"})


class WatchedQueue(FakeQueue):
    """A queue that notes what it is asked."""

    def __init__(self, *, max_receive_count: int = 1000) -> None:
        self.dead = FakeDeadLetters()
        super().__init__(clock=LoopClock(), redrive_to=self.dead, max_receive_count=max_receive_count)
        self.asked = 0  # messages asked for in polls that have not been answered
        self.most_claimed = 0  # asked for or in hand, at once
        self.batches: list[int] = []  # sizes of deletes
        self.hidden: list[tuple[float, int]] = []  # when, and for how long
        self.polls: list[float] = []
        self.inbox: Inbox | None = None

    async def receive(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Received]:
        self.polls.append(now())
        self.asked += most
        self.most_claimed = max(self.most_claimed, self.asked + (self.inbox.in_hand if self.inbox else 0))
        try:
            return await super().receive(most=most, wait_seconds=wait_seconds, hide_seconds=hide_seconds)
        finally:
            self.asked -= most

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        self.batches.append(len(receipts))
        return await super().delete(receipts)

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        self.hidden.extend((now(), seconds) for _ in receipts)
        return await super().hide(receipts, seconds=seconds)


def now() -> float:
    return asyncio.get_running_loop().time()


def terms(**changes: Any) -> Terms:
    return Terms(**({"slots": 32, "receivers": 1, "lease_seconds": LEASE_SECONDS, "give_back_seconds": 30} | changes))


class Serving:
    """An inbox at work."""

    def __init__(self, inbox: Inbox, stop: asyncio.Event) -> None:
        self.inbox = inbox
        self.stop = stop
        self.given_back = -1
        self.drained_seconds = -1.0

    async def until(self, done: Callable[[], bool], *, within: float = 86_400) -> None:
        """Let time pass until *done*."""
        async with asyncio.timeout(within):
            while not done():  # noqa: ASYNC110  the loop's time jumps
                await asyncio.sleep(0.25)


@asynccontextmanager
async def serving(
    queue: FakeQueue,
    handle: Handler,
    *,
    dead_letters: DeadLetters | None = None,
    drain_seconds: float = 25,
    gate: Gate | None = None,
    **changes: Any,
) -> AsyncIterator[Serving]:
    """Serve *queue* while the block lasts, then drain."""
    inbox = Inbox(queue, dead_letters=dead_letters, terms=terms(**changes), gate=gate)
    if isinstance(queue, WatchedQueue):
        queue.inbox = inbox
    work = Serving(inbox, asyncio.Event())
    served = asyncio.create_task(inbox.serve(handle, stop=work.stop, drain_seconds=drain_seconds))
    try:
        yield work
    finally:
        began = now()
        work.stop.set()
        work.given_back = await served
        work.drained_seconds = now() - began


async def delete_at_once(lease: Lease) -> None:
    await lease.delete()


# Slots.


@virtual_time
async def test_it_never_asks_for_more_than_it_has_slots_for() -> None:
    """A message waits at SQS, where others can have it, and not here with its lease running."""
    queue = WatchedQueue()
    for _ in range(200):
        queue.send("{}")
    most_in_hand = 0

    async def slowly(lease: Lease) -> None:
        nonlocal most_in_hand
        most_in_hand = max(most_in_hand, work.inbox.in_hand)
        await asyncio.sleep(7)
        await lease.delete()

    async with serving(queue, slowly, slots=13, receivers=4) as work:
        await work.until(lambda: not queue.bodies())
    assert queue.most_claimed == most_in_hand == 13
    assert queue.calls["delete"] <= 200


@virtual_time
async def test_of_a_long_queue_slots_that_fall_free_together_share_a_receive() -> None:
    """SQS is paid by the request; none waits long enough for company to be missed."""
    queue = WatchedQueue()
    for number in range(400):
        queue.send(str(number))

    async def handle(lease: Lease) -> None:
        await asyncio.sleep(0.1 + int(lease.message.body) % 32 / 400)
        await lease.delete()

    began = now()
    async with serving(queue, handle, receivers=4) as work:
        await work.until(lambda: not queue.bodies())
        took_seconds = now() - began
    assert len(queue.polls) < 400 / 3  # 325 when each slot is asked for as it falls free
    assert took_seconds < 1.3 * 400 / 32 * 0.14


@virtual_time
async def test_the_gauges_tell_what_is_in_hand() -> None:
    """The first message at once, many within a second, and nothing when nothing is left."""
    queue, may_end = WatchedQueue(), asyncio.Event()

    def told() -> tuple[float | None, ...]:
        names = ("messages_in_flight", "oldest_in_flight_seconds", "bytes_in_flight")
        return tuple(REGISTRY.get_sample_value(f"logfanout_{name}") for name in names)

    async def handle(lease: Lease) -> None:
        with gate.holding(1000):
            await may_end.wait()
        await lease.delete()

    gate = Gate(10**6)
    async with serving(queue, handle, gate=gate) as work:
        queue.send("{}")
        await work.until(lambda: work.inbox.in_hand == 1)
        assert told() == (1, 0, 0)
        await asyncio.sleep(5)
        for _ in range(2):
            queue.send("{}")
            await asyncio.sleep(5)
        messages, oldest, held = told()
        assert (messages, held) == (3, 3000)
        assert oldest == pytest.approx(15, abs=0.5)
        may_end.set()
        await work.until(lambda: not queue.bodies())
        assert told() == (0, 0, 0)


@virtual_time
async def test_slots_come_back_however_a_message_ends() -> None:
    """Deleted, given back, set aside, lost or left alone: the next message finds the slot free."""
    queue = WatchedQueue()
    ends = iter(["delete", "give back", "set aside", "leave", "lose"] * 4)
    for _ in range(20):
        queue.send("{}")

    async def handle(lease: Lease) -> None:
        match next(ends, "delete"):
            case "delete":
                await lease.delete()
            case "give back":
                await lease.give_back()
            case "set aside":
                await lease.set_aside(LETTER)
            case "lose":
                queue.show_again(lease.message.id)
                with pytest.raises(LeaseLost):
                    while True:
                        await asyncio.sleep(1)
                        lease.require()
            case "leave":
                pass

    async with serving(queue, handle, dead_letters=queue.dead, slots=2, give_back_seconds=1) as work:
        await work.until(lambda: not queue.bodies())
        assert work.inbox.in_hand == 0
        assert "0 of 2 slots" in repr(work.inbox)
    assert "0 of 2 slots" in repr(work.inbox)


# Leases.


@virtual_time
async def test_a_message_stays_hidden_while_it_is_worked_on() -> None:
    """An hour of work under a lease of half a minute: nobody else sees the message."""
    queue = WatchedQueue()
    number = queue.send("{}")
    counts = []

    async def slowly(lease: Lease) -> None:
        await asyncio.sleep(3600)
        counts.append(queue.receive_counts()[number])
        await lease.delete()

    async with serving(queue, slowly) as work:
        await work.until(lambda: not queue.bodies())
    assert counts == [1]
    assert all(seconds == LEASE_SECONDS for _, seconds in queue.hidden)
    assert len(queue.hidden) < 3600 / LEASE_SECONDS * 4


@virtual_time
async def test_a_message_stays_hidden_until_the_delete_is_answered() -> None:
    """SQS may take longer over the delete than the lease lasts."""
    queue = WatchedQueue()
    queue.send("{}")
    queue.slow(5 * LEASE_SECONDS, on="delete")
    async with serving(queue, delete_at_once) as work:
        await work.until(lambda: not queue.bodies())
        assert queue.calls["delete"] == 1


@virtual_time
async def test_two_extensions_may_fail() -> None:
    """A lease is extended so early that a lost call or two do not lose it."""
    queue = WatchedQueue()
    number = queue.send("{}")
    counts = []

    async def slowly(lease: Lease) -> None:
        for _ in range(10):
            queue.fail_next(2, Unavailable("reset"), on="hide")
            await asyncio.sleep(LEASE_SECONDS)
        counts.append(queue.receive_counts()[number])
        await lease.delete()

    async with serving(queue, slowly) as work:
        await work.until(lambda: not queue.bodies())
    assert counts == [1]


@virtual_time
async def test_an_extension_without_an_answer_costs_no_lease() -> None:
    """Neither those it was for, nor those behind it in the same round."""
    queue = Hanging()
    for _ in range(25):
        queue.send("{}")

    async def slowly(lease: Lease) -> None:
        await asyncio.sleep(3 * LEASE_SECONDS)
        queue.counts.append(lease.message.receive_count)
        await lease.delete()

    async with serving(queue, slowly, slots=25) as work:
        await work.until(lambda: not queue.bodies())
    assert queue.hung == 1
    assert queue.counts == [1] * 25


class Hanging(WatchedQueue):
    """A queue that never answers the first batch of extensions."""

    def __init__(self) -> None:
        super().__init__()
        self.hung = 0
        self.counts: list[int] = []

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        if not self.hung:
            self.hung += 1
            await asyncio.sleep(3600)
        return await super().hide(receipts, seconds=seconds)


@virtual_time
async def test_an_extension_refused_in_a_batch_is_asked_for_alone() -> None:
    """SQS may carry out a part of a batch only; the rest is not left to the next round."""
    queue = Picky()
    for _ in range(5):
        queue.send("{}")

    async def slowly(lease: Lease) -> None:
        await asyncio.sleep(3 * LEASE_SECONDS)
        await lease.delete()

    async with serving(queue, slowly) as work:
        await work.until(lambda: not queue.bodies())
    assert queue.refused > 0
    assert set(queue.counts) == {1}


class Picky(WatchedQueue):
    """A queue that carries out no more than the first entry of a batch of extensions."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self.counts: list[int] = []

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        first, *others = receipts
        self.refused += len(others)
        refusals = [Refusal(receipt=each, code="InternalError", lost=False) for each in others]
        return [*await super().hide([first], seconds=seconds), *refusals]

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        self.counts += self.receive_counts().values()
        return await super().delete(receipts)


@virtual_time
async def test_a_lost_lease_is_noticed_and_leaves_the_message_alone() -> None:
    """What another worker has by now is neither deleted nor given back by this one."""
    queue = WatchedQueue()
    number = queue.send("{}")
    seen: list[str] = []

    async def handle(lease: Lease) -> None:
        if lease.message.receive_count > 1:
            await asyncio.sleep(100)
            await lease.delete()
            return
        queue.show_again(number)
        await asyncio.sleep(LEASE_SECONDS)
        for settle in (lease.delete(), lease.set_aside(LETTER)):
            with pytest.raises(LeaseLost, match=number):
                await settle
        await lease.give_back()
        seen.append(repr(lease))

    async with serving(queue, handle, dead_letters=queue.dead) as work:
        await work.until(lambda: not queue.bodies())
    assert seen == [f"<Lease {number} lost>"]
    assert queue.calls["delete"] == 1
    assert queue.dead.letters == []


@virtual_time
async def test_a_lease_that_ran_out_costs_the_next_worker_nothing() -> None:
    """Nobody answered its extensions: it says so, and what another may have by now is neither hidden nor shown."""
    queue = WatchedQueue()
    number = queue.send("{}")
    seen: list[str] = []

    async def handle(lease: Lease) -> None:
        if lease.message.receive_count > 1:
            await lease.delete()
            return
        lease.require_hidden()
        queue.fail_next(100, Unavailable("reset"), on="hide")
        await asyncio.sleep(LEASE_SECONDS)
        queue.heal()
        queue.hidden.clear()
        with pytest.raises(LeaseLost, match=number):
            lease.require_hidden()
        lease.require()
        await lease.give_back()
        seen.append(repr(lease))

    async with serving(queue, handle, slots=1) as work:
        await work.until(lambda: not queue.bodies())
    assert seen == [f"<Lease {number} settled>"]
    assert queue.hidden == []


@virtual_time
async def test_after_twelve_hours_the_message_is_another_workers() -> None:
    """SQS extends no further; who still holds it is told, and keeps no slot and no entry for it."""
    queue = WatchedQueue()
    queue.send("{}")
    lost_after = []

    async def for_ever(lease: Lease) -> None:
        if lease.message.receive_count == 1:
            began = now()
            with pytest.raises(LeaseLost):
                while True:
                    await asyncio.sleep(60)
                    lease.require()
            lost_after.append(now() - began)
        else:
            await lease.delete()

    async with serving(queue, for_ever, lease_seconds=120) as work:
        await work.until(lambda: bool(lost_after) and not queue.bodies())
        assert work.inbox.in_hand == 0
    assert LONGEST_LEASE_SECONDS - 300 < lost_after[0] < 12 * 3600 + 120


# Deleting.


@virtual_time
async def test_deletes_go_in_tens() -> None:
    """Forty messages that end together take a handful of calls, and none waits for a tenth."""
    queue = WatchedQueue()
    for _ in range(40):
        queue.send("{}")
    queue.slow(1, on="delete")
    together = asyncio.Event()

    async def handle(lease: Lease) -> None:
        await together.wait()
        await lease.delete()

    async with serving(queue, handle, slots=40) as work:
        await work.until(lambda: work.inbox.in_hand == 40)
        together.set()
        await work.until(lambda: not queue.bodies(), within=10)
    assert sum(queue.batches) == 40
    assert len(queue.batches) <= 10


class RefusingQueue(WatchedQueue):
    """A queue that does not carry out some deletes."""

    def __init__(self) -> None:
        super().__init__()
        self.refusing: dict[str, int] = {}  # by receipt: how often

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        refused = [receipt for receipt in receipts if self.refusing.get(receipt, 0) > 0]
        for receipt in refused:
            self.refusing[receipt] -= 1
        left = [receipt for receipt in receipts if receipt not in refused]
        others = await super().delete(left) if left else []
        return [*others, *(Refusal(receipt=each, code="InternalError", lost=False) for each in refused)]


@virtual_time
async def test_what_one_call_refused_is_deleted_by_the_next() -> None:
    """A batch call may succeed in part: the rest is asked for again, one by one."""
    queue = RefusingQueue()
    ids = [queue.send("{}") for _ in range(10)]
    together = asyncio.Event()

    async def handle(lease: Lease) -> None:
        await together.wait()
        await lease.delete()

    queue.refusing = {f"{ids[3]}/1": 1, f"{ids[7]}/1": 1}
    async with serving(queue, handle) as work:
        await work.until(lambda: work.inbox.in_hand == 10)
        together.set()
        await work.until(lambda: not queue.bodies(), within=5)
        assert work.inbox.in_hand == 0


@virtual_time
async def test_what_sqs_goes_on_refusing_is_seen_again() -> None:
    """A message that cannot be deleted is no longer hidden: SQS shows it again when its lease runs out."""
    queue = RefusingQueue()
    number = queue.send("{}")
    queue.refusing = {f"{number}/1": 99}
    async with serving(queue, delete_at_once) as work:
        await work.until(lambda: not queue.bodies(), within=3 * LEASE_SECONDS)
        assert work.inbox.in_hand == 0


@virtual_time
async def test_deletes_are_tried_again() -> None:
    """Throttling and outages of SQS are waited out while the lease is kept."""
    queue = WatchedQueue()
    number = queue.send("{}")
    queue.fail_next(5, Throttled("slow down"), on="delete")
    async with serving(queue, delete_at_once) as work:
        await work.until(lambda: not queue.bodies())
        assert queue.calls["delete"] == 6
    assert number not in queue.receive_counts()


class BrokenQueue(WatchedQueue):
    """A queue whose adapter has a bug: one delete raises what nobody expects."""

    broken = True

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        if self.broken and len(receipts) > 1:
            self.broken = False
            raise KeyError("Failed")
        return await super().delete(receipts)


@virtual_time
async def test_one_callers_bug_does_not_hold_up_the_others() -> None:
    """Whose delete went along in a call that crashed is told so, and does not wait for ever with a slot."""
    queue = BrokenQueue()
    for _ in range(30):
        queue.send("{}")
    queue.slow(1, on="delete")
    together = asyncio.Event()
    crashes = []

    async def handle(lease: Lease) -> None:
        await together.wait()
        try:
            await lease.delete()
        except KeyError:
            crashes.append(lease)

    async with serving(queue, handle) as work:
        await work.until(lambda: work.inbox.in_hand == 30)
        together.set()
        await work.until(lambda: not queue.bodies() and work.inbox.in_hand == 0, within=1000)
    assert len(crashes) == 1


# Giving back.


@virtual_time
async def test_what_is_given_back_comes_later_each_time() -> None:
    """The delay doubles with each receive, is never as predictable as that, and ends at a quarter of an hour."""
    queue = WatchedQueue()
    queue.send("{}")

    async def handle(lease: Lease) -> None:
        await (lease.give_back() if lease.message.receive_count < 10 else lease.delete())

    async with serving(queue, handle) as work:
        await work.until(lambda: not queue.bodies())
    delays = [seconds for _, seconds in queue.hidden]
    assert len(delays) == 9
    for count, seconds in enumerate(delays):
        longest = min(30 * 2**count, 900)
        assert longest / 2 <= seconds <= longest


@virtual_time
async def test_the_first_delay_may_be_none() -> None:
    """LOGFANOUT_GIVE_BACK_SECONDS=0 shows the message again at once."""
    queue = WatchedQueue()
    queue.send("{}")

    async def handle(lease: Lease) -> None:
        await (lease.give_back() if lease.message.receive_count < 3 else lease.delete())

    async with serving(queue, handle, give_back_seconds=0) as work:
        await work.until(lambda: not queue.bodies(), within=2)


@virtual_time
async def test_a_message_nobody_settled_is_given_back() -> None:
    """When settling itself fails, the message is not kept hidden for the twelve hours SQS allows."""
    queue = WatchedQueue()
    queue.send("{}")

    async def handle(lease: Lease) -> None:
        if lease.message.receive_count == 2:
            await lease.delete()

    async with serving(queue, handle) as work:
        await work.until(lambda: not queue.bodies(), within=60)


@virtual_time
async def test_giving_back_while_sqs_is_away_lets_the_lease_run_out() -> None:
    """The call is not insisted on: SQS shows the message again by itself."""
    queue = WatchedQueue()
    queue.send("{}")

    async def handle(lease: Lease) -> None:
        if lease.message.receive_count == 1:
            queue.fail_next(1, Unavailable("503"), on="hide")
            await lease.give_back()
        else:
            await lease.delete()

    async with serving(queue, handle) as work:
        await work.until(lambda: not queue.bodies(), within=LEASE_SECONDS + 30)


# Setting aside.


@virtual_time
async def test_a_letter_is_sent_before_the_message_goes() -> None:
    """At no moment is it in neither queue."""
    queue = WatchedQueue()
    queue.send("{}")
    queue.slow(1, on="delete")

    async def handle(lease: Lease) -> None:
        assert await lease.set_aside(LETTER)
        assert queue.bodies() == []

    async with serving(queue, handle, dead_letters=queue.dead) as work:
        await work.until(lambda: bool(queue.dead.letters))
        assert len(queue.bodies()) == 1
        await work.until(lambda: not queue.bodies())
    assert queue.dead.letters == [LETTER]


@virtual_time
async def test_without_a_dead_letter_queue_the_redrive_has_to_do() -> None:
    """Nothing is deleted that nobody else has: SQS counts the receives and moves it by itself."""
    queue = WatchedQueue(max_receive_count=3)
    queue.send("precious")
    answers = []

    async def handle(lease: Lease) -> None:
        answers.append(await lease.set_aside(LETTER))

    async with serving(queue, handle) as work:
        await work.until(lambda: bool(queue.dead.letters))
    assert answers == [False] * 3
    assert [letter.body for letter in queue.dead.letters] == ["precious"]


@pytest.mark.parametrize("error", [Unavailable("503"), AccessRefused("AccessDenied")])
@virtual_time
async def test_a_dead_letter_queue_that_takes_nothing_costs_no_message(error: Exception) -> None:
    """The message is shown again, and set aside when the queue is back."""
    queue = WatchedQueue()
    queue.send("{}")
    queue.dead.fail_next(20, error, on="put")

    async def handle(lease: Lease) -> None:
        try:
            await lease.set_aside(LETTER)
        except (Unavailable, AccessRefused):
            return

    async with serving(queue, handle, dead_letters=queue.dead) as work:
        await work.until(lambda: not queue.bodies())
    assert queue.dead.letters == [LETTER]


# Polling.


@virtual_time
async def test_failing_polls_back_off_and_recover() -> None:
    """Hours without SQS cost a call now and then, and do not end the worker."""
    queue = WatchedQueue()
    queue.send("{}")
    queue.fail_next(10**9, AccessRefused("not authorized"), on="receive")
    async with serving(queue, delete_at_once, receivers=1) as work:
        await asyncio.sleep(12 * 3600)
        gaps = [after - before for before, after in pairwise(queue.polls)]
        assert not work.inbox.receiving
        assert 1000 < len(gaps) < 12 * 3600 / 15 + 10
        assert gaps[0] < 2
        assert max(gaps) <= 30
        queue.heal()
        await work.until(lambda: not queue.bodies(), within=31)
        assert work.inbox.receiving


@virtual_time
async def test_the_first_poll_answers_soon() -> None:
    """A worker that has just started says within a second or so whether it can receive; then it polls long."""
    queue = WatchedQueue()
    async with serving(queue, delete_at_once, receivers=1) as work:
        await asyncio.sleep(1.5)
        assert work.inbox.receiving
        await asyncio.sleep(100)
        assert len(queue.polls) <= 8


# Stopping.


@virtual_time
async def test_a_drain_finishes_what_is_in_hand() -> None:
    """What can be finished in time is finished; nothing more is received."""
    queue = WatchedQueue()
    for _ in range(8):
        queue.send("{}")

    async def handle(lease: Lease) -> None:
        await asyncio.sleep(10)
        await lease.delete()

    async with serving(queue, handle, receivers=4) as work:
        await work.until(lambda: work.inbox.in_hand == 8)
        work.stop.set()
        await asyncio.sleep(2)
        queue.send("too late")
    assert queue.bodies() == ["too late"]
    assert queue.receive_counts() == {"m-9": 0}
    assert work.given_back == 0
    assert work.drained_seconds < 15


@virtual_time
async def test_a_drain_gives_back_what_cannot_be_finished() -> None:
    """Another worker sees it at once, within the time given."""
    queue = WatchedQueue()
    for _ in range(25):
        queue.send("{}")
    ended = []

    async def for_ever(lease: Lease) -> None:
        try:
            await asyncio.sleep(86_400)
        finally:
            ended.append(lease)

    async with serving(queue, for_ever, drain_seconds=25, receivers=4) as work:
        await work.until(lambda: work.inbox.in_hand == 25)
    assert work.given_back == 25
    assert queue.visible == 25
    assert len(ended) == 25
    assert 20 <= work.drained_seconds <= 25


@pytest.mark.parametrize("seconds", [0.1, 5, 60])
@virtual_time
async def test_a_drain_ends_in_time_even_if_sqs_does_not_answer(seconds: float) -> None:
    """The task is killed at its stop timeout: the last calls may not outlast the drain."""
    queue = WatchedQueue()
    for _ in range(25):
        queue.send("{}")

    async def for_ever(_lease: Lease) -> None:
        await asyncio.sleep(86_400)

    async with serving(queue, for_ever, drain_seconds=seconds) as work:
        await work.until(lambda: work.inbox.in_hand == 25)
        queue.slow(600, on="hide")
        queue.slow(600, on="receive")
    assert work.given_back == 25
    assert work.drained_seconds <= seconds + 0.01


@virtual_time
async def test_a_drain_ends_in_time_though_what_is_given_back_is_not_answered() -> None:
    """A crowd's messages are given back while its slots are busy: SQS may hang over that as over all else."""
    queue = WatchedQueue()
    for _ in range(100):
        queue.send("{}")
    queue.slow(3600, on="hide")
    inbox = Inbox(queue, dead_letters=None, lane=lambda _: "acme", terms=terms(slots=8))
    stop = asyncio.Event()

    async def for_ever(_lease: Lease) -> None:
        await asyncio.Event().wait()

    served = asyncio.create_task(inbox.serve(for_ever, stop=stop, drain_seconds=25))
    await asyncio.sleep(5)
    assert len(queue.hidden) > 10
    began = now()
    stop.set()
    await served
    assert now() - began <= 26


@virtual_time
async def test_what_was_started_has_its_time_though_sqs_is_slow() -> None:
    """To show the others again may take as long as it likes: meanwhile what is under way is finished, and deleted."""
    queue = WatchedQueue()
    for _ in range(3):
        queue.send("{}")

    async def handle(lease: Lease) -> None:
        await asyncio.sleep(15)
        await lease.delete()

    async with serving(queue, handle, slots=2, receivers=1, drain_seconds=25) as work:
        await work.until(lambda: work.inbox.in_hand >= 2)
        queue.slow(20, on="hide")
        work.stop.set()
        await asyncio.sleep(16)
        assert len(queue.bodies()) == 1
    assert work.drained_seconds <= 25


@virtual_time
async def test_what_a_last_poll_brings_is_not_left_hidden() -> None:
    """A message on the wire when the signal comes is shown again at once, not hidden for a whole lease."""
    queue = WatchedQueue()
    queue.slow(0.5, on="receive")
    for _ in range(5):
        queue.send("{}")
    async with serving(queue, delete_at_once, receivers=4) as work:
        await asyncio.sleep(0.2)  # the polls are on their way
        assert work.inbox.in_hand == 0
    assert work.given_back == queue.visible == 5
    assert work.drained_seconds < 1.1


@virtual_time
async def test_an_idle_worker_stops_at_once() -> None:
    """A long poll without messages does not hold up a deployment."""
    queue = WatchedQueue()
    async with serving(queue, delete_at_once, receivers=4) as work:
        await asyncio.sleep(100)
    assert work.drained_seconds <= 1.5
    assert work.given_back == 0


@virtual_time
async def test_a_worker_without_free_slots_stops_too() -> None:
    """Receivers that wait for a slot are not waited for."""
    queue = WatchedQueue()
    for _ in range(5):
        queue.send("{}")

    async def for_ever(_lease: Lease) -> None:
        await asyncio.sleep(86_400)

    async with serving(queue, for_ever, slots=1, drain_seconds=5, receivers=4) as work:
        await work.until(lambda: work.inbox.in_hand == 1)
    assert work.drained_seconds <= 5
    assert queue.visible == 5


@virtual_time
async def test_a_second_stop_while_pausing_is_heard() -> None:
    """A receiver that waits after a failed poll stops with the others."""
    queue = WatchedQueue()
    queue.fail_next(10**6, Unavailable("503"), on="receive")
    async with serving(queue, delete_at_once, receivers=4) as work:
        await asyncio.sleep(1000)
    assert work.drained_seconds <= 1

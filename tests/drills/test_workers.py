"""Workers die, drain and are slow: what one had in hand another finishes, and repeats no more than the bound."""

import asyncio
import signal
from functools import partial

import pytest

from logfanout.testing.drills.gates import advance, hold
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.stage import LEDGER, Drill, kill
from logfanout.testing.strict_aws import Delay, Fault, Misfortune, Refuse

pytestmark = [pytest.mark.drill, pytest.mark.process, pytest.mark.emulator]

PUTS_IN_FLIGHT = 4  # of one object, at most: docs/reliability.md states the bound by it


def bound(stage: Drill, objects: int) -> int:
    """Return how many events *objects* interrupted ones may repeat at most."""
    largest = max((put.count for put in stage.strict.holdings.puts), default=0)
    return objects * PUTS_IN_FLIGHT * largest


@pytest.mark.long
async def test_sigkill_of_one_of_two_workers(stage: Drill, judge: Judge) -> None:
    """A worker is killed in the middle of its objects and tells nobody how far it got."""
    gate = hold(stage)
    async with stage.worker(LOGFANOUT_SLOTS="3") as one, stage.worker(LOGFANOUT_SLOTS="3"):
        await stage.write_large(6)
        await stage.until(partial(in_hand, stage, 6), what="all messages are in hand")
        await advance(stage, gate, puts=6, waiting=6)
        kill(one)
        gate.release()
        await stage.settled()
    judge(
        stage,
        "SIGKILL of one of two workers, three objects of four batches in its hand",
        bound=bound(stage, 3),
    )


@pytest.mark.long
async def test_sigkill_in_the_middle_of_long_objects(stage: Drill, judge: Judge) -> None:
    """What was delivered of a killed worker's objects is repeated: nobody could write down how far it got."""
    gate = hold(stage)
    async with stage.worker() as one:
        await stage.write_large(2, mebibytes=16)
        await advance(stage, gate, puts=10, waiting=8)
        kill(one)
    delivered = sum(map(stage.arrived, stage.tenants))
    stage.faults.lift()  # CloudWatch goes on with what it had been sent
    async with stage.worker():
        await stage.settled()
    judge(
        stage,
        "SIGKILL of a worker with two objects of 16 batches in its hand",
        bound=delivered + bound(stage, 2),
    )


async def test_sigterm_with_time_to_finish(stage: Drill, judge: Judge) -> None:
    """Told to stop in the middle of its objects, a worker finishes them; the next one finds nothing left."""
    gate = hold(stage)
    async with stage.worker() as one:
        await stage.write_large(3)
        await advance(stage, gate, puts=3, waiting=6)
        one.process.send_signal(signal.SIGTERM)
        async with stage.worker():
            gate.release()
            await stage.until(lambda: one.process.poll() is not None, what="the first worker is gone")
            assert one.process.returncode == 0
            await stage.settled()
    judge(stage, "SIGTERM mid-object; 10 s to drain; a second worker waits for what is left")


@pytest.mark.long
async def test_sigterm_with_no_time_to_finish(stage: Drill, judge: Judge) -> None:
    """The destination answers nothing until the drain is over: another worker goes on where the ledger says."""
    gate = hold(stage, after=True)
    async with stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER, LOGFANOUT_DRAIN_SECONDS="3") as one:
        await stage.write_large(3, mebibytes=8)
        await advance(stage, gate, puts=6, waiting=9)
        assert await one.stop() == 0
    stage.faults.lift()
    async with stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER):
        await stage.settled()
    judge(
        stage,
        "SIGTERM mid-object, accepted puts unanswered until the drain of 3 s is over; with a ledger",
        bound=stage.unanswered_events(),
    )


@pytest.mark.long
async def test_slow_destination_beyond_the_lease(stage: Drill, judge: Judge) -> None:
    """Answers come after the lease would have ended: it is extended, and no other worker starts over."""
    slow = [
        stage.faults.add(Fault(on="logs:PutLogEvents", effect=Delay(12.0), times=3, after=after))
        for after in (False, True)
    ]
    async with stage.worker(), stage.worker():
        await stage.write(6)
        await stage.settled()
    assert all(fault.hits for fault in slow)
    judge(stage, "six puts delayed by 12 s under leases of 10 s; two workers")


@pytest.mark.long
async def test_lease_lost(stage: Drill, judge: Judge) -> None:
    """A lease cannot be extended while a put hangs: another worker has the message, and only it may delete."""
    no_extension = stage.faults.add(Fault(on="sqs:ChangeMessageVisibility*", effect=Refuse(Misfortune.UNAVAILABLE)))
    gate = hold(stage)
    # No slot is left free: the first worker cannot receive its own messages a second time.
    async with stage.worker(LOGFANOUT_SLOTS="2"):
        await stage.write_large(2, mebibytes=8)
        await stage.until(lambda: gate.waiting >= 8, what="puts are held")
        async with stage.worker():
            await stage.until(lambda: gate.waiting >= 16, seconds=40, what="another worker has both messages too")
            stage.faults.lift(no_extension)
            gate.release()
            await stage.settled()
    judge(stage, "objects of eight batches; no lease can be extended while puts hang past it", bound=bound(stage, 2))


async def test_notices_repeated(stage: Drill, judge: Judge) -> None:
    """SNS and SQS deliver at least once: the same notice again, while the first is in hand and when it is done."""
    gate = hold(stage)
    async with stage.worker() as one:
        await stage.write(4)
        notices = await stage.notices()
        await stage.until(lambda: gate.waiting > 0)
        for body in notices:
            await stage.send(body)
        await asyncio.sleep(0)  # both are on their way
        gate.release()
        await stage.settled()
        for body in notices:
            await stage.send(body)
        await stage.settled()
        assert one.process.poll() is None
    judge(stage, "every notice three times: at once, and when its object was done")


@pytest.mark.long
async def test_notices_repeated_to_another_worker(stage: Drill, judge: Judge) -> None:
    """With a ledger that remembers what is finished, the whole fleet delivers once."""
    async with stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER, LOGFANOUT_LEDGER_COMPLETIONS="true"):
        await stage.write(4)
        await stage.settled()
    async with stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER, LOGFANOUT_LEDGER_COMPLETIONS="true"):
        for body in await stage.notices():
            await stage.send(body)
        await stage.settled()
    judge(stage, "every notice again, to a worker started later; with a ledger")


async def in_hand(stage: Drill, messages: int) -> bool:
    """Whether so many messages are with the workers."""
    return (await stage.depth()).in_hand >= messages

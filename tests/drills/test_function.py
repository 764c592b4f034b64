"""The fleet as a Lambda function: the real process under Lambda's own runtime client, cold, warm and out of time."""

import asyncio

import pytest

from logfanout.testing.drills.deployment import deployment
from logfanout.testing.drills.gates import advance, hold
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.stage import LEDGER, MOST_RECEIVES, Drill
from logfanout.testing.strict_aws import Delay, Fault, Misfortune, Refuse

pytestmark = [pytest.mark.process, pytest.mark.emulator]

OBSERVED = Delay(0.0)


@pytest.mark.drill
async def test_a_warm_function_has_all_at_hand(stage: Drill, judge: Judge) -> None:
    """The first event finds AWS opened by the init; the second assumes no role and opens nothing."""
    assumed = stage.faults.add(Fault(on="sts:AssumeRole", effect=OBSERVED))
    looked_up = stage.faults.add(Fault(on="sqs:GetQueueAttributes", effect=OBSERVED))
    async with deployment(stage) as function:
        assert [line["level"] for line in function.lines("function_opened")] == ["info"]
        await stage.write(6)
        first = await function.poll(7)  # and S3's test event
        assert (first.failed, first.said["deleted"], first.said["messages"]) == (frozenset(), 7, 7)
        roles, look_ups = assumed.hits, looked_up.hits
        assert (roles, look_ups) == (1 + len(stage.tenants), 1)
        await stage.write(6)
        second = await function.poll(6)
        assert (second.failed, second.said["deleted"]) == (frozenset(), 6)
        assert (assumed.hits, looked_up.hits, len(function.lines("function_opened"))) == (roles, look_ups, 1)
        await stage.settled()
    judge(stage, "as a Lambda function: two events, the second to a warm environment")


@pytest.mark.drill
@pytest.mark.long
async def test_a_part_of_a_batch_fails(stage: Drill, judge: Judge) -> None:
    """Lambda deletes what was delivered; what failed is shown again after our delay, not the queue's, and delivered."""
    refused = stage.tenants[0].account
    outage = stage.faults.add(Fault(on="logs:*", effect=Refuse(Misfortune.DENIED), account=refused))
    async with deployment(stage) as function:
        await stage.write(6)
        first = await function.poll(7)
        assert (len(first.failed), first.said["deleted"], first.said["failed"]) == (2, 5, 2)
        stage.faults.lift(outage)
        await function.drain()
    judge(stage, "as a Lambda function: one tenant of three refuses in a batch; its messages come again")


@pytest.mark.drill
async def test_a_functions_dead_letters_carry_their_reasons(stage: Drill, judge: Judge) -> None:
    """At once for what can never be delivered, and at the last receive for what still might."""
    closed, *others = stage.tenants
    await stage.redrive_after(1)
    denied = stage.faults.add(Fault(on="logs:*", effect=Refuse(Misfortune.DENIED), account=closed.account))
    async with deployment(stage) as function:
        await stage.write(2, tenants=others)
        await stage.write(1, tenants=[closed])
        await stage.put_raw("nobody/c/a/p/x.json.gz", b"{}")
        await stage.send("no JSON")
        polled = await function.poll(6)
        assert (polled.failed, polled.said["dead_lettered"], polled.said["deleted"]) == (frozenset(), 3, 3)
        letters = await stage.dead_letters()
    reasons = {letter.reason: letter for letter in letters}
    assert sorted(reasons) == ["access_denied", "bad_message", "unknown_tenant"]
    stage.faults.lift(denied)
    await stage.redrive_after(MOST_RECEIVES)
    async with deployment(stage) as function:
        await stage.send(reasons["access_denied"].body)
        await function.drain()
    judge(stage, "as a Lambda function: three of six messages dead-lettered, one of them redriven", dead=3)


@pytest.mark.drill
@pytest.mark.long
async def test_a_functions_time_ends_in_the_middle_of_objects(stage: Drill, judge: Judge) -> None:
    """What was acknowledged by then is remembered: another, cold environment goes on behind it."""
    gate = hold(stage, after=True)
    async with deployment(stage, LOGFANOUT_LEDGER_TABLE=LEDGER) as function:
        await function.poll(1)
        await stage.write_large(3, mebibytes=8)
        invocation = asyncio.create_task(function.poll(3, timeout_seconds=20.0))
        await advance(stage, gate, puts=6, waiting=9)
        cut = await invocation
        assert not cut.outcome.timed_out
        assert (len(cut.failed), cut.said["unfinished"]) == (3, 3)
    delivered = sum(map(stage.arrived, stage.tenants))
    assert delivered > stage.unanswered_events() > 0
    stage.faults.lift()
    async with deployment(stage, LOGFANOUT_LEDGER_TABLE=LEDGER) as function:
        await function.drain()
    judge(
        stage,
        "as a Lambda function: its 20 s end mid-object, accepted puts unanswered; with a ledger",
        bound=stage.unanswered_events(),
    )


@pytest.mark.drill
@pytest.mark.long
async def test_a_function_is_killed_in_the_middle_of_objects(stage: Drill, judge: Judge) -> None:
    """An environment that ends without a word costs repetitions, and loses nothing."""
    gate = hold(stage, after=True)
    async with deployment(stage, LOGFANOUT_LEDGER_TABLE=LEDGER) as function:
        await function.poll(1)
        await stage.write_large(2)
        invocation = asyncio.create_task(function.poll(2, timeout_seconds=30.0))
        await advance(stage, gate, puts=2, waiting=4)
        function.kill()
        invocation.cancel()
        await asyncio.wait([invocation])
        delivered = sum(map(stage.arrived, stage.tenants))
        stage.faults.lift()
        async with stage.client("sqs") as sqs:  # whose visibility timeout is two minutes
            await stage.purge()
            for body in await stage.notices():
                await sqs.send_message(QueueUrl=stage.region.queue_url, MessageBody=body)
        await function.drain()
    judge(stage, "as a Lambda function: killed mid-object; its messages come again", bound=delivered)


async def test_wrong_settings_fail_the_init(stage: Drill) -> None:
    """Lambda is told what is wrong, and so is the log; no event is ever asked for."""
    async with deployment(stage, started=False, LOGFANOUT_SLOTS="0", LOGFANOUT_PROCESES="2") as function:
        function.start()
        async with asyncio.timeout(30):
            error = await function.runtime.init_error
        assert function.process is not None
        assert await asyncio.to_thread(function.process.wait) == 1
        assert error["errorType"] == "SettingsWrong"
        assert "LOGFANOUT_SLOTS" in error["errorMessage"]
        said = function.log.read_text()
    assert "logfanout: LOGFANOUT_SLOTS: " in said
    assert "did you mean LOGFANOUT_PROCESSES?" in said


async def test_an_event_that_is_none_of_a_queue(stage: Drill) -> None:
    """Is an error of the invocation, and the environment serves on."""
    async with deployment(stage) as function:
        outcome = await function.runtime.invoke({"detail-type": "Scheduled Event"})
        assert outcome.error["errorType"] == "EventUnreadable"
        outcome = await function.runtime.invoke({"Records": []})
        assert outcome.response == {"batchItemFailures": []}

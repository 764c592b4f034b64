"""AWS and the network fail as they do every day: nothing is lost, and nothing comes twice unless an answer was lost."""

from collections.abc import Callable

import pytest

from logfanout.testing.drills.gates import advance, hold
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.readings import metric
from logfanout.testing.drills.stage import LEDGER, Drill
from logfanout.testing.strict_aws import Delay, Fault, Misfortune, Refuse, Reset, Truncate

pytestmark = [pytest.mark.drill, pytest.mark.process, pytest.mark.emulator]


async def test_nothing_happens(stage: Drill, judge: Judge) -> None:
    """Without a fault everything arrives once: what the other drills are held against."""
    async with stage.worker():
        await stage.write(12)
        await stage.settled()
    judge(stage, "nothing")


@pytest.mark.long
async def test_half_of_all_calls_throttled(stage: Drill, judge: Judge) -> None:
    """The destination's quotas and the bucket's are used up."""
    throttled = Refuse(Misfortune.THROTTLED)
    faults = [
        *(stage.faults.add(Fault(on=action, effect=throttled, share=0.5)) for action in ("logs:*", "s3:*")),
        stage.faults.add(Fault(on="dynamodb:*", effect=throttled, times=2)),  # of the few there are, certainly some
    ]
    async with stage.worker():
        await stage.write(12)
        await stage.settled()
    assert all(fault.hits for fault in faults)
    judge(stage, "50 % of all calls to Logs and S3 throttled, and the first two to DynamoDB")


@pytest.mark.long
async def test_server_errors(stage: Drill, judge: Judge) -> None:
    """Every service answers 500 or 503 now and then."""
    for how in (Misfortune.FAILING, Misfortune.UNAVAILABLE):
        stage.faults.add(Fault(on="*", effect=Refuse(how), share=0.15))
    async with stage.worker():
        await stage.write(12)
        await stage.settled()
    judge(stage, "30 % of all calls to any service answered 500 or 503")


@pytest.mark.long
async def test_connections_reset(stage: Drill, judge: Judge) -> None:
    """Load balancers drop connections before a request has been looked at."""
    fault = stage.faults.add(Fault(on="*", effect=Reset(), share=0.2))
    async with stage.worker():
        await stage.write(12)
        await stage.settled()
    assert fault.hits
    judge(stage, "20 % of all connections reset before the call was looked at")


async def test_answers_lost(stage: Drill, judge: Judge) -> None:
    """A put is accepted, and its answer never comes: it must be sent again, and nothing else may."""
    puts = "logs:PutLogEvents"
    faults = [
        stage.faults.add(Fault(on=puts, effect=Reset(), share=0.25, after=True)),
        stage.faults.add(Fault(on=puts, effect=Refuse(Misfortune.FAILING), share=0.25, after=True)),
    ]
    async with stage.worker():
        await stage.write(20)
        await stage.settled()
    assert all(fault.hits for fault in faults)
    judge(
        stage,
        "50 % of accepted puts: connection reset or 500 in place of the answer",
        bound=stage.unanswered_events(),
    )


async def test_bodies_cut_short(stage: Drill, judge: Judge) -> None:
    """GetObject ends in the middle: what was delivered of the object until then is not delivered again."""
    fault = stage.faults.add(Fault(on="s3:GetObject", effect=Truncate(0.6), times=6))
    async with stage.worker():
        await stage.write_large(4)
        await stage.settled()
    assert fault.hits == 6
    judge(stage, "objects of four batches cut off at 60 % when read, 6 times")


@pytest.mark.long
async def test_tokens_expire_mid_object(stage: Drill, judge: Judge) -> None:
    """Every tenant's session ends again and again, between two batches of one object."""
    async with stage.worker():
        ended = await interrupted(stage, stage.strict.sessions.expire)
        await stage.settled()
    assert ended
    judge(stage, "all sessions ended 4 times while objects of four batches were under way")


@pytest.mark.long
async def test_group_deleted_mid_flight(stage: Drill, judge: Judge) -> None:
    """Somebody deletes the tenants' log groups; they are made again, and nothing is sent to nowhere."""
    deleted: list[int] = []

    def delete() -> int:
        deleted.append(len(stage.strict.holdings.groups))
        stage.strict.holdings.groups.clear()
        return deleted[-1]

    async with stage.worker():
        await interrupted(stage, delete)
        await stage.settled()
    assert sum(deleted)
    assert len(stage.strict.holdings.groups) > 0
    judge(stage, "all log groups deleted 4 times while objects of four batches were under way")


async def interrupted(stage: Drill, strike: Callable[[], int]) -> int:
    """Write objects of four batches, and strike four times, each when some more puts were accepted and others wait."""
    gate = hold(stage)
    await stage.write_large(4)
    struck = 0
    for puts in (2, 4, 6, 8):
        await advance(stage, gate, puts=puts, waiting=4)
        struck += strike()
    gate.release()
    return struck


@pytest.mark.long
async def test_outage_mid_object(stage: Drill, judge: Judge) -> None:
    """CloudWatch is away for longer than a worker tries: the messages go back, and come again behind what was taken."""
    slow = stage.faults.add(Fault(on="logs:PutLogEvents", effect=Delay(0.5)))
    async with stage.worker() as one:
        await stage.write_large(3, mebibytes=8)
        await stage.until(lambda: len(stage.strict.holdings.puts) >= 3)
        outage = stage.faults.add(Fault(on="logs:*", effect=Refuse(Misfortune.UNAVAILABLE)))

        async def given_back() -> bool:
            return await metric(one, 'logfanout_messages_settled_total{outcome="kept"}') >= 3

        await stage.until(given_back, what="messages are given back")
        assert not all(map(stage.has_all, stage.tenants))
        stage.faults.lift(slow, outage)
        await stage.settled()
    judge(stage, "Logs unavailable in the middle of three objects, until their messages were given back")


@pytest.mark.long
async def test_table_down(stage: Drill, judge: Judge) -> None:
    """The table of tenants is away: at the start nothing can be decided, later the last good copy serves."""
    down = Fault(on="dynamodb:*", effect=Refuse(Misfortune.UNAVAILABLE))
    stage.faults.add(down)
    async with stage.worker(LOGFANOUT_TENANT_CACHE_SECONDS="0.5"):
        await stage.write(6)
        await stage.until(lambda: down.hits >= 6)
        stage.faults.lift(down)
        await stage.settled()
        stage.faults.add(down)
        before = down.hits
        await stage.write(12)
        await stage.settled()
        assert down.hits > before
        stage.faults.lift(down)
    judge(stage, "tenant table unavailable at start, then again with its rows known")


@pytest.mark.long
async def test_sts_down(stage: Drill, judge: Judge) -> None:
    """STS is away when sessions are due to be renewed: what is at hand goes on serving."""
    stage.strict.session_seconds = 30
    down = Fault(on="sts:*", effect=Refuse(Misfortune.UNAVAILABLE))
    async with stage.worker():
        await stage.write(6)
        await stage.settled()
        stage.faults.add(down)

        async def asked_in_vain() -> bool:
            await stage.write(3, events=20)
            return down.hits > 0

        await stage.until(asked_in_vain, what="a session is due")
        warm = len(stage.strict.holdings.puts)
        await stage.write(3)
        await stage.until(lambda: len(stage.strict.holdings.puts) > warm, what="it goes on without STS")
        stage.faults.lift(down)
        await stage.settled()
    judge(stage, "STS unavailable while sessions of 30 s were due to be renewed")


@pytest.mark.long
async def test_queue_trouble(stage: Drill, judge: Judge) -> None:
    """SQS does what it is asked and its answers are lost; what it hid for us it shows when the lease ends."""
    for action in ("sqs:DeleteMessage*", "sqs:ChangeMessageVisibility*"):
        stage.faults.add(Fault(on=action, effect=Reset(), share=0.5, after=True))
    lost = stage.faults.add(Fault(on="sqs:ReceiveMessage", effect=Reset(), skip=2, times=2, after=True))
    async with stage.worker(), stage.worker():
        for _ in range(4):
            await stage.write(6)
        await stage.until(lambda: lost.hits == 2)
        await stage.settled()
    judge(stage, "50 % of SQS's answers to deletes and extensions lost, and two receives'")


@pytest.mark.long
async def test_everything_at_once(stage: Drill, judge: Judge) -> None:
    """Two workers, every fault there is, sixty objects."""
    for on, effect, share, after in (
        ("*", Refuse(Misfortune.THROTTLED), 0.1, False),
        ("*", Refuse(Misfortune.FAILING), 0.1, False),
        ("*", Reset(), 0.05, False),
        ("logs:PutLogEvents", Reset(), 0.1, True),
        ("logs:*", Refuse(Misfortune.EXPIRED), 0.05, False),
        ("s3:GetObject", Truncate(0.5), 0.2, False),
    ):
        stage.faults.add(Fault(on=on, effect=effect, share=share, after=after))
    async with stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER), stage.worker(LOGFANOUT_LEDGER_TABLE=LEDGER):
        await stage.write(48)
        await stage.write_large(12)
        await stage.settled(seconds=150)
        stage.faults.lift()
    judge(
        stage,
        "10 % throttled, 10 % 500, 5 % resets, 10 % answers lost, 5 % tokens expired, 20 % bodies cut; two workers",
        bound=stage.unanswered_events(),
    )

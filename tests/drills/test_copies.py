"""A tenant with a log group and a bucket gets both, each in its own time: what one refuses costs the other nothing."""

import pytest

from logfanout.demo.vector import LogObject
from logfanout.testing.drills import buckets
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.stage import Drill
from logfanout.testing.strict_aws import Fault, Misfortune, Refuse, Reset

pytestmark = [pytest.mark.drill, pytest.mark.process, pytest.mark.emulator]


async def require_copies(stage: Drill, written: list[LogObject]) -> None:
    """Hold every tenant's bucket to what must be there: all of its own objects, unaltered, and nothing else."""
    for tenant in stage.tenants:
        assert await buckets.held(stage, tenant) == buckets.due(tenant, written)


async def test_copies_under_faults(stage: Drill, judge: Judge) -> None:
    """Copies into buckets of other accounts and regions are throttled, fail, and lose their answers."""
    await buckets.enrol(stage, *stage.tenants)
    for effect, after in (
        (Refuse(Misfortune.THROTTLED), False),
        (Refuse(Misfortune.FAILING), False),
        (Reset(), False),
        (Reset(), True),
    ):
        stage.faults.add(Fault(on="s3:CopyObject", effect=effect, share=0.15, after=after))
    async with stage.worker():
        written = await stage.write(12)
        await stage.settled()
    await require_copies(stage, written)
    judge(stage, "log groups and buckets; 15 % each of all copies throttled, failed, reset, done but unanswered")


@pytest.mark.long
async def test_bucket_that_refuses(stage: Drill, judge: Judge) -> None:
    """A bucket's policy lets nobody in for a while: the log groups have everything, once, and the bucket in the end."""
    await buckets.enrol(stage, *stage.tenants)
    closed, *_ = stage.tenants
    await buckets.let_in(stage, closed, effect="Deny")
    async with stage.worker():
        written = await stage.write(9)
        await stage.until(lambda: all(map(stage.has_all, stage.tenants)), what="every log group has its events")
        assert await buckets.held(stage, closed) == {}
        await buckets.let_in(stage, closed)
        await stage.settled(seconds=90)
    await require_copies(stage, written)
    judge(stage, "log groups and buckets; one bucket's policy refuses us, then lets us in again")


@pytest.mark.long
async def test_group_that_refuses_beside_a_bucket(stage: Drill, judge: Judge) -> None:
    """The other way about: the bucket has its objects at once, the log group its events when it lets us in."""
    await buckets.enrol(stage, *stage.tenants)
    closed, *_ = stage.tenants
    denied = stage.faults.add(Fault(on="logs:*", account=closed.account, effect=Refuse(Misfortune.DENIED)))
    async with stage.worker():
        written = await stage.write(9)

        async def has_copies() -> bool:
            return await buckets.held(stage, closed) == buckets.due(closed, written)

        await stage.until(has_copies, what="the bucket has its objects")
        assert stage.arrived(closed) == 0
        stage.faults.lift(denied)
        await stage.settled(seconds=90)
    await require_copies(stage, written)
    judge(stage, "log groups and buckets; one tenant's log group refuses us, then lets us in again")

"""One tenant's account refuses, throttles or hangs: the others have their logs, and it has its own when it heals."""

import json
from collections.abc import Sequence

import pytest

from logfanout.demo import policies
from logfanout.demo.roster import Tenant
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.stage import MOST_RECEIVES, Drill
from logfanout.testing.strict_aws import Delay, Fault, Misfortune, Refuse

pytestmark = [pytest.mark.drill, pytest.mark.process, pytest.mark.emulator]


async def others_have_all(stage: Drill, others: Sequence[Tenant], *, seconds: float) -> None:
    """Wait until every event of *others* has arrived."""
    await stage.until(lambda: all(map(stage.has_all, others)), seconds=seconds, what="the other tenants have theirs")


@pytest.mark.long
async def test_one_tenant_throttled_hard(stage: Drill, judge: Judge) -> None:
    """A tenant with a long backlog is throttled on every call; four slots are enough for the others to flow."""
    slow, *others = stage.tenants
    throttled = stage.faults.add(Fault(on="logs:*", account=slow.account, effect=Refuse(Misfortune.THROTTLED)))
    async with stage.worker(LOGFANOUT_SLOTS="4"):
        await stage.write(20, tenants=[slow], events=50)
        await stage.until(lambda: throttled.hits >= 4)
        await stage.write(8, tenants=others)
        await others_have_all(stage, others, seconds=15)
        assert stage.arrived(slow) == 0
        stage.faults.lift(throttled)
        await stage.settled()
    judge(stage, "a tenant with a backlog of 20 objects throttled on every call; 4 slots")


@pytest.mark.long
async def test_one_tenant_hangs(stage: Drill, judge: Judge) -> None:
    """A tenant's every put takes five seconds; the others do not wait for it."""
    slow, *others = stage.tenants
    stage.faults.add(Fault(on="logs:PutLogEvents", account=slow.account, effect=Delay(5.0)))
    async with stage.worker(LOGFANOUT_SLOTS="4"):
        await stage.write(12, tenants=[slow], events=50)
        await stage.write(12, tenants=others)
        await others_have_all(stage, others, seconds=15)
        assert stage.arrived(slow) < 12 * 50
        await stage.settled()
    judge(stage, "a tenant with a backlog of 12 objects answers every put after 5 s; 4 slots")


@pytest.mark.long
async def test_denied_role_then_allowed(stage: Drill, judge: Judge) -> None:
    """A tenant trusts us no more, for a while: its messages wait, and cost STS next to nothing."""
    closed, *others = stage.tenants
    await set_trust(stage, closed, external_id="something else")
    asked = stage.faults.add(Fault(on="sts:AssumeRole", account=closed.account, effect=Delay(0)))
    async with stage.worker(LOGFANOUT_SLOTS="4"):
        await stage.write(12, tenants=[closed])
        await stage.write(6, tenants=others)
        await others_have_all(stage, others, seconds=15)
        assert 0 < asked.hits < 12
        await set_trust(stage, closed, external_id=closed.external_id)
        await stage.settled(seconds=90)
    judge(stage, "a tenant's role refuses us, then trusts us again")


@pytest.mark.long
async def test_denied_for_good(stage: Drill, judge: Judge) -> None:
    """A tenant's group refuses us until the messages' receives run out: they die with the reason, whole."""
    closed, *others = stage.tenants
    await stage.redrive_after(3)
    denied = stage.faults.add(Fault(on="logs:*", account=closed.account, effect=Refuse(Misfortune.DENIED)))
    async with stage.worker(LOGFANOUT_GIVE_BACK_SECONDS="0"):
        written = await stage.write(2, tenants=[closed])
        await stage.write(6, tenants=others)
        await others_have_all(stage, others, seconds=15)
        await stage.settled(seconds=100, dead=2)
        letters = await stage.dead_letters()
        assert [letter.reason for letter in letters] == ["access_denied"] * 2
        assert {letter.attributes["tenant"] for letter in letters} == {closed.name}
        assert {key_in(letter.body) for letter in letters} == {one.key for one in written}
    stage.faults.lift(denied)
    await stage.redrive_after(MOST_RECEIVES)
    async with stage.worker():
        for letter in letters:  # as ``logfanout dlq redrive`` would
            await stage.send(letter.body)
        await stage.settled()
    judge(stage, "a tenant's group refuses us until its messages are dead; then redriven", dead=2)


@pytest.mark.long
async def test_group_that_is_the_tenants_own(stage: Drill, judge: Judge) -> None:
    """A tenant that made its group forbids CreateLogGroup and PutRetentionPolicy; both are never needed."""
    for tenant in stage.tenants:
        stage.own_group(tenant)
    for action in ("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:Describe*"):
        stage.faults.add(Fault(on=action, effect=Refuse(Misfortune.DENIED)))
    async with stage.worker():
        await stage.write(6)
        await stage.settled()
    judge(stage, "groups made by their owners, who forbid CreateLogGroup")


async def set_trust(stage: Drill, tenant: Tenant, *, external_id: str) -> None:
    """Let *tenant*'s role ask for another external id."""
    document = policies.trust(stage.region.central_role_arn, external_id=external_id)
    async with stage.client("iam", account=tenant.account) as iam:
        await iam.update_assume_role_policy(RoleName=tenant.role_name, PolicyDocument=document)


def key_in(body: str) -> str:
    """Return the key in a notice as SNS delivers it."""
    event = json.loads(json.loads(body)["Message"])
    return str(event["Records"][0]["s3"]["object"]["key"])

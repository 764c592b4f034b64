"""What may the pipeline rely on when it becomes a tenant?"""

import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from logfanout.errors import AccessRefused, CredentialsExpired
from logfanout.ports import Assumption, Tokens
from logfanout.testing import World

CENTRAL, CUSTOMER = "999999999999", "111122223333"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """STS, and a way to make a role."""

    tokens: Tokens
    role: Callable[..., Awaitable[str]]  # (account, trusts=role or account, external_id=) -> ARN
    now_ms: Callable[[], int]


@pytest.fixture
async def stage(side: Any, name: str) -> Stage:
    return fake(side, name) if isinstance(side, World) else real(side, name)


def fake(world: World, name: str) -> Stage:
    numbers = itertools.count()

    async def role(account: str, *, trusts: str = CENTRAL, external_id: str = "") -> str:
        arn = f"arn:aws:iam::{account}:role/{name}-{next(numbers)}"
        world.tokens.trust(arn, by=trusts, external_id=external_id)
        return arn

    return Stage(tokens=world.tokens, role=role, now_ms=world.clock.epoch_ms)


def real(cloud: Any, name: str) -> Stage:
    numbers = itertools.count()

    async def role(account: str, *, trusts: str = CENTRAL, external_id: str = "") -> str:
        principal = trusts if trusts.startswith("arn:") else f"arn:aws:iam::{trusts}:root"
        condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
        actions = ["sts:AssumeRole", "sts:TagSession"]
        trust = policy(Principal={"AWS": principal}, Action=actions, **condition)
        async with cloud.client("iam", account=account) as iam:
            made = await iam.create_role(RoleName=f"{name}-{next(numbers)}", AssumeRolePolicyDocument=trust)
            may = policy(Action=actions, Resource="*")
            await iam.put_role_policy(RoleName=made["Role"]["RoleName"], PolicyName="may", PolicyDocument=may)
        return str(made["Role"]["Arn"])

    return Stage(tokens=cloud.aws.tokens(), role=role, now_ms=lambda: int(time.time() * 1000))


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def wanting(role_arn: str, **more: Any) -> Assumption:
    return Assumption(role_arn=role_arn, session_name="logfanout-acme", **more)


async def test_a_session_lasts_an_hour(stage: Stage) -> None:
    """Which is the most that a chained one may."""
    before_ms = stage.now_ms()
    session = await stage.tokens.assume(wanting(await stage.role(CENTRAL)), using=None)
    assert session.access_key
    assert session.secret_key
    assert session.token
    assert 3_590_000 < session.expires_ms - before_ms < 3_660_000


async def test_two_assumptions_are_two_sessions(stage: Stage) -> None:
    """Remembering one is not the port's business."""
    wanted = wanting(await stage.role(CENTRAL))
    first, second = [await stage.tokens.assume(wanted, using=None) for _ in range(2)]
    assert first.token != second.token


async def test_the_chain_leads_through_the_central_role(stage: Stage) -> None:
    """The customer trusts the central role, with an external id."""
    central = await stage.role(CENTRAL)
    customer = await stage.role(CUSTOMER, trusts=central, external_id="ext-1")
    hop = await stage.tokens.assume(wanting(central), using=None)
    wanted = wanting(customer, external_id="ext-1", session_tags=(("tenant", "acme"),))
    assert (await stage.tokens.assume(wanted, using=hop)).access_key != hop.access_key


@pytest.mark.parametrize("external_id", ["", "ext-2"])
async def test_a_wrong_external_id_is_refused(stage: Stage, external_id: str) -> None:
    """So is none."""
    customer = await stage.role(CUSTOMER, external_id="ext-1")
    with pytest.raises(AccessRefused, match=customer):
        await stage.tokens.assume(wanting(customer, external_id=external_id), using=None)


async def test_a_role_that_trusts_another_is_refused(stage: Stage) -> None:
    """Asking with the wrong session is no way around."""
    central, other = await stage.role(CENTRAL), await stage.role(CENTRAL)
    customer = await stage.role(CUSTOMER, trusts=central)
    hop = await stage.tokens.assume(wanting(other), using=None)
    with pytest.raises(AccessRefused, match=customer):
        await stage.tokens.assume(wanting(customer), using=hop)


async def test_a_role_that_is_not_there_is_refused(stage: Stage) -> None:
    """STS does not tell it from one that says no."""
    with pytest.raises(AccessRefused):
        await stage.tokens.assume(wanting(f"arn:aws:iam::{CUSTOMER}:role/none"), using=None)


async def test_a_session_nobody_gave_is_expired(stage: Stage) -> None:
    """As one that ended is: a new one is what it takes."""
    role = await stage.role(CENTRAL)
    session = await stage.tokens.assume(wanting(role), using=None)
    forged = replace(session, access_key="ASIAFORGED0000000000", token="forged")
    with pytest.raises(CredentialsExpired):
        await stage.tokens.assume(wanting(role), using=forged)


async def test_the_task_knows_its_account(stage: Stage) -> None:
    """The default external id."""
    assert await stage.tokens.account_id() == CENTRAL  # type: ignore[attr-defined]

"""Every role is assumed once however many need it, renewed while the old session serves, and never asked in vain."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.errors import AccessRefused, Unavailable
from logfanout.ports import Credentials
from logfanout.tenants.credentials import ASK_AGAIN_MS, RENEW_AHEAD_MS, RENEW_SPREAD_MS, CredentialCache, session_name
from logfanout.tenants.log_groups import CloudWatchDestination
from logfanout.testing import World, virtual_time
from logfanout.testing.tokens import CENTRAL_ACCOUNT, TASK_ROLE
from logfanout.testing.world import CENTRAL_ROLE

HOUR = 3600.0
ROLE = "arn:aws:iam::111122223333:role/logfanout-customer"


def destination(tenant: str = "acme", *, account: str = "111122223333", **changes: Any) -> CloudWatchDestination:
    return CloudWatchDestination(
        tenant=tenant,
        role_arn=f"arn:aws:iam::{account}:role/logfanout-customer",
        group="/g",
        region="us-east-1",
        **changes,
    )


class Scene:
    """A cache over an STS that knows two tenants' roles."""

    def __init__(self, *, central_role: str | None = CENTRAL_ROLE, external_id: str = CENTRAL_ACCOUNT) -> None:
        self.world = World()
        self.tokens = self.world.tokens
        self.world.add_tenant("acme", account="111122223333")
        self.world.add_tenant("other", account="444455556666")
        self.cache = CredentialCache(
            tokens=self.tokens, central_role=central_role, external_id=external_id, clock=self.world.clock
        )

    async def of(self, to: CloudWatchDestination | None = None) -> Credentials:
        """Ask, and require that what is given is good at this moment."""
        found = await self.cache.of(to or destination())
        assert self.tokens.session_of(found).wanted.role_arn == (to or destination()).role_arn
        return found

    def assumed(self, role_arn: str = ROLE) -> int:
        return [wanted.role_arn for wanted in self.tokens.assumed].count(role_arn)


@virtual_time
async def test_two_hops_lead_to_a_tenant() -> None:
    """The task becomes the central role, and the central role, with the external id, the tenant's."""
    scene = Scene()
    await scene.of()
    central, tenant = scene.tokens.assumed
    assert (central.role_arn, central.session_name, central.external_id) == (CENTRAL_ROLE, "logfanout", "")
    assert (tenant.role_arn, tenant.session_name) == (ROLE, "logfanout-acme")
    assert (tenant.external_id, tenant.session_tags) == (CENTRAL_ACCOUNT, ())


@virtual_time
async def test_without_a_central_role_there_is_one_hop() -> None:
    """Customers' roles may trust the task itself."""
    scene = Scene(central_role=None)
    scene.tokens.trust(ROLE, by=TASK_ROLE, external_id=CENTRAL_ACCOUNT)
    await scene.of()
    assert scene.assumed() == len(scene.tokens.assumed) == 1


@virtual_time
async def test_a_tenant_may_have_its_own_external_id_and_tags() -> None:
    """Its own goes before the fleet's; the tag tells the tenant's policies who is meant."""
    scene = Scene()
    scene.world.add_tenant("acme", account="111122223333", external_id="their-own")
    await scene.of(destination(external_id="their-own", session_tags=True))
    assert scene.tokens.assumed[-1].session_tags == (("tenant", "acme"),)
    with pytest.raises(AccessRefused):
        await scene.of(destination())


@virtual_time
async def test_a_session_is_asked_for_once_however_many_need_it() -> None:
    """A cold start with a thousand objects is one AssumeRole a hop and tenant."""
    scene = Scene()
    scene.tokens.slow(2)
    wanted = [destination(), destination("other", account="444455556666")] * 200
    await asyncio.gather(*map(scene.of, wanted))
    assert [scene.assumed(), scene.assumed(CENTRAL_ROLE), len(scene.tokens.assumed)] == [1, 1, 3]
    for to in wanted:
        await scene.of(to)
    assert len(scene.tokens.assumed) == 3


@virtual_time
async def test_a_session_is_renewed_ahead_while_the_old_one_serves() -> None:
    """Nobody waits for STS at the end of an hour, however slow it is."""
    scene = Scene()
    loop = asyncio.get_running_loop()
    await scene.of()
    scene.tokens.slow(100)
    waited = []
    for _ in range(12 * 60):
        await asyncio.sleep(60)
        began = loop.time()
        await scene.of()
        waited.append(loop.time() - began)
    assert max(waited) == 0
    hours = len(waited) / 60
    assert hours <= scene.assumed() <= hours * HOUR * 1000 / (HOUR * 1000 - RENEW_AHEAD_MS - RENEW_SPREAD_MS) + 2


@virtual_time
async def test_sts_may_be_away_while_sessions_last() -> None:
    """Warm credentials serve to their end, and are renewed when STS is back; it is not hammered meanwhile."""
    scene = Scene()
    await scene.of()
    await asyncio.sleep(HOUR - RENEW_AHEAD_MS / 1000)
    scene.tokens.fail_next(10**6, Unavailable("503"))
    before = scene.tokens.calls["assume"]
    for _ in range(9 * 60):
        await asyncio.sleep(1)
        await scene.of()
    assert scene.tokens.calls["assume"] - before <= 3 * 9 * 60 * 1000 / ASK_AGAIN_MS
    scene.tokens.heal()
    await asyncio.sleep(ASK_AGAIN_MS / 1000)
    await scene.of()
    await asyncio.sleep(60)
    await scene.of()
    assert scene.assumed() == 2


@virtual_time
async def test_cold_and_without_sts_there_is_an_error_to_wait_out() -> None:
    """Nothing is remembered against the tenant: the next try asks again."""
    scene = Scene()
    scene.tokens.fail_next(1, Unavailable("503"))
    with pytest.raises(Unavailable):
        await scene.of()
    await scene.of()


@virtual_time
async def test_a_refusal_is_remembered_for_half_a_minute() -> None:
    """A tenant with a broken trust policy does not eat the STS quota of all."""
    scene = Scene()
    scene.tokens.distrust(ROLE)
    for _ in range(500):
        with pytest.raises(AccessRefused, match="not authorized"):
            await scene.of()
    assert scene.tokens.calls_by_place["assume", ROLE] == 1
    scene.world.add_tenant("acme", account="111122223333")
    await asyncio.sleep(ASK_AGAIN_MS / 1000 + 1)
    await scene.of()


@virtual_time
async def test_a_refusal_is_a_new_error_each_time() -> None:
    """One shared by all who wait would grow by a traceback with each."""
    scene = Scene()
    scene.tokens.distrust(ROLE)
    errors = []
    for _ in range(3):
        with pytest.raises(AccessRefused) as refused:
            await scene.of()
        errors.append(refused.value)
    assert len({id(error) for error in errors}) == 3
    assert len({str(error) for error in errors}) == 1


@virtual_time
async def test_a_refused_renewal_does_not_end_a_session_that_lasts() -> None:
    """A trust policy broken for a while costs nothing as long as the session lives."""
    scene = Scene()
    await scene.of()
    scene.tokens.distrust(ROLE)
    for _ in range(59):
        await asyncio.sleep(60)
        if scene.world.clock.epoch_ms() < scene.tokens._sessions["token-2"].expires_ms - 10_000:
            await scene.of()
    await asyncio.sleep(120)
    with pytest.raises(AccessRefused):
        await scene.of()


@virtual_time
async def test_one_tenants_refusal_is_its_own() -> None:
    """The others' roles are assumed as ever."""
    scene = Scene()
    scene.tokens.distrust(ROLE)
    with pytest.raises(AccessRefused):
        await scene.of()
    await scene.of(destination("other", account="444455556666"))


@virtual_time
async def test_what_aws_calls_expired_is_dropped_once() -> None:
    """A put with the old session, late, does not throw the new one away."""
    scene = Scene()
    old = await scene.of()
    scene.cache.forget(destination(), old)
    new = await scene.of()
    assert new != old
    scene.cache.forget(destination(), old)
    assert await scene.of() == new


@virtual_time
async def test_a_central_session_that_ended_early_is_renewed_on_the_way() -> None:
    """The second hop finds out, and goes on with a new first hop."""
    scene = Scene()
    await scene.of()
    scene.tokens.expire(CENTRAL_ROLE)
    await scene.of(destination("other", account="444455556666"))
    assert scene.assumed(CENTRAL_ROLE) == 2


@virtual_time
async def test_sessions_of_different_tenants_are_never_mixed_up() -> None:
    """Two tenants of one account, one role, have sessions of their own; two accounts the more so."""
    scene = Scene()
    one, two = await scene.of(destination("acme")), await scene.of(destination("acme-2"))
    assert one != two
    assert scene.tokens.session_of(two).wanted.session_name == "logfanout-acme-2"
    three = await scene.of(destination("acme", account="444455556666"))
    assert scene.tokens.session_of(three).account == "444455556666"


@virtual_time
async def test_roles_nobody_asks_for_any_more_are_let_go() -> None:
    """A worker that lives for months does not keep every session it ever had."""
    scene = Scene()
    await scene.of()
    await asyncio.sleep(2 * HOUR)
    await scene.of(destination("other", account="444455556666"))
    assert repr(scene.cache) == "<CredentialCache of 2 roles>"


@virtual_time
async def test_closing_ends_what_is_under_way() -> None:
    """A renewal nobody waits for does not outlive the worker."""
    scene = Scene()
    await scene.of()
    await asyncio.sleep(HOUR - RENEW_AHEAD_MS / 1000)
    scene.tokens.slow(10**6)
    await scene.of()
    await scene.cache.close()
    assert scene.tokens.under_way == 0


@pytest.mark.parametrize(
    ("tenant", "name"),
    [
        ("acme", "logfanout-acme"),
        ("a b:c/é*", "logfanout-a-b-c---"),
        ("x" * 100, "logfanout-" + "x" * 54),
        ("", "logfanout-"),
    ],
)
def test_a_session_is_named_for_its_tenant(tenant: str, name: str) -> None:
    """CloudTrail in the tenant's account says who came, in the characters STS takes."""
    assert session_name(tenant) == name


@given(st.text())
def test_every_session_name_is_legal(tenant: str) -> None:
    """A name STS refuses would stop a tenant for good."""
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", session_name(tenant), re.ASCII)

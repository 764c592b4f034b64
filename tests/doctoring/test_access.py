"""Who we are comes first: without it nothing can be known of AWS."""

import pytest

from logfanout.doctoring import access
from logfanout.doctoring.findings import Outcome
from logfanout.errors import AccessRefused, CredentialsExpired, Unavailable
from logfanout.testing import FakeIdentity, World, healthy, virtual_time
from logfanout.testing.surroundings import CALLER
from logfanout.testing.world import CENTRAL_ROLE


@pytest.mark.parametrize(
    ("ahead", "outcome", "cut_off"),
    [
        (0.0, Outcome.OK, False),
        (-59.0, Outcome.OK, False),
        (61.0, Outcome.WARNING, False),
        (-300.0, Outcome.WARNING, False),
        (301.0, Outcome.FAILED, True),
        (-301.0, Outcome.FAILED, True),
        (None, Outcome.NOT_TRIED, False),
    ],
)
@virtual_time
async def test_a_clock_may_be_off_by_five_minutes(ahead: float | None, outcome: Outcome, cut_off: bool) -> None:
    """AWS refuses what is signed further from its own time; a minute is odd already."""
    identity = FakeIdentity()
    identity.ahead_seconds = ahead
    case = healthy(World(), identity=identity)
    found = await access.clock(case)
    assert (found.outcome, bool(case.cut_off)) == (outcome, cut_off)
    if ahead:
        assert f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'}" in found.said


@virtual_time
async def test_we_are_named() -> None:
    """As a policy and a trust would."""
    case = healthy(World())
    assert (await access.credentials(case)).said == f"{CALLER}, account 999999999999"
    assert case.caller is not None


@pytest.mark.parametrize("error", [AccessRefused("SignatureDoesNotMatch"), CredentialsExpired("ExpiredToken")])
@virtual_time
async def test_credentials_that_are_not_taken_cut_us_off(error: Exception) -> None:
    """What AWS said is the finding; everything else would only say it again."""
    identity = FakeIdentity()
    identity.fail_next(1, error)
    case = healthy(World(), identity=identity)
    found = await access.credentials(case)
    assert (found.outcome, found.said, bool(case.cut_off)) == (Outcome.FAILED, str(error), True)


@virtual_time
async def test_sts_that_is_away_cuts_nothing_off() -> None:
    """The other services may answer."""
    identity = FakeIdentity()
    identity.fail_next(1, Unavailable("503"))
    case = healthy(World(), identity=identity)
    with pytest.raises(Unavailable):
        await access.credentials(case)
    assert not case.cut_off


@virtual_time
async def test_the_central_role_is_become() -> None:
    """Once, as the fleet does."""
    world = World()
    found = await access.central_role(healthy(world))
    assert (found.outcome, [each.role_arn for each in world.tokens.assumed]) == (Outcome.OK, [CENTRAL_ROLE])


@virtual_time
async def test_a_fleet_without_a_central_role_is_told_whom_tenants_must_trust() -> None:
    """The role, not this session of it."""
    world = World()
    case = healthy(world, central_role="")
    await access.credentials(case)
    found = await access.central_role(case)
    assert (found.outcome, world.tokens.assumed) == (Outcome.OK, [])
    assert found.said.endswith("arn:aws:iam::999999999999:role/logfanout-task")


@virtual_time
async def test_a_central_role_that_refuses_is_an_error() -> None:
    """In STS's words."""
    world = World()
    world.tokens.distrust(CENTRAL_ROLE)
    with pytest.raises(AccessRefused, match="AssumeRole"):
        await access.central_role(healthy(world))


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        ("arn:aws-cn:sts::111122223333:assumed-role/worker/i-1", "arn:aws-cn:iam::111122223333:role/worker"),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
        ("arn:aws:sts::111122223333:federated-user/jo", "arn:aws:sts::111122223333:federated-user/jo"),
    ],
)
def test_the_role_of_a_session(arn: str, role: str) -> None:
    """In its own partition; what is no session of a role is itself."""
    assert access.role_of(arn) == role


@virtual_time
async def test_protection_is_not_asked_for() -> None:
    """Said how to find out instead."""
    found = await access.task_protection(healthy(World()))
    assert found.outcome == Outcome.NOT_TRIED
    assert "--policy-source-arn ROLE_ARN --action-names ecs:GetTaskProtection" in found.todo

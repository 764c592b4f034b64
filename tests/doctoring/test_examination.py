"""Everything is looked at in the order of dependency; a failure stops what depends on it, and nothing else."""

from collections.abc import Sequence

from logfanout.doctoring.examination import examine
from logfanout.doctoring.findings import Finding, Outcome
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused, CredentialsExpired, Throttled, Unavailable
from logfanout.testing import FakeIdentity, FakeInspection, World, healthy, virtual_time
from logfanout.testing.surroundings import QUEUE_URL
from logfanout.testing.world import CENTRAL_ROLE


async def examined(case: Case) -> Sequence[Finding]:
    return [each async for each in examine(case)]


def about(found: Sequence[Finding], outcome: Outcome) -> list[str]:
    return [each.about for each in found if each.outcome == outcome]


@virtual_time
async def test_a_healthy_fleet_leaves_open_only_what_would_leave_traces() -> None:
    """Nothing is received, written or delivered."""
    world = World()
    world.queue.send("m")
    found = await examined(healthy(world))
    assert [each.about for each in found] == [
        "memory",
        "processes",
        "what is remembered",
        "region",
        "clock",
        "credentials",
        "central role",
        "queue",
        "queue: delete and hide",
        "queue: receive",
        "redrive policy",
        "dead-letter queue",
        "dead-letter queue: send",
        "tenants",
        "ledger",
        "ledger: forget",
        "ledger: write",
        "quarantine",
        "source bucket",
        "objects",
    ]
    assert about(found, Outcome.NOT_TRIED) == ["queue: receive", "dead-letter queue: send", "ledger: write", "objects"]
    assert about(found, Outcome.WARNING) + about(found, Outcome.FAILED) == []
    assert all(each.todo for each in found if each.outcome != Outcome.OK)
    assert world.queue.receive_counts() == {"m-1": 0}
    assert (world.dead_letters.letters, world.quarantine.calls, world.ledger.calls) == ([], {}, {"recall": 1})


@virtual_time
async def test_a_scan_needs_no_queue() -> None:
    """Nor is one looked at."""
    found = await examined(healthy(World(), mode="scan"))
    assert not [each.about for each in found if "queue" in each.about or each.about in ("redrive policy", "processes")]


@virtual_time
async def test_with_a_sample_its_tenant_is_looked_for() -> None:
    """After the table."""
    world = World()
    case = healthy(world)
    case.sample = world.upload("acme/c1/web/pod-1/a.gz", b"{}", announce=False)
    found = await examined(case)
    assert [each.about for each in found][-3:] == ["objects", "object's key", "object's tenant"]
    assert about(found, Outcome.FAILED) == ["object's tenant"]


@virtual_time
async def test_credentials_that_are_not_taken_leave_the_rest_untried() -> None:
    """With the reason; what needs no AWS is still said."""
    world, identity = World(), FakeIdentity()
    identity.fail_next(1, CredentialsExpired("ExpiredToken"), on="caller")
    found = await examined(healthy(world, identity=identity))
    assert about(found, Outcome.FAILED) == ["credentials"]
    assert about(found, Outcome.OK) == ["memory", "processes", "what is remembered", "region", "clock"]
    assert {each.said for each in found if each.outcome == Outcome.NOT_TRIED} == {"AWS does not take our credentials"}
    assert (world.queue.calls, world.rows.calls) == ({}, {})


@virtual_time
async def test_a_wrong_clock_leaves_the_rest_untried() -> None:
    """Each request would be refused for it."""
    identity = FakeIdentity()
    identity.ahead_seconds = -3600.0
    found = await examined(healthy(World(), identity=identity))
    assert about(found, Outcome.FAILED) == ["clock"]
    assert "credentials" in about(found, Outcome.NOT_TRIED)


@virtual_time
async def test_what_failed_does_not_stop_what_is_independent() -> None:
    """Each says what AWS said, and what to allow or to look at."""
    world, inspection = World(), FakeInspection()
    case = healthy(world, inspection=inspection)
    world.tokens.distrust(CENTRAL_ROLE)
    inspection.remove_queue(QUEUE_URL)
    world.rows.fail_next(1, AccessRefused("Query: AccessDeniedException"))
    world.ledger.fail_next(1, Throttled("GetItem: ThrottlingException"))
    found = {each.about: each for each in await examined(case)}
    said = {name: each.said for name, each in found.items() if each.outcome == Outcome.FAILED}
    assert list(said) == ["central role", "queue", "tenants", "ledger"]
    assert "AssumeRole" in said["central role"]
    assert "sts:AssumeRole" in found["central role"].todo
    assert "SQS_QUEUE_URL" in found["queue"].todo
    assert found["tenants"].todo == "allow dynamodb:Query on TENANT_CONFIG_TABLE"
    assert "run this again" in found["ledger"].todo
    assert found["redrive policy"].said == "the queue's attributes are not known"
    assert found["source bucket"].outcome == Outcome.OK


@virtual_time
async def test_a_code_of_awss_that_we_do_not_know_is_a_finding_too() -> None:
    """In words its door chose, since AWS may quote what is not to be shown."""
    world = World()
    world.rows.fail_next(1, RuntimeError("secret"))
    found = [each async for each in examine(healthy(world), told=lambda error: type(error).__name__)]
    assert [(each.about, each.said) for each in found if each.outcome == Outcome.FAILED] == [
        ("tenants", "RuntimeError")
    ]


@virtual_time
async def test_sts_that_is_away_is_no_reason_to_stop() -> None:
    """The queue may answer, and says so."""
    identity = FakeIdentity()
    identity.fail_next(2, Unavailable("no answer"))
    found = await examined(healthy(World(), identity=identity))
    assert about(found, Outcome.FAILED) == ["clock", "credentials"]
    assert "queue" in about(found, Outcome.OK)

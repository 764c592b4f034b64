"""A check sends one probe the fleet's own way, to each of a tenant's destinations, and says what AWS said."""

from collections.abc import Sequence

import pytest

from logfanout.checking import APPLICATION, Checked, Outcome, Sample, check
from logfanout.errors import TenantUnknown, Unavailable
from logfanout.memory import Gate
from logfanout.pipeline.routes import KeyLayout
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import parts_of
from logfanout.testing.world import ndjson

ACCOUNT, GROUP, ARCHIVE = "111122223333", "/platform/logs", "acme-archive"
KEY = "acme/c1/web/pod-1/a.gz"
LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")


def sample_in(world: World, key: str = KEY) -> Sample:
    """Lay an object of the tenant's that *key* names."""
    ref = world.upload(key, ndjson("one", at_ms=NOON_MS), announce=False)
    return Sample(ref=ref, key=LAYOUT.read(key))


async def checked(world: World, tenant: str = "acme", *, sample: Sample | None = None) -> Sequence[Checked]:
    """Check *tenant* as a process of its own would."""
    parts = parts_of(world, gate=Gate(1 << 20))
    return await check(tenant, directory=parts.directory, kinds=parts.kinds, clock=world.clock, sample=sample)


@virtual_time
async def test_a_log_group_gets_one_event_that_says_what_it_is() -> None:
    """In a stream of its own, at this moment, whatever the row filters out."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP, desired_logs=["web"])
    [found] = await checked(world)
    assert (found.tenant, found.outcome, found.why) == ("acme", Outcome.DELIVERED, "")
    assert found.to == f"log group {GROUP} of account {ACCOUNT} in us-east-1"
    [message] = world.logs.messages(ACCOUNT, GROUP)
    assert message == "Your platform's logs for acme can be delivered here: checked at 2026-03-02T12:00:00.000+00:00."
    [stream] = world.logs.streams(ACCOUNT, GROUP)
    assert stream.startswith(APPLICATION)


@virtual_time
async def test_a_wrong_trust_is_told_in_sts_words() -> None:
    """And nothing is written anywhere."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP, external_id="another")
    [found] = await checked(world)
    assert found.outcome == Outcome.FAILED
    assert found.why.startswith("access_denied: AssumeRole arn:")
    assert world.logs.messages(ACCOUNT, GROUP) == []


@virtual_time
async def test_a_bucket_gets_the_sample_as_it_lies() -> None:
    """Each destination on its own: the group its event, the bucket the object."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP)
    world.add_bucket("acme", bucket=ARCHIVE)
    found = await checked(world, sample=sample_in(world))
    assert [each.outcome for each in found] == [Outcome.DELIVERED, Outcome.DELIVERED]
    assert [copied.wanted.source.key for copied in world.copies.copied] == [KEY]
    assert len(world.logs.messages(ACCOUNT, GROUP)) == 1


@virtual_time
async def test_without_a_sample_a_bucket_is_not_tried() -> None:
    """That is said, and is no proof."""
    world = World()
    world.add_bucket("acme", bucket=ARCHIVE)
    [found] = await checked(world)
    assert (found.outcome, "--object" in found.why) == (Outcome.NOT_TRIED, True)
    assert world.copies.copied == []


@virtual_time
async def test_a_bucket_that_refuses_is_told_beside_a_group_that_does_not() -> None:
    """One failure does not hide the other's success."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP)
    world.add_bucket("acme", bucket=ARCHIVE)
    world.copies.shut(ARCHIVE)
    found = await checked(world, sample=sample_in(world))
    said = {each.outcome: each.why for each in found}
    assert said[Outcome.DELIVERED] == ""
    assert said[Outcome.FAILED].startswith("access_denied: ")


@virtual_time
async def test_rows_that_cannot_be_followed_have_failed() -> None:
    """Beside those that can."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP)
    world.rows.put({"tenant_id": "acme", "type": "s3", "bucket_name": "Not A Bucket"})
    good, bad = await checked(world)
    assert (good.outcome, bad.outcome, bad.to) == (Outcome.DELIVERED, Outcome.FAILED, "")
    assert "bucket_name" in bad.why


@virtual_time
async def test_a_tenant_of_disabled_rows_is_not_reached() -> None:
    """Nothing is sent there, so nothing is proven."""
    world = World()
    world.add_tenant("acme", account=ACCOUNT, group=GROUP, enabled=False)
    [found] = await checked(world)
    assert (found.outcome, "disabled" in found.why) == (Outcome.FAILED, True)
    assert world.logs.messages(ACCOUNT, GROUP) == []


@virtual_time
async def test_nobodys_name_and_a_table_that_is_down_are_errors() -> None:
    """They say nothing about a destination."""
    world = World()
    with pytest.raises(TenantUnknown):
        await checked(world, "nobody")
    world.rows.fail_next(9, Unavailable("503"))
    with pytest.raises(Unavailable):
        await checked(world, "acme")


@virtual_time
async def test_anothers_object_is_never_copied() -> None:
    """Not by a slip on the command line either."""
    world = World()
    world.add_bucket("acme", bucket=ARCHIVE)
    sample = sample_in(world, KEY.replace("acme/", "other/"))
    with pytest.raises(ValueError, match="is not an object of 'acme'"):
        await checked(world, sample=sample)
    assert world.copies.copied == []

"""A tenant's bucket gets its objects as they lie, from the central role, once; what it refuses is its own trouble."""

import asyncio
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from logfanout.destinations import s3_copies
from logfanout.destinations.kind import Delivery, Shipment
from logfanout.destinations.s3_copies import S3Destination
from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    DestinationUnusable,
    LeaseLost,
    ObjectGone,
    Throttled,
    Unavailable,
)
from logfanout.ledger.ranges import Ranges
from logfanout.memory import Gate
from logfanout.pipeline.routes import KeyFields, KeyLayout
from logfanout.tenants.rows import Fields
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import parts_of
from logfanout.testing.world import BUCKET, CENTRAL_ROLE

THEIRS = "acme-logs"
KEY = "acme/c1/web/pod-1/20260302-0a.json.gz"
LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")


def read(**changes: Any) -> S3Destination:
    """Read a row of type s3."""
    row = {"tenant_id": "acme", "type": "s3", "bucket_name": THEIRS} | changes
    return s3_copies.read(Fields(row=row, tenant="acme", region="us-east-1"))


class Scene:
    """One object, and one tenant's bucket for it."""

    def __init__(self) -> None:
        self.world = World()
        self.world.copies.add_bucket(THEIRS, lets_in=CENTRAL_ROLE)
        self.ref = self.world.upload(KEY, b"{}\n", announce=False)
        self.kind = parts_of(self.world, gate=Gate(1)).kinds["s3"]

    async def deliver(self, to: S3Destination | None = None, **shipped: Any) -> Delivery:
        """Deliver as the courier does; return the delivery at its end."""
        fields: dict[str, Any] = {"ref": self.ref, "key": LAYOUT.read(self.ref.key)}
        shipment = Shipment(**(fields | shipped))
        delivery = self.kind.delivery(to or read(), shipment)
        async with delivery:
            await delivery.finish()
        delivery.account(complete=True)
        return delivery


# Rows.


def test_a_row_names_a_place_in_a_bucket() -> None:
    """The least it must say, and what follows from it."""
    place = read()
    assert (place.bucket, place.prefix, place.region) == (THEIRS, "ROSA/cluster-logs/", "us-east-1")
    assert place.id == "s3:acme-logs/ROSA/cluster-logs/"
    assert str(place) == "bucket acme-logs in us-east-1 under ROSA/cluster-logs/"
    assert place.wanted.takes("anything")
    assert (place.owner, read(bucket_owner="111122223333").owner) == ("", "111122223333")


@pytest.mark.parametrize(("given_prefix", "prefix"), [("a/b/", "a/b/"), ("a/b", "a/b/"), ("", ""), ("é x/", "é x/")])
def test_a_prefix_ends_in_a_slash(given_prefix: str, prefix: str) -> None:
    """Whether the row says so or not; an empty one is the whole bucket."""
    assert read(bucket_prefix=given_prefix).prefix == prefix


@pytest.mark.parametrize(
    "changes",
    [
        {"bucket_name": None},
        {"bucket_name": "Not_A_Bucket"},
        {"bucket_name": "a/b"},
        {"bucket_name": "x"},
        {"bucket_name": ["acme-logs"]},
        {"bucket_owner": "1234"},
        {"bucket_owner": 111122223333},
        {"bucket_prefix": "../"},
        {"bucket_prefix": "a//b/"},
        {"bucket_prefix": "/a/"},
        {"bucket_prefix": "./a"},
        {"bucket_prefix": "a\nb/"},
        {"bucket_prefix": "x" * 513},
        {"bucket_prefix": 7},
        {"target_region": "evil.example.com/"},
        {"desired_logs": "web"},
    ],
)
def test_what_is_no_place_is_refused(changes: dict[str, Any]) -> None:
    """Everything in a row becomes part of a request."""
    with pytest.raises(DestinationUnusable, match="tenant 'acme', row 's3'"):
        read(**changes)


# Names.


def test_the_copy_lies_where_the_tenant_expects_it() -> None:
    """Under tenant, application and pod; the cluster it is from is not named."""
    assert read().key_of(LAYOUT.read(KEY)) == "ROSA/cluster-logs/acme/web/pod-1/20260302-0a.json.gz"
    assert "c1" not in read().key_of(LAYOUT.read(KEY))
    without_pod = KeyFields(tenant="acme", application="web", file="a.gz")
    assert read(bucket_prefix="").key_of(without_pod) == "acme/web/a.gz"


NAMES = st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable() and "/" not in text)


@given(NAMES, NAMES)
def test_metadata_is_what_headers_can_hold(tenant: str, pod: str) -> None:
    """US-ASCII without line ends; what it stands for can be told again."""
    said = s3_copies.metadata(KeyFields(tenant=tenant, application="web", pod=pod, file="f"), at_ms=NOON_MS)
    assert set(said) == {"tenant-id", "application", "pod-name", "delivery-timestamp"}
    assert all(value.isascii() and value.isprintable() for value in said.values())
    assert said["delivery-timestamp"] == "2026-03-02T12:00:00.000+00:00"
    if not tenant.isascii():
        assert str(make_header(decode_header(said["tenant-id"]))) == tenant


# Copying.


@virtual_time
async def test_the_central_role_copies_the_object_as_it_lies() -> None:
    """Compressed as it is, with the metadata of the delivery, and taken as a whole."""
    scene = Scene()
    delivery = await scene.deliver()
    assert delivery.failure is None
    assert delivery.accepted
    assert delivery.taken == Ranges(((0, 1),))
    [copied] = scene.world.copies.copied
    assert copied.by == CENTRAL_ROLE
    assert copied.data == scene.world.bucket.stored(scene.ref)
    assert copied.wanted.metadata["tenant-id"] == "acme"
    assert copied.wanted.facts.content_encoding == "gzip"
    assert not scene.world.bucket.calls["open"]


@virtual_time
async def test_what_was_copied_is_not_copied_again() -> None:
    """An earlier attempt has left that it did."""
    scene = Scene()
    delivery = await scene.deliver(taken=Ranges(((0, 1),)))
    assert (delivery.failure, delivery.accepted) == (None, False)
    assert scene.world.copies.copied == []
    assert not scene.world.bucket.calls["describe"]


@pytest.mark.parametrize("fault", [Throttled("SlowDown"), Unavailable("reset"), CredentialsExpired("ExpiredToken")])
@virtual_time
async def test_what_passes_is_waited_out(fault: Exception) -> None:
    """Throttling, outages, dead tokens."""
    scene = Scene()
    scene.world.copies.fail_next(3, fault)
    assert (await scene.deliver()).failure is None
    assert len(scene.world.copies.copied) == 1


@virtual_time
async def test_a_dead_session_is_replaced() -> None:
    """The central role is assumed anew, once."""
    scene = Scene()
    await scene.deliver()
    scene.world.tokens.expire(CENTRAL_ROLE)
    assert (await scene.deliver()).failure is None
    assert scene.world.tokens.calls["assume"] == 2


@pytest.mark.parametrize("trouble", ["shut", "remove_bucket"])
@virtual_time
async def test_a_bucket_that_refuses_is_the_tenants_trouble(trouble: str) -> None:
    """Its breaker hears of it, whether the policy says no or the bucket is gone."""
    scene = Scene()
    getattr(scene.world.copies, trouble)(THEIRS)
    delivery = await scene.deliver()
    assert isinstance(delivery.refusal, AccessRefused)
    assert delivery.failure is delivery.refusal
    assert not delivery.taken


@virtual_time
async def test_a_source_that_refuses_is_not() -> None:
    """Our own bucket's policy is nothing a tenant could mend: no breaker opens."""
    scene = Scene()
    scene.world.bucket.deny(scene.ref)
    delivery = await scene.deliver()
    assert isinstance(delivery.failure, AccessRefused)
    assert delivery.refusal is None


@virtual_time
async def test_an_object_that_is_gone_is_gone_for_the_copy_too() -> None:
    """No later attempt would find it."""
    scene = Scene()
    scene.world.bucket.remove(scene.ref)
    assert isinstance((await scene.deliver()).failure, ObjectGone)


@virtual_time
async def test_nothing_is_copied_into_the_bucket_it_came_from() -> None:
    """The copy would be announced as one more object, and so on for ever."""
    scene = Scene()
    scene.world.copies.add_bucket(BUCKET, lets_in=CENTRAL_ROLE)
    delivery = await scene.deliver(read(bucket_name=BUCKET))
    assert isinstance(delivery.failure, DestinationUnusable)
    assert scene.world.copies.copied == []


@virtual_time
async def test_nothing_is_copied_under_a_lease_that_ran_out() -> None:
    """Another worker does it by now."""
    scene = Scene()

    def lost() -> None:
        raise LeaseLost("another worker has it")

    assert isinstance((await scene.deliver(require_ours=lost)).failure, LeaseLost)
    assert scene.world.copies.copied == []


@virtual_time
async def test_a_copy_cut_off_is_not_counted_as_one() -> None:
    """Nor its bytes as delivered: S3 has said nothing yet."""
    scene = Scene()
    scene.world.copies.slow(10, on="copy")
    before = {outcome: counted(outcome) for outcome in ("accepted", "unanswered")}
    delivering = asyncio.create_task(scene.deliver())
    await asyncio.sleep(1)
    delivering.cancel()
    await asyncio.wait([delivering])
    assert counted("accepted") == before["accepted"]
    assert counted("unanswered") == before["unanswered"] + 1


def counted(outcome: str) -> float:
    """How many copies have ended so."""
    labels = {"outcome": outcome, "tenant": "acme"}
    return REGISTRY.get_sample_value("logfanout_object_copies_total", labels) or 0.0


@virtual_time
async def test_one_bucket_does_not_take_every_connection() -> None:
    """However many of a tenant's objects there are, so many copies are under way at once."""
    scene = Scene()
    scene.world.copies.slow(5)
    refs = [scene.world.upload(f"acme/c1/web/pod-1/{n}.gz", b"{}\n", announce=False) for n in range(100)]
    await asyncio.gather(*(scene.deliver(ref=ref, key=LAYOUT.read(ref.key)) for ref in refs))
    assert len(scene.world.copies.held(THEIRS)) == 100
    assert scene.world.copies.most_under_way == s3_copies.COPIES_PER_BUCKET

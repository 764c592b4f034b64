"""Collectors' heartbeats are counted where they arrive, and cost nobody anything."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from logfanout import heartbeats, telemetry
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import ObjectRef
from logfanout.settings import Settings, SettingsWrong, read
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import courier_in
from logfanout.testing.world import BUCKET

LAYOUT = KeyLayout.parse(Settings().key_layout)


def heartbeat(cluster: str, node: str = "n1", *, at_ms: int = NOON_MS) -> ObjectRef:
    """Return an object as a node's collector writes it."""
    key = f"_heartbeat/{cluster}/collector/{node}/{at_ms // 1000}-{uuid4()}.log.gz"
    return ObjectRef(bucket=BUCKET, key=key, size_bytes=120, event_ms=at_ms)


def take(ref: ObjectRef, *, tenant: str = "_heartbeat", now_ms: int = NOON_MS) -> bool:
    return heartbeats.taken(ref, LAYOUT.read(ref.key), tenant=tenant, now_ms=now_ms)


def counted(cluster: str) -> float:
    return REGISTRY.get_sample_value("logfanout_heartbeats_total", {"cluster": cluster}) or 0.0


def last_at(cluster: str) -> float | None:
    return REGISTRY.get_sample_value("logfanout_heartbeat_timestamp_seconds", {"cluster": cluster})


@pytest.fixture
def cluster() -> str:
    """A name no other test has counted under."""
    return f"c-{uuid4()}"


def test_a_heartbeat_is_counted_and_its_time_is_when_s3_got_it(cluster: str) -> None:
    """Whichever node it is of."""
    assert take(heartbeat(cluster, "n1", at_ms=NOON_MS), now_ms=NOON_MS + 9000)
    assert take(heartbeat(cluster, "n2", at_ms=NOON_MS + 1500), now_ms=NOON_MS + 9000)
    assert (counted(cluster), last_at(cluster)) == (2, NOON_MS / 1000 + 1.5)


def test_an_older_heartbeat_moves_nothing_back(cluster: str) -> None:
    """Notices come in any order, and a replay brings old ones."""
    take(heartbeat(cluster, at_ms=NOON_MS))
    take(heartbeat(cluster, at_ms=NOON_MS - 3_600_000))
    assert (counted(cluster), last_at(cluster)) == (2, NOON_MS / 1000)


def test_without_a_time_of_s3s_the_arrival_counts(cluster: str) -> None:
    """As in a notice of one's own making."""
    take(heartbeat(cluster, at_ms=0), now_ms=NOON_MS)
    assert last_at(cluster) == NOON_MS / 1000


def test_a_tenants_object_is_none(cluster: str) -> None:
    """Whatever it is called besides."""
    ref = ObjectRef(bucket=BUCKET, key=f"acme/{cluster}/_heartbeat/collector/1.log.gz", size_bytes=1)
    assert not take(ref)
    assert (counted(cluster), last_at(cluster)) == (0, None)


def test_the_reserved_name_is_the_operators_to_choose(cluster: str) -> None:
    """Where a tenant is called so already."""
    ref = heartbeat(cluster)
    assert not take(ref, tenant="_alive")
    assert read({"LOGFANOUT_HEARTBEAT_TENANT": "_alive"}).heartbeat_tenant == "_alive"
    with pytest.raises(SettingsWrong, match="LOGFANOUT_HEARTBEAT_TENANT"):
        read({"LOGFANOUT_HEARTBEAT_TENANT": "a/b"})


def test_clusters_with_a_label_of_their_own_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to the bucket names clusters, and must not fill memory with them."""
    monkeypatch.setattr(telemetry, "cluster_labels", telemetry.TenantLabels(most=3))
    names = [f"c-{uuid4()}" for _ in range(20)]
    before = counted("other")
    for name in names:
        take(heartbeat(name))
    assert [counted(name) for name in names] == [1] * 3 + [0] * 17
    assert counted("other") - before == 17


@virtual_time
async def test_a_heartbeat_is_delivered_to_nobody_and_nothing_is_asked_for_it() -> None:
    """Its tenant is in no table: it is acknowledged all the same, unread."""
    world = World()
    carrier = courier_in(world, with_fleet_ledger=True, heartbeat_tenant=Settings().heartbeat_tenant)
    name = f"c-{uuid4()}"
    done = REGISTRY.get_sample_value("logfanout_objects_total", {"outcome": "heartbeat"}) or 0.0
    await carrier.deliver(heartbeat(name), received_before=True)
    assert counted(name) == 1
    assert REGISTRY.get_sample_value("logfanout_objects_total", {"outcome": "heartbeat"}) == done + 1
    for port in (world.bucket, world.rows, world.tokens, world.logs, world.ledger):
        assert port.calls.total() == 0

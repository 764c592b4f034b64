"""A tenant with a log group and a bucket: each succeeds, fails, resumes and is counted on its own."""

import asyncio
import gzip
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from logfanout.courier import Courier
from logfanout.errors import Throttled, Unavailable, Verdict
from logfanout.memory import Gate
from logfanout.ports import ObjectRef, Received
from logfanout.tenants.breaker import FIRST_OPEN_SECONDS
from logfanout.testing import World, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import parts_of, rules_of
from logfanout.testing.world import CENTRAL_ROLE, ndjson, notice
from logfanout.worker import REDRIVEN_AFTER_MS, Report, Worker

ACCOUNT, GROUP, BUCKET = "111122223333", "/platform/logs", "acme-archive"
MIB = 1024 * 1024


class Scene:
    """A worker, and a tenant with a log group and a bucket."""

    def __init__(self, *, group: bool = True, wanted: Sequence[str] = (), archived: Sequence[str] = ()) -> None:
        self.world = World()
        if group:
            self.world.add_tenant("acme", account=ACCOUNT, group=GROUP, desired_logs=list(wanted))
        self.world.add_bucket("acme", bucket=BUCKET, desired_logs=list(archived))
        self.parts = parts_of(self.world, gate=Gate(64 * MIB), fleet=self.world.ledger)
        self.worker = Worker(Courier(self.parts, rules_of()))

    def another(self) -> "Scene":
        """Another worker of the same fleet, which knows nothing itself."""
        other = Scene.__new__(Scene)
        other.world = self.world
        other.parts = parts_of(self.world, gate=Gate(64 * MIB), fleet=self.world.ledger)
        other.worker = Worker(Courier(other.parts, rules_of()))
        return other

    def upload(self, application: str = "web", data: bytes | None = None, **how: Any) -> ObjectRef:
        content = ndjson("one", "two", at_ms=NOON_MS) if data is None else data
        return self.world.upload(f"acme/c1/{application}/pod-1/a.gz", content, announce=False, **how)

    async def deliver(self, ref: ObjectRef, *, receive_count: int = 1, sent_ms: int = NOON_MS) -> Report:
        body = notice(ref, sent_ms=NOON_MS)
        message = Received(id="m", receipt="r", body=body, receive_count=receive_count, sent_ms=sent_ms)
        return await self.worker.deliver(message)

    @property
    def messages(self) -> list[str]:
        return self.world.logs.messages(ACCOUNT, GROUP)

    @property
    def copies(self) -> list[str]:
        return [copied.wanted.key for copied in self.world.copies.copied]


def counted(name: str, **labels: str) -> float:
    """What a metric says by now."""
    return REGISTRY.get_sample_value(f"logfanout_{name}", labels) or 0.0


COPY = "ROSA/cluster-logs/acme/web/pod-1/a.gz"


@virtual_time
async def test_both_have_the_object_and_it_is_read_once() -> None:
    """Events in one place, the object as it lies in the other."""
    scene = Scene()
    before = counted("object_copies_total", outcome="accepted", tenant="acme")
    assert (await scene.deliver(scene.upload())).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]
    assert gzip.decompress(scene.world.copies.held(BUCKET)[COPY]) == ndjson("one", "two", at_ms=NOON_MS)
    assert scene.world.bucket.calls["open"] == 1
    assert counted("object_copies_total", outcome="accepted", tenant="acme") == before + 1


@virtual_time
async def test_for_a_bucket_alone_nothing_is_read() -> None:
    """S3 moves the bytes; the tenant's role is not asked for, it may have none."""
    scene = Scene(group=False)
    assert (await scene.deliver(scene.upload())).verdict is Verdict.DELETE
    assert scene.copies == [COPY]
    assert not scene.world.bucket.calls["open"]
    assert [assumed.role_arn for assumed in scene.world.tokens.assumed] == [CENTRAL_ROLE]


@pytest.mark.parametrize(
    ("application", "messages", "copies"), [("web", 2, 0), ("audit", 0, 1), ("both", 2, 1), ("none", 0, 0)]
)
@virtual_time
async def test_each_has_a_filter_of_its_own(application: str, messages: int, copies: int) -> None:
    """What one wants the other need not."""
    scene = Scene(wanted=["web", "both"], archived=["audit", "both"])
    assert (await scene.deliver(scene.upload(application))).verdict is Verdict.DELETE
    assert (len(scene.messages), len(scene.copies)) == (messages, copies)


@virtual_time
async def test_a_bucket_that_refuses_costs_the_group_nothing() -> None:
    """The message is kept for the bucket's sake; the next attempts send no event again, and wait for the breaker."""
    scene = Scene()
    scene.world.copies.shut(BUCKET)
    ref = scene.upload()
    report = await scene.deliver(ref)
    assert report.verdict is Verdict.KEEP
    assert [error.reason for _, error in report.failures] == ["access_denied"]
    assert scene.messages == ["one", "two"]
    tried = scene.world.copies.calls["copy"]
    parked = await scene.deliver(ref, receive_count=2)
    assert parked.retry_after_seconds > 0
    assert scene.world.copies.calls["copy"] == tried
    scene.world.copies.add_bucket(BUCKET, lets_in=CENTRAL_ROLE)
    await asyncio.sleep(FIRST_OPEN_SECONDS)
    assert (await scene.deliver(ref, receive_count=3)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_an_object_is_not_read_again_for_one_that_has_all_of_it() -> None:
    """Neither while the other one is parked, nor when it is let in: there is nothing to send to the group."""
    scene = Scene()
    scene.world.copies.shut(BUCKET)
    ref = scene.upload()
    await scene.deliver(ref)
    assert (await scene.deliver(ref, receive_count=2)).retry_after_seconds > 0
    assert (await scene.another().deliver(ref, receive_count=3)).verdict is Verdict.KEEP
    scene.world.copies.add_bucket(BUCKET, lets_in=CENTRAL_ROLE)
    await asyncio.sleep(FIRST_OPEN_SECONDS)
    assert (await scene.deliver(ref, receive_count=4)).verdict is Verdict.DELETE
    assert scene.copies == [COPY]
    assert scene.messages == ["one", "two"]
    assert scene.world.bucket.calls["open"] == 1


@virtual_time
async def test_a_group_that_refuses_costs_the_bucket_nothing() -> None:
    """The other way about: the copy is made at once, and once."""
    scene = Scene()
    scene.world.logs.forbid(ACCOUNT)
    ref = scene.upload()
    assert (await scene.deliver(ref)).verdict is Verdict.KEEP
    assert scene.copies == [COPY]
    scene.world.logs.allow(ACCOUNT)
    await asyncio.sleep(FIRST_OPEN_SECONDS)
    assert (await scene.deliver(ref, receive_count=2)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_another_worker_goes_on_where_each_stands() -> None:
    """What each has taken is in the fleet's ledger: a worker that knows nothing itself asks it."""
    scene = Scene()
    scene.world.logs.fail_next(100, Unavailable("down"), on="put")
    ref = scene.upload()
    assert (await scene.deliver(ref)).verdict is Verdict.KEEP
    scene.world.logs.heal()
    assert (await scene.another().deliver(ref, receive_count=2)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_a_redriven_letter_goes_on_where_each_stands() -> None:
    """It comes as a new message, to a worker that knows nothing: that it is late says that somebody was at it."""
    scene = Scene()
    scene.world.copies.shut(BUCKET)
    ref = scene.upload()
    assert (await scene.deliver(ref)).verdict is Verdict.KEEP
    assert scene.messages == ["one", "two"]
    scene.world.copies.add_bucket(BUCKET, lets_in=CENTRAL_ROLE)
    late = NOON_MS + REDRIVEN_AFTER_MS + 1
    assert (await scene.another().deliver(ref, sent_ms=late)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]
    await scene.another().deliver(ref, sent_ms=late)
    assert scene.messages == ["one", "two"]


@virtual_time
async def test_an_object_nobody_can_read_is_archived_all_the_same() -> None:
    """A bucket takes it as it lies; the group's share is set aside, and a redriven letter copies nothing again."""
    scene = Scene()
    ref = scene.upload(data=b"\x1f\x8b no gzip at all", compress=False)
    report = await scene.deliver(ref)
    assert report.verdict is Verdict.SET_ASIDE
    assert [error.reason for _, error in report.failures] == ["object_corrupt"]
    assert scene.copies == [COPY]
    assert (await scene.deliver(ref)).verdict is Verdict.SET_ASIDE
    assert scene.copies == [COPY]


@virtual_time
async def test_a_copy_throttled_for_long_is_tried_again_later() -> None:
    """Patience here has an end; SQS's has none. No event is sent twice for it."""
    scene = Scene()
    scene.world.copies.fail_next(100, Throttled("SlowDown"))
    ref = scene.upload()
    assert (await scene.deliver(ref)).verdict is Verdict.KEEP
    scene.world.copies.heal()
    assert (await scene.deliver(ref, receive_count=2)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_a_bug_in_a_copy_costs_the_group_nothing() -> None:
    """What S3 says that nobody foresaw ends the message as a crash does, but not what the group is just taking."""
    scene = Scene()
    scene.world.logs.slow(2, on="put")
    scene.world.copies.fail_next(1, RuntimeError("a code in no table"), on="copy")
    ref = scene.upload()
    with pytest.raises(RuntimeError):
        await scene.deliver(ref)
    assert scene.messages == ["one", "two"]
    assert (await scene.deliver(ref, receive_count=2)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_a_bug_in_a_put_costs_the_bucket_nothing() -> None:
    """The other way about."""
    scene = Scene()
    scene.world.copies.slow(2, on="copy")
    scene.world.logs.fail_next(1, RuntimeError("a code in no table"), on="put")
    ref = scene.upload()
    with pytest.raises(RuntimeError):
        await scene.deliver(ref)
    assert scene.copies == [COPY]
    assert (await scene.deliver(ref, receive_count=2)).verdict is Verdict.DELETE
    assert scene.messages == ["one", "two"]
    assert scene.copies == [COPY]


@virtual_time
async def test_no_destination_waits_for_the_last_batch_of_another() -> None:
    """What is left when the object has been read goes to each at once, however slow one of them is."""
    scene, other = Scene(), "444455556666"
    assert isinstance(scene.parts.kinds, dict)
    scene.parts.kinds["second"] = scene.parts.kinds["cloudwatch"]
    scene.world.add_tenant("acme", account=other, group=GROUP, type="second")
    for account in (ACCOUNT, other):
        scene.world.logs.slow(30, on="put", where=account)
    began = asyncio.get_running_loop().time()
    assert (await scene.deliver(scene.upload())).verdict is Verdict.DELETE
    # Each finds its stream missing first, and puts again.
    assert 60 <= asyncio.get_running_loop().time() - began < 70
    assert scene.messages == scene.world.logs.messages(other, GROUP) == ["one", "two"]

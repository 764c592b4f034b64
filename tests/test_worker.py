"""One message's journey ends in one verdict, and nothing that happens on the way ends the worker."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from tests import turns

from logfanout.courier import Courier
from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    LogfanoutError,
    ObjectGone,
    StreamMissing,
    Throttled,
    Unavailable,
    Verdict,
)
from logfanout.memory import Gate
from logfanout.pipeline.inbox import Lease
from logfanout.pipeline.notices import parse
from logfanout.ports import DeadLetter, ObjectRef, Received
from logfanout.testing import World, run, virtual_time
from logfanout.testing.clock import NOON_MS
from logfanout.testing.couriers import parts_of, rules_of
from logfanout.testing.world import BUCKET, ndjson, notice
from logfanout.worker import Report, Worker

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
GROUP = "/platform/logs"
MIB = 1024 * 1024


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Crashes are provoked here by the dozen: their tracebacks, written in colour, would take minutes."""
    before = structlog.get_config()
    structlog.configure(processors=[drop])
    yield
    structlog.configure(**before)


def drop(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


class Settled:
    """An inbox that only notes how messages leave it."""

    def __init__(self, *, fails: Exception | None = None, without_queue: bool = False) -> None:
        self.outcomes: list[str] = []
        self.letters: list[DeadLetter] = []
        self.delays: list[float] = []
        self._fails = fails
        self._without_queue = without_queue

    async def delete(self, lease: Lease) -> None:
        await self._note(lease, "deleted")

    async def set_aside(self, lease: Lease, letter: DeadLetter) -> bool:
        self.letters.append(letter)
        await self._note(lease, "set aside")
        return not self._without_queue

    async def give_back(self, lease: Lease, *, at_least_seconds: float = 0.0) -> None:
        self.delays.append(at_least_seconds)
        await self._note(lease, "given back")

    async def _note(self, lease: Lease, outcome: str) -> None:
        self.outcomes.append(outcome)
        if self._fails:
            raise self._fails
        lease.settled = True


class Scene:
    """A worker and a tenant; what the worker does is looked up in ``world`` and ``settled``."""

    def __init__(self, *, max_receives: int | None = None, settled: Settled | None = None, **rules: Any) -> None:
        self.world = World()
        self.world.add_tenant("acme", account=ACCOUNT)
        self.settled = settled or Settled()
        self.gate = Gate(64 * MIB)
        parts = parts_of(self.world, gate=self.gate)
        self.directory = parts.directory
        self.worker = Worker(Courier(parts, rules_of(**rules)), max_receives=max_receives)

    def upload(self, key: str, data: bytes | None = None, *, compress: bool = True) -> ObjectRef:
        content = ndjson("one", "two", at_ms=NOON_MS) if data is None else data
        return self.world.upload(key, content, compress=compress, announce=False)

    async def handle(self, body: str, *, receive_count: int = 1) -> str:
        """Let the worker handle one message; return how it left."""
        lease = self.lease(body, receive_count=receive_count)
        await self.worker.handle(lease)
        assert self.gate.held_bytes == 0
        assert self.world.bucket.open_now == 0
        assert self.world.logs.under_way == 0
        return self.settled.outcomes[-1] if self.settled.outcomes else ""

    async def announce(self, *refs: ObjectRef, receive_count: int = 1) -> str:
        return await self.handle(self.body(*refs), receive_count=receive_count)

    def body(self, *refs: ObjectRef) -> str:
        return notice(*refs, sent_ms=self.world.clock.epoch_ms())

    def lease(self, body: str, *, receive_count: int = 1) -> Lease:
        message = Received(id="m-1", receipt="r-1", body=body, receive_count=receive_count, sent_ms=NOON_MS)
        return Lease(message, inbox=self.settled, now=asyncio.get_running_loop().time, seconds=30)

    @property
    def messages(self) -> list[str]:
        return self.world.logs.messages(ACCOUNT, GROUP)

    @property
    def letter(self) -> DeadLetter:
        (letter,) = self.settled.letters
        return letter

    @property
    def reason(self) -> str:
        return self.letter.attributes["logfanout.reason"]


# Delivered.


@virtual_time
async def test_an_object_reaches_its_tenant_and_the_message_goes() -> None:
    """Only the messages arrive, with their times, in the stream of their pod and day."""
    scene = Scene()
    assert await scene.announce(scene.upload("acme/c1/web/pod-1/a.json.gz")) == "deleted"
    stream = "web-pod-1-2026-03-02"
    assert scene.world.logs.events(ACCOUNT, GROUP, stream=stream) == [(NOON_MS, "one"), (NOON_MS + 1, "two")]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        json.dumps({"Type": "Notification", "Message": json.dumps({"Event": "s3:TestEvent"})}),
        json.dumps({"Records": [{"eventName": "ObjectRemoved:Delete"}]}),
    ],
)
@virtual_time
async def test_what_announces_nothing_is_deleted(body: str) -> None:
    """S3's greeting and events of other kinds are acknowledged."""
    scene = Scene()
    assert await scene.handle(body) == "deleted"
    assert scene.world.bucket.calls == {}


@pytest.mark.parametrize("data", [b"", b"\n\n", b"[]", ndjson("", "", at_ms=NOON_MS)])
@virtual_time
async def test_an_object_without_events_is_deleted(data: bytes) -> None:
    """Nothing to deliver is no failure, and no put either."""
    scene = Scene()
    assert await scene.announce(scene.upload("acme/c1/web/pod-1/a.gz", data)) == "deleted"
    assert scene.world.logs.puts == []


@pytest.mark.parametrize("changes", [{"enabled": False}, {"desired_logs": ["api"]}, {"groups": ["API"]}])
@virtual_time
async def test_a_tenant_that_does_not_want_it_costs_nothing(changes: dict[str, Any]) -> None:
    """Disabled, or filtered out: the message is deleted, and the object is not even opened."""
    scene = Scene()
    scene.world.rows.change("acme", **changes)
    assert await scene.announce(scene.upload("acme/c1/web/pod-1/a.gz")) == "deleted"
    assert scene.world.bucket.calls["open"] == scene.world.logs.calls["put"] == scene.world.tokens.calls["assume"] == 0


@virtual_time
async def test_a_bad_record_costs_itself_only() -> None:
    """The others of its object are delivered, and the message is done with."""
    scene = Scene()
    good = ndjson("one", "two", at_ms=NOON_MS)
    data = b"not JSON\n" + good + b'{"message": "cut o\n' + ndjson("old", at_ms=NOON_MS - 30 * 86_400_000) + good
    assert await scene.announce(scene.upload("acme/c1/web/pod-1/a.gz", data)) == "deleted"
    assert sorted(scene.messages) == ["one", "one", "two", "two"]


# Set aside.


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [
        ("nobody/c1/web/pod-1/a.gz", None, "unknown_tenant"),
        ("acme/web/a.gz", None, "bad_key"),
        ("acme//web/pod-1/a.gz", None, "bad_key"),
        ("acme/../web/pod-1/a.gz", None, "bad_key"),
        ("acme/c1/web/pod-1/a.gz", b"\x1f\x8b\x08 no gzip", "object_corrupt"),
        ("acme/c1/web/pod-1/a.gz", gzip.compress(ndjson("one", at_ms=NOON_MS), mtime=0)[:-9], "object_corrupt"),
        ("acme/c1/web/pod-1/a.gz", b"plain text, no JSON\n", "object_corrupt"),
        ("acme/c1/web/pod-1/a.gz", gzip.compress(bytes(65 * MIB), mtime=0), "object_refused"),
        ("acme/c1/web/pod-1/a.gz", b'{"message":"' + b"x" * 17 * MIB + b'"}', "object_refused"),
    ],
)
@virtual_time
async def test_what_can_never_be_delivered_is_set_aside_at_once(key: str, data: bytes | None, reason: str) -> None:
    """With the reason, and all that whoever looks at it will ask for."""
    scene = Scene()
    ref = scene.upload(key, data, compress=data is None)
    body = scene.body(ref)
    assert await scene.handle(body, receive_count=2) == "set aside"
    attributes = scene.letter.attributes
    assert scene.letter.body == body
    assert attributes["logfanout.reason"] == reason
    assert attributes["logfanout.object"] == ref.uri
    assert attributes["logfanout.receive_count"] == "2"
    assert attributes["logfanout.tenant"] == ("-" if reason == "bad_key" else key.partition("/")[0])
    assert attributes["logfanout.detail"]


@virtual_time
async def test_others_get_their_turn_while_a_record_without_end_is_read() -> None:
    """Millions of brackets are looked at one by one: leases are extended meanwhile, as with numbers, which are not."""

    async def turns_during(text: bytes) -> int:
        scene = Scene()
        ref = scene.upload("acme/c1/web/pod-1/a.gz", b'[{"a":[' + text * (6 * MIB // len(text)))
        with turns.counted() as count:
            assert await scene.announce(ref) == "set aside"
            return count()

    assert await turns_during(b"{},") > await turns_during(b"1, ") + 10


@virtual_time
async def test_an_object_that_is_gone_is_set_aside() -> None:
    """Its owner's lifecycle rule was quicker."""
    scene = Scene()
    ref = scene.upload("acme/c1/web/pod-1/a.gz")
    scene.world.bucket.remove(ref)
    assert await scene.announce(ref) == "set aside"
    assert scene.reason == "object_gone"


@pytest.mark.parametrize("body", ["", "no JSON", "[]", '{"Records": []}', "[" * 10**5])
@virtual_time
async def test_an_unreadable_body_is_set_aside_whole(body: str) -> None:
    """Whoever wrote it will want to see all of it."""
    scene = Scene()
    assert await scene.handle(body) == "set aside"
    assert scene.letter.body == body
    assert scene.letter.attributes["logfanout.reason"] == "bad_message"
    assert scene.letter.attributes["logfanout.object"] == "-"


@virtual_time
async def test_what_can_be_read_of_a_corrupt_object_is_delivered_once() -> None:
    """A later attempt would read no more of it; the letter says that something is missing."""
    scene = Scene()
    data = ndjson(*(f"line {n:05} {'x' * 80}" for n in range(40_000)), at_ms=NOON_MS - 40_000)
    ref = scene.upload("acme/c1/web/pod-1/a.gz", gzip.compress(data)[:-40], compress=False)
    assert await scene.announce(ref) == "set aside"
    assert scene.reason == "object_corrupt"
    arrived = sorted(scene.messages)
    assert len(arrived) > 1000
    assert arrived == sorted({message for message in arrived if message.startswith("line ")})
    assert await scene.handle(scene.letter.body) == "set aside"
    assert len(scene.messages) == len(arrived)


@pytest.mark.parametrize("count", [1, 200, 15_000])
@pytest.mark.parametrize("framing", ["lines", "array"])
@virtual_time
async def test_all_that_lies_before_a_corrupt_place_is_delivered(count: int, framing: str) -> None:
    """However little of it there is: nobody else will ever read it."""
    scene = Scene()
    lines = [f"line {n:05}" for n in range(count)]
    data = ndjson(*lines, at_ms=NOON_MS - 40_000)
    if framing == "array":
        data = b"[" + data.rstrip().replace(b"\n", b",") + b","
    cut = gzip.compress(ndjson(*(f"lost {n:05}" for n in range(200)), at_ms=NOON_MS))[:40]
    ref = scene.upload("acme/c1/web/pod-1/a.gz", gzip.compress(data) + cut, compress=False)
    assert await scene.announce(ref) == "set aside"
    assert scene.reason == "object_corrupt"
    assert sorted(scene.messages) == lines


@virtual_time
async def test_unknown_tenants_may_be_dropped() -> None:
    """Where most tenants do not subscribe, an unknown one is no failure; an unreadable key still is."""
    scene = Scene(drop_unknown_tenants=True)
    assert await scene.announce(scene.upload("nobody/c1/web/pod-1/a.gz")) == "deleted"
    assert await scene.announce(scene.upload("acme/a.gz")) == "set aside"


@virtual_time
async def test_a_letter_can_be_sent_whatever_a_key_holds() -> None:
    """Attributes are never empty, and never longer than a sentence or two."""
    scene = Scene()
    key = "a\x01b/c/d/e/" + "ü" * 500
    assert await scene.announce(scene.upload(key)) == "set aside"
    await scene.world.dead_letters.put(scene.letter)
    assert all(0 < len(value) <= 1100 for value in scene.letter.attributes.values())


# Kept.

PASSING: list[tuple[str, str, Exception]] = [
    ("bucket", "open", Unavailable("503")),
    ("bucket", "open", Throttled("SlowDown")),
    ("bucket", "open", AccessRefused("AccessDenied")),
    ("rows", "of", Unavailable("503")),
    ("rows", "of", AccessRefused("AccessDenied")),
    ("tokens", "assume", Unavailable("503")),
    ("tokens", "assume", AccessRefused("AccessDenied")),
    ("tokens", "assume", CredentialsExpired("expired")),
    ("logs", "put", Throttled("rate exceeded")),
    ("logs", "put", Unavailable("reset")),
    ("logs", "put", AccessRefused("AccessDenied")),
    ("logs", "put", CredentialsExpired("expired")),
    ("logs", "put", StreamMissing("none")),
    ("logs", "create_stream", Throttled("rate exceeded")),
    ("logs", "create_group", AccessRefused("AccessDenied")),
]


@pytest.mark.parametrize(("port", "method", "error"), PASSING, ids=lambda value: getattr(value, "args", [value])[0])
@virtual_time
async def test_what_may_pass_keeps_the_message(port: str, method: str, error: LogfanoutError) -> None:
    """It is given back while it lasts, and delivered once when it has passed."""
    scene = Scene()
    line = getattr(scene.world, port)
    line.fail_next(10**6, error, on=method)
    body = scene.body(scene.upload("acme/c1/web/pod-1/a.gz"))
    assert await scene.handle(body) == "given back"
    assert scene.messages == []
    line.heal()
    await asyncio.sleep(1000)
    assert await scene.handle(body, receive_count=2) == "deleted"
    assert scene.messages == ["one", "two"]


@pytest.mark.parametrize(("port", "method", "error"), PASSING, ids=lambda value: getattr(value, "args", [value])[0])
@virtual_time
async def test_when_its_receives_run_out_it_is_set_aside_with_the_reason(
    port: str, method: str, error: LogfanoutError
) -> None:
    """SQS would move it without a word."""
    scene = Scene(max_receives=3)
    getattr(scene.world, port).fail_next(10**6, error, on=method)
    body = scene.body(scene.upload("acme/c1/web/pod-1/a.gz"))
    outcomes = [await scene.handle(body, receive_count=count) for count in (1, 2, 3)]
    assert outcomes == ["given back", "given back", "set aside"]
    assert scene.reason == ("access_denied" if isinstance(error, AccessRefused) else "undeliverable")


@virtual_time
async def test_a_broken_download_is_resumed_behind_what_was_taken() -> None:
    """What CloudWatch has acknowledged of an object is not sent again when its rest is."""
    scene = Scene()
    lines = [f"line {n:05} {'x' * 300}" for n in range(20_000)]
    ref = scene.upload("acme/c1/web/pod-1/a.json", ndjson(*lines, at_ms=NOON_MS - 20_000), compress=False)
    scene.world.bucket.cut_short(ref, after_bytes=5 * MIB)
    body = scene.body(ref)
    assert await scene.handle(body) == "given back"
    first = len(scene.messages)
    assert first > 1000
    assert await scene.handle(body, receive_count=2) == "deleted"
    assert sorted(scene.messages) == lines


@virtual_time
async def test_an_outage_half_way_costs_no_duplicates() -> None:
    """Batches that were acknowledged before it are not sent again."""
    scene = Scene()
    lines = [f"line {n:05} {'x' * 300}" for n in range(20_000)]
    body = scene.body(scene.upload("acme/c1/web/pod-1/a.gz", ndjson(*lines, at_ms=NOON_MS - 20_000)))
    await scene.announce(scene.upload("acme/c1/web/pod-1/first.gz"))
    scene.world.logs.puts.clear()
    task = asyncio.create_task(scene.handle(body))
    while len(scene.world.logs.puts) < 3:  # noqa: ASYNC110  a turn of the loop
        await asyncio.sleep(0)
    scene.world.logs.fail_next(10**6, Unavailable("503"), on="put")
    assert await task == "given back"
    assert 0 < len(scene.messages) < len(lines)
    scene.world.logs.heal()
    assert await scene.handle(body, receive_count=2) == "deleted"
    assert sorted(scene.messages) == lines


# Several objects.


@virtual_time
async def test_several_objects_of_a_message_are_delivered_in_order() -> None:
    """Each to whom it belongs."""
    scene = Scene()
    scene.world.add_tenant("other", account=OTHER_ACCOUNT)
    refs = [
        scene.upload(f"{tenant}/c1/web/pod-1/{n}.gz", ndjson(f"{tenant} {n}", at_ms=NOON_MS))
        for n, tenant in enumerate(["acme", "other", "acme"])
    ]
    assert await scene.announce(*refs) == "deleted"
    assert scene.messages == ["acme 0", "acme 2"]
    assert scene.world.logs.messages(OTHER_ACCOUNT, GROUP) == ["other 1"]


@virtual_time
async def test_a_letter_names_only_what_is_still_owed() -> None:
    """The objects that were delivered are not delivered again when it is redriven."""
    scene = Scene()
    good, bad, gone, late = (
        scene.upload(key)
        for key in ("acme/c1/web/pod-1/a b+c.gz", "x.gz", "acme/c1/web/pod-1/gone.gz", "acme/c1/web/pod-1/€.gz")
    )
    scene.world.bucket.remove(gone)
    assert await scene.announce(good, bad, gone, late) == "set aside"
    assert [ref.uri for ref in parse(scene.letter.body)] == [bad.uri, gone.uri]
    assert scene.messages == ["one", "two"] * 2


@virtual_time
async def test_the_worst_of_a_messages_objects_decides() -> None:
    """While one may still be delivered the message is kept; what is done is not done again."""
    scene = Scene()
    good, bad, later = (scene.upload(key) for key in ("acme/c1/web/pod-1/a.gz", "x.gz", "acme/c1/web/pod-1/b.gz"))
    body = scene.body(good, bad, later)
    scene.world.bucket.deny(later)
    assert await scene.handle(body) == "given back"
    scene.world.bucket.allow(later)
    assert await scene.handle(body, receive_count=2) == "set aside"
    assert [ref.uri for ref in parse(scene.letter.body)] == [bad.uri]
    assert scene.messages == ["one", "two"] * 2


@virtual_time
async def test_a_bad_row_sets_its_share_aside_and_leaves_the_good_one_alone() -> None:
    """The tenant's other destination has what it is owed, once, however often the letter is redriven."""
    scene = Scene()
    scene.world.rows.put({"tenant_id": "acme", "type": "s3", "bucket_name": "Not/A/Bucket"})
    ref = scene.upload("acme/c1/web/pod-1/a.gz")
    assert await scene.announce(ref) == "set aside"
    assert scene.reason == "undeliverable"
    assert scene.messages == ["one", "two"]
    await scene.handle(scene.letter.body)
    assert scene.messages == ["one", "two"]


# What must not happen.


class Bug(Exception):
    """What nobody foresaw."""


@pytest.mark.parametrize(
    ("port", "method"),
    [("bucket", "open"), ("rows", "of"), ("tokens", "assume"), ("logs", "put"), ("logs", "create_stream")],
)
@virtual_time
async def test_a_bug_keeps_the_message_and_the_worker(port: str, method: str) -> None:
    """Whatever raises what nobody expects, the message is given back and the next one is handled."""
    scene = Scene()
    getattr(scene.world, port).fail_next(1, Bug("surprise"), on=method)
    body = scene.body(scene.upload("acme/c1/web/pod-1/a.gz"))
    assert await scene.handle(body) == "given back"
    assert await scene.handle(body, receive_count=2) == "deleted"
    assert scene.messages == ["one", "two"]


@pytest.mark.parametrize("error", [Unavailable("503"), AccessRefused("AccessDenied"), Bug("surprise")])
@virtual_time
async def test_settling_may_fail_without_ending_the_worker(error: Exception) -> None:
    """The inbox sees that nobody settled the message."""
    scene = Scene(settled=Settled(fails=error))
    lease = scene.lease(scene.body(scene.upload("acme/c1/web/pod-1/a.gz")))
    if isinstance(error, Bug):
        with pytest.raises(Bug):  # from giving back after the crash: the queue itself has a bug
            await scene.worker.handle(lease)
    else:
        await scene.worker.handle(lease)
    assert not lease.settled


@virtual_time
async def test_a_lost_lease_is_left_alone() -> None:
    """The message is another worker's: it is not settled, and nothing more of it is delivered."""
    scene = Scene()
    lines = [f"line {n:05} {'x' * 300}" for n in range(20_000)]
    ref = scene.upload("acme/c1/web/pod-1/a.gz", ndjson(*lines, at_ms=NOON_MS - 20_000))
    scene.world.bucket.trickle(ref, seconds_a_chunk=10)
    second = scene.upload("acme/c1/web/pod-1/b.gz")
    lease = scene.lease(scene.body(ref, second))
    task = asyncio.create_task(scene.worker.handle(lease))
    await asyncio.sleep(15)
    lease.lost = True
    await task
    assert scene.settled.outcomes == []
    assert len(scene.messages) < 20_000
    assert "one" not in scene.messages


@virtual_time
async def test_a_lease_that_ran_out_writes_no_letter() -> None:
    """Another worker may have the message, or SQS has set it aside itself: it is theirs to say why."""
    scene = Scene(max_receives=3)
    scene.world.bucket.slow(40, on="open")
    lease = scene.lease(scene.body(scene.upload("acme/c1/web/pod-1/a.gz")), receive_count=3)
    await scene.worker.handle(lease)
    assert scene.settled.outcomes == ["given back"]
    assert scene.settled.letters == []
    assert scene.messages == []


@virtual_time
async def test_a_cancelled_message_stops_its_puts() -> None:
    """At the end of a drain nothing goes on in the background."""
    scene = Scene()
    scene.world.logs.slow(3600)
    lease = scene.lease(scene.body(scene.upload("acme/c1/web/pod-1/a.gz")))
    task = asyncio.create_task(scene.worker.handle(lease))
    await asyncio.sleep(5)
    assert scene.world.logs.under_way == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert scene.world.logs.under_way == scene.world.bucket.open_now == 0
    assert scene.settled.outcomes == []


@virtual_time
async def test_without_a_dead_letter_queue_nothing_is_called_dead() -> None:
    """The counter of dead letters counts letters that were sent."""
    scene = Scene(settled=Settled(without_queue=True))
    assert await scene.announce(scene.upload("x.gz")) == "set aside"


@virtual_time
async def test_a_report_without_failures_deletes() -> None:
    """No news is good news."""
    assert Report().verdict == Verdict.DELETE
    assert Report([(None, ObjectGone("gone")), (None, Unavailable("503"))]).verdict == Verdict.KEEP


# Properties.

fault_errors: list[Callable[[], Exception]] = [
    lambda: Throttled("slow down"),
    lambda: Unavailable("503"),
    lambda: AccessRefused("AccessDenied"),
    lambda: CredentialsExpired("expired"),
    lambda: Bug("surprise"),
]
faults = st.lists(
    st.tuples(
        st.sampled_from(
            [
                ("bucket", "open"),
                ("rows", "of"),
                ("tokens", "assume"),
                ("logs", "put"),
                ("logs", "create_stream"),
                ("logs", "create_group"),
            ]
        ),
        st.sampled_from(fault_errors),
        st.integers(1, 20),
        st.booleans(),
    ),
    max_size=4,
)


@settings(max_examples=60)
@given(faults, st.integers(1, 60), st.integers(0, 3))
def test_whatever_fails_the_message_goes_only_when_everything_is_there(
    faults: list[Any], count: int, cuts: int
) -> None:
    """Faults anywhere, answers lost, downloads cut: deleted means delivered, in the right account, nothing missing."""

    async def story() -> None:
        scene = Scene()
        lines = [f"line {n}" for n in range(count * 50)]
        ref = scene.upload("acme/c1/web/pod-1/a.json", ndjson(*lines, at_ms=NOON_MS), compress=False)
        if cuts:
            scene.world.bucket.cut_short(ref, after_bytes=ref.size_bytes // 2, times=cuts)
        for (port, method), error, times, after in faults:
            getattr(scene.world, port).fail_next(times, error(), on=method, after=after)
        body = scene.body(ref)
        outcome, receives = "", 0
        while outcome != "deleted":
            receives += 1
            outcome = await scene.handle(body, receive_count=receives)
            assert outcome in ("deleted", "given back")
            await asyncio.sleep(900)
            assert receives < 100
        assert set(scene.messages) == set(lines)
        assert {put.account for put in scene.world.logs.puts} == {ACCOUNT}
        if not any(after for _, _, _, after in faults):
            assert len(scene.messages) == len(lines)  # nothing came twice: only a lost answer makes a duplicate

    run(story())


@virtual_time
async def test_the_repr_says_what_it_holds() -> None:
    """What a debugger shows of a worker."""
    scene = Scene()
    assert repr(scene.worker).startswith("<Worker <Courier")
    assert BUCKET not in repr(scene.worker)


# What is counted.


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"logfanout_{name}", labels) or 0.0


@virtual_time
async def test_a_test_event_is_acknowledged_and_counted() -> None:
    """S3 sends one when a notification is set up; it announces nothing."""
    before = counted("notices_empty_total")
    assert await Scene().handle(json.dumps({"Event": "s3:TestEvent", "Bucket": "b"})) == "deleted"
    assert counted("notices_empty_total") == before + 1


@virtual_time
async def test_events_without_a_time_of_their_own_are_counted() -> None:
    """They get their object's LastModified, and an operator can see how many did."""
    before = counted("events_untimed_total", tenant="acme")
    scene = Scene()
    data = b'{"message":"a"}\n{"message":"b","timestamp":"yesterday"}\n{"message":"c","timestamp":%d}\n' % NOON_MS
    assert await scene.announce(scene.upload("acme/c1/web/pod-1/a.gz", data)) == "deleted"
    assert counted("events_untimed_total", tenant="acme") == before + 2

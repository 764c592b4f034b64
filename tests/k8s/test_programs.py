"""The collector's programs, as they ship, run by the compiler that Vector has in it."""

import re
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.k8s import programs, vector_tests
from tests.k8s.programs import Case, Event

from logfanout.demo.voices import VOICES, access
from logfanout.pipeline.records import RecordReader
from logfanout.pipeline.routes import KeyLayout
from logfanout.settings import Settings

LAYOUT = KeyLayout.parse(Settings().key_layout)
LONGEST_KEY_BYTES = 1024  # "Creating object key names": 1,024 bytes of UTF-8
# What the sink adds: filename_time_format "%s", filename_append_uuid, the extension of the compression.
FILE = f"1795501272-{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12}.log.zst"
SHARED = programs.environments()["shared"]
# An access log's time stands in its middle.
TIMED_VOICES = sorted({v for voices in VOICES.values() for v in voices} - {access}, key=lambda voice: voice.__name__)

# Everything a label or an annotation could hold, and what would do harm in a key.
harmful = st.sampled_from(["", ".", "..", "/", "../..", "a/b", "\x00", " ", "\n", "_heartbeat", "x" * 3000, "é" * 3000])
anything = st.text(max_size=80) | harmful
keys = st.sampled_from(
    [f"logfanout/{name}" for name in ("customer-id", "cluster-id", "application", "pod-name")]
    + ["app", "app.kubernetes.io/name", "k8s-app"]
)
maps = st.dictionaries(keys, anything, max_size=7)
values: st.SearchStrategy[Any] = anything | st.none() | st.integers(-(2**63), 2**63 - 1) | st.booleans()
kubernetes = st.fixed_dictionaries(
    {},
    optional={
        "namespace_labels": maps | values,
        "pod_annotations": maps | values,
        "pod_labels": maps | values,
        "pod_name": values,
        "pod_namespace": values,
        "container_name": values,
    },
)
moments = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
lags = st.timedeltas(timedelta(0), timedelta(minutes=29))


def rfc3339(at: datetime) -> str:
    """Return *at* as the container runtime writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def key(event: Event) -> str:
    """Return the object's key, as ``key_prefix`` has it."""
    prefix: str = re.sub(r"\{\{ (\w+) \}\}", lambda found: str(event[found[1]]), sink()["key_prefix"])
    return prefix + FILE


def sink() -> dict[str, Any]:
    """Return the sink of base."""
    found: dict[str, Any] = yaml.safe_load((programs.VECTOR / "s3.yaml").read_text("utf-8"))["sinks"]["s3"]
    return found


def timed(message: str, *, runtime: datetime) -> datetime:
    """Return the time a line is given, to the microsecond."""
    event = programs.through(("timed",), {"message": message, "timestamp": rfc3339(runtime)})
    assert event is not None
    return datetime.fromisoformat(event["timestamp"][:26] + "+00:00")


@pytest.mark.parametrize("case", programs.cases(), ids=lambda case: case.name)
def test_a_transform_makes_of_an_event_what_its_case_says(case: Case) -> None:
    """All of what leaves, and nothing else."""
    with programs.within(programs.environments()[case.environment]):
        assert programs.through(case.transforms, case.event) == case.expect


# Vector hands over a time, where these tests and Vector's own can only give a text. The compiler must not know which.
AS_A_TIME = '.timestamp = parse_timestamp(string(.timestamp) ?? "", "%+") ?? .timestamp\n'


@pytest.mark.parametrize("transform", ["timed", "heartbeats"])
def test_a_time_is_as_good_as_its_text(transform: str) -> None:
    """The same for every case."""
    program = AS_A_TIME + programs.source(transform)
    for case in programs.cases():
        if case.transforms == (transform,):
            with programs.within(programs.environments()[case.environment]):
                assert programs.run(program, case.event).processed_event == case.expect


def test_without_any_time_a_line_has_the_present() -> None:
    """Which the runtime always writes, so nobody will see it."""
    event = programs.through(("timed",), {"message": "m"})
    assert event is not None
    assert abs(datetime.fromisoformat(event["timestamp"][:26] + "+00:00") - datetime.now(tz=UTC)) < timedelta(minutes=1)


def test_every_transform_and_every_environment_has_cases() -> None:
    """A transform nobody tries is one nobody knows."""
    assert {name for case in programs.cases() for name in case.transforms} == set(programs.config()["transforms"])
    assert {case.environment for case in programs.cases()} == set(programs.environments())
    names = [case.name for case in programs.cases()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("transform", ["identified", "timed", "heartbeats"])
def test_no_program_can_fail_at_run_time(transform: str) -> None:
    """An error would send the event on as it came, without a key: there is no call that may fail, and no abort."""
    code = re.sub(r"#.*|r'[^']*'", "", programs.source(transform))
    assert not re.search(r"\w!\(|\babort\b", code)


def test_heartbeats_go_under_the_name_the_worker_reserves_for_them() -> None:
    """Unless somebody changes both."""
    with programs.within(SHARED):
        event = programs.through(("heartbeats",), {"message": "m", "timestamp": "2026-11-24T06:21:12Z"})
    assert event is not None and event["customer_id"] == Settings().heartbeat_tenant
    read = LAYOUT.read(key(event))
    assert (read.cluster, read.pod) == (SHARED["CLUSTER_ID"], SHARED["VECTOR_SELF_NODE_NAME"])


def test_what_the_programs_hold_is_no_variable_of_the_configuration() -> None:
    """A program inside vector.yaml would have its dollars filled in."""
    for transform in programs.config()["transforms"].values():
        assert "source" not in transform


def test_vectors_own_tests_are_written_from_the_cases() -> None:
    """`make k8s-fixtures` would change nothing."""
    wanted = dict(vector_tests.files())
    assert {path: path.read_text("utf-8") for path in vector_tests.FOLDER.iterdir()} == wanted


@pytest.mark.parametrize("case", [c for c in programs.cases() if c.expect is not None], ids=lambda case: case.name)
def test_vectors_own_conditions_hold_for_the_event_expected_and_for_no_other(case: Case) -> None:
    """What Vector would check is compiled here, and tried against events that differ in one field."""
    assert case.expect is not None
    condition = vector_tests.condition(case.expect)
    programs.run(condition, dict(case.expect))
    for field in case.expect:
        for other in ({**case.expect, field: f"{case.expect[field]}x"}, {**case.expect, "more": 1}):
            with pytest.raises(RuntimeError):
                programs.run(condition, other)


@given(kubernetes, st.sampled_from(sorted(programs.environments())))
@example({"pod_annotations": {"logfanout/application": "x" * 3000, "logfanout/pod-name": "y" * 3000}}, "dedicated")
def test_whatever_labels_hold_the_key_is_whole(given: Event, environment: str) -> None:
    """No segment is empty, "." or "..", none holds a "/", the worker reads back what went in, and S3 takes it."""
    with programs.within(programs.environments()[environment]):
        event = programs.through(programs.PODS, {"message": "m", "timestamp": "t", "kubernetes": given})
    assert event is not None
    assert set(event) == {"customer_id", "cluster_id", "application", "pod_name", "message", "timestamp"}
    made = key(event)
    segments = made.split("/")
    assert len(segments) == 5
    assert not set(segments) & {"", ".", ".."}
    assert made.isascii() and made.isprintable() and " " not in made
    assert len(made.encode()) <= LONGEST_KEY_BYTES
    read = LAYOUT.read(made)
    assert (read.tenant, read.cluster, read.application, read.pod, read.file) == (
        event["customer_id"],
        event["cluster_id"],
        event["application"],
        event["pod_name"],
        FILE,
    )
    # Two names are our own, and nobody gets the other by saying so.
    assert not read.tenant.startswith("_") or read.tenant == "_unidentified"


@given(maps, maps, maps.map(lambda labels: {**labels, "logfanout/customer-id": "acme"}))
def test_no_pod_can_speak_for_another_tenant(annotations: Event, labels: Event, of_namespace: Event) -> None:
    """Where the namespace says whose it is, whatever a pod says of itself."""
    given = {"pod_annotations": annotations, "pod_labels": labels, "namespace_labels": of_namespace}
    with programs.within(SHARED):
        event = programs.through(("identified",), {"message": "m", "timestamp": "t", "kubernetes": given})
    assert event is not None and event["customer_id"] == "acme"


@given(maps, maps)
def test_a_pod_of_an_unknown_namespace_is_nobodys(annotations: Event, labels: Event) -> None:
    """The namespace may say otherwise, once it is known."""
    given = {"pod_annotations": annotations, "pod_labels": labels}
    with programs.within(SHARED):
        event = programs.through(("identified",), {"message": "m", "timestamp": "t", "kubernetes": given})
    assert event is not None and event["customer_id"] == "_unidentified"


lines = st.text(max_size=200) | st.builds(
    lambda head, tail: head + tail,
    st.sampled_from(
        [
            "I1124 06:21:12.1 ",
            '{"ts":',
            "2026/11/24 06:21:12 ",
            'time="',
            "2026-11-24T06:21:12.",
            "[2026-11-24 ",
            '{"time":"',
        ]
    ),
    st.text(max_size=60),
)


@given(lines, moments)
def test_whatever_a_line_says_it_arrives_unaltered_and_in_time(message: str, runtime: datetime) -> None:
    """The worker reads the very message, and a time that is the runtime's or near it, in whole milliseconds cut."""
    event = programs.through(("timed",), {"message": message, "timestamp": rfc3339(runtime)})
    assert event is not None
    assert event["message"] == message
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", event["timestamp"])
    reader = RecordReader(name="o", untimed_ms=0)
    records = [*reader.feed(orjson.dumps(event) + b"\n"), *reader.finish()]
    assert sum(records.untimed for records in records) == 0
    if message:
        (token,) = (token for records in records for token in records.messages)
        (at_ms,) = (at_ms for records in records for at_ms in records.times)
        assert orjson.loads(bytes(token)) == message
        whole = datetime.fromisoformat(event["timestamp"][:23] + "+00:00")
        assert at_ms == (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        assert timedelta(days=-1) <= whole - runtime <= timedelta(minutes=10)


@given(moments, lags)
def test_klog_has_its_year_whenever_it_is_read(at: datetime, lag: timedelta) -> None:
    """To the microsecond, across every turn of the year."""
    assert timed(f"I{at:%m%d %H:%M:%S.%f}       1 a.go:1] x", runtime=at + lag) == at


@given(moments, lags)
def test_every_form_of_a_time_is_read_as_it_is(at: datetime, lag: timedelta) -> None:
    """ISO 8601 with and without a zone, Go's, logfmt's, and JSON's, all with their microseconds."""
    runtime = at + lag
    iso = f"{at:%Y-%m-%dT%H:%M:%S.%f}"
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    for message in (
        f"{iso}Z x",
        f"{iso}+00:00",
        f"[{iso}] x",
        f"{iso.replace('T', ' ').replace('.', ',')} INFO x",
        f"{at:%Y/%m/%d %H:%M:%S.%f} x",
        f'time="{iso}Z" level=info',
        f"level=info ts={iso}Z msg=x",
        f'{{"ts":"{iso}Z"}}',
        f'{{"time":"{iso}-0000"}}',
        f'{{"stageTimestamp":"{iso}Z","requestReceivedTimestamp":"{iso}Z"}}',
        f'{{"ts":{micros // 1_000_000}.{micros % 1_000_000:06}}}',
    ):
        assert timed(message, runtime=runtime) == at, message


@given(moments)
def test_a_number_of_any_unit_is_read_by_its_size(at: datetime) -> None:
    """As the worker would read it."""
    nanos = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    # What is before 1973 in milliseconds looks like seconds; no line of ours is.
    assume(nanos // 1_000_000 >= 10**11)
    assert timed(f'{{"ts":{nanos}}}', runtime=at) == at
    assert timed(f'{{"ts":{nanos // 1000}}}', runtime=at) == at
    assert timed(f'{{"ts":{nanos // 1_000_000}}}', runtime=at) == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert timed(f'{{"ts":"{nanos // 1_000_000_000}"}}', runtime=at) == at.replace(microsecond=0)


@pytest.mark.parametrize("voice", TIMED_VOICES, ids=lambda voice: voice.__name__)
def test_the_demos_voices_are_timed_by_what_they_say(voice: Any) -> None:
    """klog, audit, zap, Go, Java and Python; of a line without a time, such as a panic's, the runtime's counts."""
    rng = Random(7)
    at = datetime(2026, 12, 31, 23, 59, 58, 987654, tzinfo=UTC)
    runtime = at + timedelta(seconds=3)
    allowed = {at, at.replace(microsecond=987000), at.replace(microsecond=0)}
    for _ in range(50):
        said = voice(rng, at)
        expected = {runtime} if said.startswith("panic:") else allowed
        assert timed(said, runtime=runtime) in expected, said

"""The collector's configuration, as every overlay deploys it."""

import gzip
import re
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest
import yaml
from tests.k8s import programs
from tests.k8s.manifests import COLLECTORS, Built, Document, built, configuration, environment, filled, texts
from tests.k8s.programs import HERE, VECTOR

from logfanout.demo import pods, vector
from logfanout.pipeline.records import MAX_RECORD_BYTES
from logfanout.settings import Settings

# base says neither where to write nor in which region; whoever deploys it alone must.
WRITING = tuple(folder for folder in COLLECTORS if folder != "base")
SMALLEST_BUFFER_BYTES = 268_435_488  # Vector's reference, "buffer.max_size" of a disk buffer
MAY_DIFFER = {"auth", "server_side_encryption", "ssekms_key_id", "endpoint"}


@pytest.fixture(params=WRITING)
def collector(request: pytest.FixtureRequest, kubectl: str) -> Built:
    """Each overlay in turn."""
    return built(kubectl, request.param)


def options(component: Document, prefix: str = "") -> Iterator[str]:
    """Yield the options of *component* by their dotted names."""
    for name, value in component.items():
        if isinstance(value, dict):
            yield from options(value, f"{prefix}{name}.")
        elif prefix + name != "type":
            yield prefix + name


def test_every_option_is_one_of_vectors(collector: Built) -> None:
    """Vector refuses a configuration with a name it does not know, and here there is no Vector to say so."""
    known = yaml.safe_load((HERE / "options.yaml").read_text("utf-8"))
    whole = configuration(collector)
    assert set(whole) == {"data_dir", "sources", "transforms", "sinks"}
    for section in known:
        for name, component in whole[section].items():
            unknown = set(options(component)) - set(known[section][component["type"]])
            assert not unknown, f"{section}.{name}: {unknown}"


def test_whatever_is_collected_reaches_a_sink(collector: Built) -> None:
    """Every input exists, and every source and transform is somebody's input."""
    whole = configuration(collector)
    makers = {*whole["sources"], *whole["transforms"]}
    asked = {name for section in ("transforms", "sinks") for each in whole[section].values() for name in each["inputs"]}
    assert asked == makers


def test_pods_lines_and_heartbeats_go_the_same_way(collector: Built) -> None:
    """A heartbeat that went another way would say nothing of the logs'."""
    whole = configuration(collector)
    assert whole["sinks"]["s3"]["inputs"] == ["timed", "heartbeats"]
    assert whole["sources"]["own_lines"]["type"] == whole["sources"]["pods"]["type"] == "kubernetes_logs"
    (line,) = whole["sources"]["beats"]["lines"]
    assert whole["transforms"]["own_beats"]["condition"] == f'.message == "{line}"'


def test_the_key_is_of_the_workers_layout(collector: Built) -> None:
    """What the sink writes is what LOGFANOUT_KEY_LAYOUT reads unless somebody changes both."""
    prefix = configuration(collector)["sinks"]["s3"]["key_prefix"]
    names = {"customer_id": "tenant", "cluster_id": "cluster", "application": "application", "pod_name": "pod"}
    assert re.sub(r"\{\{ (\w+) \}\}", lambda found: "{" + names[found[1]] + "}", prefix) == Settings().key_layout


def test_nothing_is_lost_between_the_buffer_and_s3(collector: Built) -> None:
    """The buffer outlives the process and blocks, is emptied only into S3, and no refusal is final."""
    sink = configuration(collector)["sinks"]["s3"]
    assert (sink["buffer"]["type"], sink["buffer"]["when_full"]) == ("disk", "block")
    assert sink["buffer"]["max_size"] >= SMALLEST_BUFFER_BYTES
    assert sink["acknowledgements"] == {"enabled": True}
    assert sink["retry_strategy"] == {"type": "all"}
    assert "retry_attempts" not in sink["request"]  # as many as it takes


def test_objects_are_as_the_worker_reads_them_best(collector: Built) -> None:
    """One JSON object a line, two fields, compressed."""
    sink = configuration(collector)["sinks"]["s3"]
    assert sink["framing"] == {"method": "newline_delimited"}
    assert sink["encoding"] == {"codec": "json", "only_fields": ["message", "timestamp"]}
    assert sink["compression"] in ("gzip", "zstd")
    assert (sink["filename_time_format"], sink["filename_append_uuid"]) == ("%s", True)


def test_batches_are_ten_megabytes_or_five_minutes_unless_said_otherwise(kubectl: str) -> None:
    """Both are variables."""
    deployed = built(kubectl, "overlays/production")
    assert configuration(deployed)["sinks"]["s3"]["batch"] == {"max_bytes": 10_000_000, "timeout_secs": 300}
    text = deployed.one("ConfigMap", "vector")["data"]["s3.yaml"]
    said = {**environment(deployed), "BATCH_MAX_BYTES": "5", "BATCH_TIMEOUT_SECONDS": "7", "COMPRESSION": "zstd"}
    sink = yaml.safe_load(filled(text, said))["sinks"]["s3"]
    assert (sink["batch"], sink["compression"]) == ({"max_bytes": 5, "timeout_secs": 7}, "zstd")


def test_an_overlays_sink_is_bases_but_for_where_and_as_whom_it_writes(collector: Built) -> None:
    """What is copied must not drift apart."""
    ours = yaml.safe_load(collector.one("ConfigMap", "vector")["data"]["s3.yaml"])["sinks"]["s3"]
    base = yaml.safe_load((VECTOR / "s3.yaml").read_text("utf-8"))["sinks"]["s3"]
    assert {k: v for k, v in ours.items() if k not in MAY_DIFFER} == {
        k: v for k, v in base.items() if k not in MAY_DIFFER
    }


@pytest.mark.parametrize("folder", ["overlays/production", "overlays/production-openshift"])
def test_production_encrypts_and_assumes_the_writers_role(kubectl: str, folder: str) -> None:
    """With the bucket's key, as a role of the bucket's account."""
    deployed = built(kubectl, folder)
    sink = configuration(deployed)["sinks"]["s3"]
    assert sink["server_side_encryption"] == "aws:kms"
    assert re.fullmatch(r"arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+", sink["ssekms_key_id"])
    assert re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/[\w/-]+", sink["auth"]["assume_role"])
    assert not sink["auth"].keys() & {"access_key_id", "secret_access_key"}
    roles = deployed.one("ServiceAccount", "collector")["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    assert re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/[\w/-]+", roles)


def test_base_encrypts_too() -> None:
    """With S3's own key, which needs no permission."""
    base = yaml.safe_load((VECTOR / "s3.yaml").read_text("utf-8"))["sinks"]["s3"]
    assert base["server_side_encryption"] == "AES256"


def test_nobody_can_tap_the_events(collector: Built) -> None:
    """Vector's API would show every tenant's lines to whoever reaches its port."""
    assert "api" not in configuration(collector)


def test_namespaces_are_chosen_by_a_label_that_a_patch_may_change(kubectl: str) -> None:
    """HyperShift's, unless NAMESPACE_SELECTOR says another; pods by POD_SELECTOR, our own left out."""
    deployed = built(kubectl, "overlays/production")
    pods_source = configuration(deployed)["sources"]["pods"]
    assert pods_source["extra_namespace_label_selector"] == "hypershift.openshift.io/hosted-control-plane=true"
    assert pods_source["extra_label_selector"] == "app.kubernetes.io/part-of!=logfanout"
    text = deployed.one("ConfigMap", "vector")["data"]["vector.yaml"]
    said = {**environment(deployed), "NAMESPACE_SELECTOR": "logs in (yes)", "POD_SELECTOR": "tier=api"}
    changed = yaml.safe_load(filled(text, said))["sources"]["pods"]
    assert (changed["extra_namespace_label_selector"], changed["extra_label_selector"]) == ("logs in (yes)", "tier=api")


def test_every_variable_is_in_collector_env_and_nothing_there_is_idle() -> None:
    """What may be told is listed in one file, and each of it is asked for somewhere."""
    written = "\n".join(texts(VECTOR).values())
    asked = set(re.findall(r"\$\{(\w+)", written)) | set(re.findall(r'get_env_var\("(\w+)"\)', written))
    listed = set(re.findall(r"^(\w+)=", (VECTOR.parent / "collector.env").read_text("utf-8"), re.MULTILINE))
    of_the_pod = {"VECTOR_SELF_NODE_NAME", "VECTOR_SELF_POD_NAME", "VECTOR_SELF_POD_NAMESPACE"}
    assert asked - of_the_pod == listed
    assert of_the_pod <= set(re.findall(r"name: (VECTOR_\w+)", (VECTOR.parent / "daemon-set.yaml").read_text("utf-8")))


def test_a_variable_without_a_value_stops_the_collector_with_a_sentence(kubectl: str) -> None:
    """base alone does not say where to write."""
    with pytest.raises(LookupError, match="S3_BUCKET is the bucket of this region"):
        configuration(built(kubectl, "base"))


def test_what_ships_is_what_is_tested(collector: Built) -> None:
    """The programs in the ConfigMap are the files, to the letter, and lie where Vector looks for them."""
    data = collector.one("ConfigMap", "vector")["data"]
    files = texts(VECTOR)
    assert data.keys() == files.keys()
    assert {name: text for name, text in data.items() if name != "s3.yaml"} == {
        name: text for name, text in files.items() if name != "s3.yaml"
    }
    (container,) = collector.pod("DaemonSet", "collector")["containers"]
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == "config")
    assert container["workingDir"] == mount["mountPath"] == "/etc/vector"
    assert container["args"] == ["--config=/etc/vector/vector.yaml", "--config=/etc/vector/s3.yaml"]


def test_no_line_can_make_a_record_the_worker_refuses(collector: Built) -> None:
    """Escaped as JSON at its worst, six bytes for one."""
    assert configuration(collector)["sources"]["pods"]["max_merged_line_bytes"] * 6 + 100 < MAX_RECORD_BYTES


def test_the_demo_writes_as_this_sink_does() -> None:
    """Key, framing and the fields that are read are the same; the demo adds the metadata of older collectors."""
    sink: Any = yaml.safe_load((VECTOR / "s3.yaml").read_text("utf-8"))["sinks"]["s3"]
    of = pods.pod("harbor", number=0, rng=Random(0))
    line = pods.Line(1_795_501_272_123_456_789, "I1124 06:21:12.123456       1 a.go:1] x")
    made = vector.log_object(of, [line], framing=vector.Framing(sink["framing"]["method"]), unique=UUID(int=1))
    record = yaml.safe_load(gzip.decompress(made.body).decode())
    rendered = re.sub(r"\{\{ (\w+) \}\}", lambda found: str(record[found[1]]), sink["key_prefix"])
    assert made.key == f"{rendered}1795501272-{UUID(int=1)}.log.gz"
    assert set(sink["encoding"]["only_fields"]) <= record.keys()
    # And a pod of the demo's, as the API would describe it, is given the same key by the programs.
    described = {
        "message": line.message,
        "timestamp": record["timestamp"],
        "kubernetes": {
            "namespace_labels": {"logfanout/customer-id": of.tenant, "logfanout/cluster-id": of.cluster},
            "pod_labels": dict(of.labels),
            "pod_annotations": dict(of.annotations),
            "pod_name": of.name,
        },
    }
    with programs.within(programs.environments()["shared"]):
        event = programs.through(programs.PODS, described)
    assert event is not None
    assert re.sub(r"\{\{ (\w+) \}\}", lambda found: str(event[found[1]]), sink["key_prefix"]) == rendered

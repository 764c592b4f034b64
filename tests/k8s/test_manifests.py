"""Every folder of k8s/ builds, and what it builds is what Kubernetes takes and what we promise."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from tests.k8s.manifests import BUILT, COLLECTORS, K8S, Built, Document, built, configuration
from tests.k8s.programs import HERE, ROOT, environments

from logfanout.settings import read

# The oldest that is in use with what we pin (OpenShift 4.18), and the newest that the validator knows.
VERSIONS = ("1.31", kubernetes_validate.latest_version())
# Kinds that others define: held to schemas of the fields we use.
FOREIGN = {
    kind: schema
    for path in sorted((HERE / "schemas").glob("*.yaml"))
    for kind, schema in yaml.safe_load(path.read_text("utf-8")).items()
}
CLUSTERS_OWN = {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "SecurityContextConstraints"}
COLLECTOR_IMAGE = "docker.io/timberio/vector:0.58.0-distroless-libc"


@pytest.fixture(params=BUILT)
def folder(request: pytest.FixtureRequest, kubectl: str) -> Built:
    """Each folder that can be applied."""
    return built(kubectl, request.param)


@pytest.fixture(params=COLLECTORS)
def collector(request: pytest.FixtureRequest, kubectl: str) -> Built:
    """Each way to deploy the collectors."""
    return built(kubectl, request.param)


@pytest.fixture
def worker(kubectl: str) -> Built:
    """The worker in a cluster."""
    return built(kubectl, "worker")


def workloads(of: Built) -> list[Document]:
    """Return whatever starts pods."""
    return [*of.of("DaemonSet"), *of.of("Deployment")]


def containers(of: Built) -> list[Document]:
    """Return every container of every pod."""
    return [each for work in workloads(of) for each in work["spec"]["template"]["spec"]["containers"]]


def selected(selector: Document, labels: Document) -> bool:
    """Whether *selector* chooses what has *labels*."""
    assert selector.keys() == {"matchLabels"}
    return bool(selector["matchLabels"].items() <= labels.items())


def pods_labels(of: Built) -> list[Document]:
    """Return the labels of each workload's pods."""
    return [work["spec"]["template"]["metadata"]["labels"] for work in workloads(of)]


def test_every_folder_is_built_by_some_test() -> None:
    """A folder nobody builds is one that nobody notices breaking."""
    roots = {str(path.parent.relative_to(K8S)) for path in K8S.rglob("kustomization.yaml")}
    parts = {each for each in roots if each.startswith("components/") or re.fullmatch(r"demo/\w+", each)}
    assert roots - parts == set(BUILT)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_built_is_of_kubernetess_schema(folder: Built, version: str) -> None:
    """Strictly: a field nobody knows is an error; and no kind passes for want of a schema."""
    for document in folder.documents:
        if document["kind"] in FOREIGN:
            jsonschema.validate(document, FOREIGN[document["kind"]])
        else:
            kubernetes_validate.validate(document, version, strict=True)


def test_a_schema_refuses_what_it_does_not_know(kubectl: str) -> None:
    """The check can fail: a field more, in a kind of Kubernetes's own and in one of others."""
    of = built(kubectl, "worker")
    for kind in ("Deployment", "ScaledObject"):
        document = json.loads(json.dumps(of.one(kind, "worker")))
        document["spec"]["replica"] = 3
        with pytest.raises(Exception, match="replica"):
            if kind in FOREIGN:
                jsonschema.validate(document, FOREIGN[kind])
            else:
                kubernetes_validate.validate(document, VERSIONS[0], strict=True)


def test_every_schema_is_of_a_kind_we_use(kubectl: str) -> None:
    """A schema without a document would be a check of nothing."""
    assert FOREIGN.keys() == FOREIGN.keys() & {d["kind"] for each in BUILT for d in built(kubectl, each).documents}


def test_each_kind_is_where_it_belongs(folder: Built) -> None:
    """What is the cluster's has no namespace, and all else has one that is made here."""
    made = {each["metadata"]["name"] for each in folder.of("Namespace")}
    for document in folder.documents:
        namespace = document["metadata"].get("namespace")
        assert namespace in (made if document["kind"] not in CLUSTERS_OWN else {None}), document["metadata"]


def test_no_pod_may_do_more_than_it_must(folder: Built) -> None:
    """No privilege, no capability, a system call filter, memory bounded, and a root that cannot be written."""
    for work in workloads(folder):
        pod = work["spec"]["template"]["spec"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context
            # LocalStack writes all over its own image, and is for kind only.
            assert context.get("readOnlyRootFilesystem") is True or work["metadata"]["name"] == "localstack"
            assert "memory" in container["resources"]["limits"]
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


def test_only_the_collector_is_root_and_asks_the_api(folder: Built) -> None:
    """All others are nobody, and have no token."""
    for work in workloads(folder):
        pod = work["spec"]["template"]["spec"]
        is_collector = work["kind"] == "DaemonSet"
        assert pod["automountServiceAccountToken"] is is_collector
        if work["metadata"]["name"] not in ("collector", "localstack"):
            assert pod["securityContext"]["runAsNonRoot"] is True


def test_images_are_pinned(folder: Built) -> None:
    """A tag that moves is another program tomorrow; the demo's is built on the spot."""
    for container in containers(folder):
        name, _, tag = container["image"].rpartition(":")
        assert name and (tag[0].isdigit() or (folder.folder, container["image"]) == ("demo", "logfanout:latest"))


def test_every_collector_is_of_the_same_version(collector: Built) -> None:
    """The one whose options, metrics and language the tests are of."""
    (container,) = collector.pod("DaemonSet", "collector")["containers"]
    assert container["image"] == COLLECTOR_IMAGE


def test_what_the_collector_may_ask_of_the_api_is_what_its_source_watches(collector: Built) -> None:
    """To list and to watch pods, namespaces and nodes."""
    (role,) = collector.of("ClusterRole")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces", "nodes", "pods"], "verbs": ["list", "watch"]}
    ]
    (binding,) = collector.of("ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    account = collector.one("ServiceAccount", "collector")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "collector", "namespace": account["metadata"]["namespace"]}
    ]
    assert collector.pod("DaemonSet", "collector")["serviceAccountName"] == account["metadata"]["name"]


def test_the_collector_reads_the_nodes_logs_and_writes_its_own_state_only(collector: Built) -> None:
    """Two host paths, one of them for reading."""
    pod = collector.pod("DaemonSet", "collector")
    paths = {each["name"]: each["hostPath"]["path"] for each in pod["volumes"] if "hostPath" in each}
    assert paths == {"pod-logs": "/var/log/pods", "state": "/var/lib/logfanout-collector"}
    mounts = {each["name"]: each for each in pod["containers"][0]["volumeMounts"]}
    assert mounts["pod-logs"] == {"name": "pod-logs", "mountPath": "/var/log/pods", "readOnly": True}
    assert mounts["config"]["readOnly"] is True
    # Positions and the buffer must outlive the pod.
    assert mounts["state"]["mountPath"] == configuration_data_dir(collector)


def configuration_data_dir(of: Built) -> str:
    text = of.one("ConfigMap", "vector")["data"]["vector.yaml"]
    found = re.search(r"^data_dir: (\S+)$", text, re.MULTILINE)
    assert found
    return found[1]


def test_the_collector_is_on_every_node_and_stays(collector: Built) -> None:
    """Whatever taints there are, whatever else wants to run."""
    pod = collector.pod("DaemonSet", "collector")
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["priorityClassName"] == collector.of("PriorityClass")[0]["metadata"]["name"]
    assert not collector.of("PodDisruptionBudget")  # it would mean nothing: a drain leaves DaemonSets alone


def test_probes_and_scrapes_ask_where_vector_answers(collector: Built) -> None:
    """The exporter's port, by one name everywhere."""
    (container,) = collector.pod("DaemonSet", "collector")["containers"]
    (port,) = container["ports"]
    config = yaml.safe_load(collector.one("ConfigMap", "vector")["data"]["vector.yaml"])
    assert config["sinks"]["metrics"]["address"] == f"0.0.0.0:{port['containerPort']}"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/metrics", "port": port["name"]}
    policy = collector.one("NetworkPolicy", "collector")["spec"]
    assert policy["ingress"] == [{"ports": [{"port": port["name"], "protocol": "TCP"}]}]
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_monitors_and_policies_and_budgets_choose_pods_that_are_there(folder: Built) -> None:
    """A selector that chooses nothing protects nothing and watches nothing."""
    chooser = [*folder.of("PodMonitor"), *folder.of("PodDisruptionBudget")]
    selectors = [each["spec"]["selector"] for each in chooser]
    selectors += [each["spec"]["podSelector"] for each in folder.of("NetworkPolicy")]
    for selector in selectors:
        assert any(selected(selector, labels) for labels in pods_labels(folder))
    ports = {port["name"] for container in containers(folder) for port in container.get("ports", [])}
    for monitor in folder.of("PodMonitor"):
        assert {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]} <= ports


def test_generated_names_are_those_the_pods_ask_for(folder: Built) -> None:
    """So that a change of the configuration starts new pods."""
    there = {each["metadata"]["name"] for each in folder.of("ConfigMap")}
    asked = set(re.findall(r'"configMap(?:Ref)?": \{[^{}]*"name": "([^"]+)"', json.dumps(workloads(folder))))
    assert asked == there
    assert all(re.search(r"-[a-z0-9]{10}$", name) for name in there)


def test_openshift_lets_the_collector_do_what_its_pod_asks_and_no_more(kubectl: str) -> None:
    """The constraints allow each of its volumes and forbid the rest; only its account may use them."""
    of = built(kubectl, "overlays/production-openshift")
    (constraints,) = of.of("SecurityContextConstraints")
    pod = of.pod("DaemonSet", "collector")
    # The token for the API and the one for AWS are projected; the rest is in the pod's spec.
    kinds = {kind for volume in pod["volumes"] for kind in volume.keys() - {"name"}} | {"projected"}
    assert kinds <= set(constraints["volumes"])
    assert constraints["allowHostDirVolumePlugin"] is True
    for right in ("HostIPC", "HostNetwork", "HostPID", "HostPorts", "PrivilegedContainer", "PrivilegeEscalation"):
        assert constraints[f"allow{right}"] is False
    assert constraints["requiredDropCapabilities"] == ["ALL"]
    assert constraints["readOnlyRootFilesystem"] is True
    assert (constraints["users"], constraints["groups"]) == ([], [])
    (role,) = of.of("Role")
    assert role["rules"] == [
        {
            "apiGroups": ["security.openshift.io"],
            "resources": ["securitycontextconstraints"],
            "resourceNames": [constraints["metadata"]["name"]],
            "verbs": ["use"],
        }
    ]
    assert of.of("RoleBinding")[0]["subjects"] == of.of("ClusterRoleBinding")[0]["subjects"]
    template = of.one("DaemonSet", "collector")["spec"]["template"]
    assert template["metadata"]["annotations"]["openshift.io/required-scc"] == constraints["metadata"]["name"]
    assert pod["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}
    assert pod["securityContext"]["runAsUser"] == 0


def test_openshift_takes_the_image_from_its_stream(kubectl: str) -> None:
    """The trigger names a tag that the stream has, of the image that is pinned."""
    of = built(kubectl, "overlays/production-openshift")
    (stream,) = of.of("ImageStream")
    (tag,) = stream["spec"]["tags"]
    assert tag["from"]["name"] == COLLECTOR_IMAGE
    (trigger,) = json.loads(of.one("DaemonSet", "collector")["metadata"]["annotations"]["image.openshift.io/triggers"])
    assert trigger["from"] == {"kind": "ImageStreamTag", "name": f"{stream['metadata']['name']}:{tag['name']}"}
    assert trigger["fieldPath"] == 'spec.template.spec.containers[?(@.name=="vector")].image'


def test_the_worker_is_what_its_image_is(worker: Built) -> None:
    """The same user, the same port, and time enough to drain."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    pod = worker.pod("Deployment", "worker")
    uid, gid = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[0]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(uid), int(gid))
    (container,) = pod["containers"]
    (port,) = container["ports"]
    assert re.findall(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE) == [str(port["containerPort"])]
    settings = read(worker.one("ConfigMap", "worker")["data"], needs=["SQS_QUEUE_URL"])
    assert settings.http_port == port["containerPort"]
    assert settings.drain_seconds + 5 < pod["terminationGracePeriodSeconds"]
    assert container["args"] == ["run"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    assert container["startupProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}


def test_workers_are_as_many_as_the_queue_asks_for(worker: Built) -> None:
    """KEDA counts messages in the queue and in hand, as many a worker as it has slots, with the worker's own role."""
    scaled = worker.one("ScaledObject", "worker")["spec"]
    deployment = worker.one("Deployment", "worker")
    assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]  # two who say how many would take turns
    (trigger,) = scaled["triggers"]
    settings = read(worker.one("ConfigMap", "worker")["data"])
    assert trigger["metadata"]["queueURL"] == settings.sqs_queue_url
    assert trigger["metadata"]["awsRegion"] == worker.one("ConfigMap", "worker")["data"]["AWS_REGION"]
    assert int(trigger["metadata"]["queueLength"]) == settings.slots * settings.process_count
    assert trigger["metadata"]["scaleOnInFlight"] == "true"
    assert trigger["authenticationRef"]["name"] == worker.of("TriggerAuthentication")[0]["metadata"]["name"]
    # A budget of one leaves others running only if there are others.
    assert scaled["minReplicaCount"] > worker.of("PodDisruptionBudget")[0]["spec"]["maxUnavailable"]
    assert scaled["maxReplicaCount"] > scaled["minReplicaCount"]
    account = worker.one("ServiceAccount", deployment["spec"]["template"]["spec"]["serviceAccountName"])
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::")


def test_the_behaviour_of_the_scaling_is_kubernetess(worker: Built) -> None:
    """KEDA hands it on as it is."""
    scaled = worker.one("ScaledObject", "worker")["spec"]
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "worker"},
        "spec": {
            "maxReplicas": 1,
            "scaleTargetRef": {"kind": "Deployment", "name": "worker"},
            "behavior": scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
        },
    }
    kubernetes_validate.validate(autoscaler, VERSIONS[0], strict=True)


def test_the_demos_tenants_are_collected(kubectl: str) -> None:
    """Their namespaces have the label that chooses them and the one that names them; their pods are not left out."""
    demo = built(kubectl, "demo")
    source = configuration(built(kubectl, "overlays/local"))["sources"]["pods"]
    label, _, value = source["extra_namespace_label_selector"].partition("=")
    for namespace in demo.of("Namespace"):
        labels = namespace["metadata"]["labels"]
        assert labels[label] == value
        assert namespace["metadata"]["name"] == f"hosted-{labels['logfanout/customer-id']}"
    name, _, ours = source["extra_label_selector"].partition("!=")
    assert all(labels[name] != ours for labels in pods_labels(demo))
    assert len(demo.of("Namespace")) == 3


@pytest.mark.parametrize("application", ["kube-apiserver", "etcd", "payments"])
def test_the_demos_talker_talks(application: str) -> None:
    """The script of the ConfigMap, run as the pod would, says lines of its application."""
    script = K8S / "demo" / "talker" / "talk.py"
    given = {**os.environ, "APPLICATION": application, "LINES_A_SECOND": "200"}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=given) as talker:
        assert talker.stdout is not None
        said = [talker.stdout.readline() for _ in range(5)]
        talker.kill()
    assert all(line.endswith("\n") and line.strip() for line in said)


STUB = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$2" in
  create-queue) echo "http://localstack/000000000000/$4" ;;
  get-queue-attributes) echo "arn:aws:sqs:us-east-1:000000000000:${4##*/}" ;;
esac
"""


def test_the_local_regions_script_makes_bucket_queue_and_notification(tmp_path: Path) -> None:
    """Played with a stand-in for awslocal: what it hands over is JSON, and the bucket tells the queue."""
    stub = tmp_path / "awslocal"
    stub.write_text(STUB, encoding="utf-8")
    stub.chmod(0o755)
    calls = tmp_path / "calls"
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)}
    subprocess.run(["/bin/sh", str(K8S / "overlays/local/region.sh")], check=True, env=given)
    said = calls.read_text("utf-8")
    attributes = argument(said, "--attributes")
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == "20"
    told = argument(said, "--notification-configuration")["QueueConfigurations"][0]
    assert told["QueueArn"].endswith(":log-notices")
    assert "s3api create-bucket --bucket logs" in said


def argument(calls: str, name: str) -> dict[str, Any]:
    """Return what a call handed over under *name*, which must be a JSON object."""
    (found,) = re.findall(rf"{name} (\{{.*\}})$", calls, re.MULTILINE)
    loaded: dict[str, Any] = json.loads(found)
    return loaded


@pytest.mark.parametrize("script", ["k8s/overlays/local/region.sh", "tests/k8s/vector-test.sh"])
def test_scripts_are_sound(script: str) -> None:
    """As shellcheck sees it."""
    checker = Path(sys.executable).parent / "shellcheck"
    subprocess.run([str(checker), str(ROOT / script)], check=True)


VECTOR_STUB = """#!/bin/sh
for file in "$@"; do [ "$file" = test ] || [ -f "$file" ] || exit 3; done
[ "$VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION" = true ] || exit 4
echo "cluster=${CLUSTER_ID:-} customer=${CUSTOMER_ID:-} arguments=$#"
case "$4" in *${FAILS:-/nothing/}*) exit 1 ;; esac
"""


def test_vectors_own_tests_are_run_in_every_environment(tmp_path: Path) -> None:
    """Played with a stand-in for Vector: each file in its environment; a failure of one is the script's own."""
    stub = tmp_path / "vector"
    stub.write_text(VECTOR_STUB, encoding="utf-8")
    stub.chmod(0o755)
    script = str(HERE / "vector-test.sh")
    ran = subprocess.run([script], check=True, capture_output=True, text=True, env={**os.environ, "VECTOR": str(stub)})
    assert ran.stdout.split("\n")[:-1] == [
        line
        for name, variables in sorted(environments().items())
        for line in (
            f"── {name}",
            f"cluster={variables['CLUSTER_ID']} customer={variables.get('CUSTOMER_ID', '')} arguments=4",
        )
    ]
    stub.write_text(VECTOR_STUB.replace("${FAILS:-/nothing/}", "dedicated"), encoding="utf-8")
    for vector, code in ((stub, 1), (tmp_path / "none", 2)):
        given = {**os.environ, "VECTOR": str(vector)}
        assert subprocess.run([script], check=False, capture_output=True, env=given).returncode == code

"""Alerts are what Prometheus takes, wake for what they should, and lead to a page that says what to do."""

import re
import shutil
import subprocess
from pathlib import Path

import prometheus_client
import pytest
import yaml
from tests.k8s.manifests import Document, built
from tests.k8s.programs import HERE, ROOT

from logfanout import telemetry

# Which folder has the rule, by its name; its tests are alerts/<name>.yaml.
RULES = {"collector": "overlays/production", "heartbeats": "worker"}


def groups(kubectl: str, name: str) -> Document:
    """Return a rule's groups, as a file of Prometheus's has them."""
    spec: Document = built(kubectl, RULES[name]).one("PrometheusRule", name)["spec"]
    return spec


@pytest.mark.parametrize("name", RULES)
def test_alerts_wake_for_what_they_should_and_for_nothing_else(
    kubectl: str, promtool: str, tmp_path: Path, name: str
) -> None:
    """The rules as they are deployed, against what Prometheus would have seen."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups(kubectl, name)), encoding="utf-8")
    shutil.copy(HERE / "alerts" / f"{name}.yaml", tmp_path / "tests.yaml")
    subprocess.run([promtool, "check", "rules", str(tmp_path / "rules.yaml")], check=True)
    subprocess.run([promtool, "test", "rules", str(tmp_path / "tests.yaml")], check=True)


@pytest.mark.parametrize("name", RULES)
def test_every_alert_is_seen_firing_and_seen_quiet(kubectl: str, name: str) -> None:
    """An alert that was never made to fire may never fire."""
    alerts = {rule["alert"] for group in groups(kubectl, name)["groups"] for rule in group["rules"] if "alert" in rule}
    tried = yaml.safe_load((HERE / "alerts" / f"{name}.yaml").read_text("utf-8"))["tests"]
    checks = [check for test in tried for check in test["alert_rule_test"]]
    assert {check["alertname"] for check in checks if check.get("exp_alerts")} == alerts
    assert {check["alertname"] for check in checks if not check.get("exp_alerts")} == alerts


@pytest.mark.parametrize("name", RULES)
def test_every_alert_leads_to_what_to_do(kubectl: str, name: str) -> None:
    """Its runbook is a heading that is there."""
    for group in groups(kubectl, name)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                page, _, anchor = rule["annotations"]["runbook"].partition("#")
                headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
                assert rule["labels"]["severity"] in ("critical", "warning")
                assert rule["annotations"].keys() == {"summary", "description", "runbook"}


def test_the_workers_metrics_are_those_the_alerts_ask_for(kubectl: str) -> None:
    """The names in the rules are names of telemetry's."""
    telemetry.HeartbeatReceived(cluster="c", node="n", at_ms=1, object="s3://b/k").emit()
    known = {sample.name for metric in prometheus_client.REGISTRY.collect() for sample in metric.samples}
    expressions = " ".join(rule["expr"] for group in groups(kubectl, "heartbeats")["groups"] for rule in group["rules"])
    # What has a colon is recorded by the rules themselves.
    assert set(re.findall(r"(?<![\w:])logfanout_\w+(?!:)\b", expressions)) <= known

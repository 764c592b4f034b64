"""compose.yaml and what it needs: pinned, confined, and every name in it one that exists."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import REGISTRY

from logfanout import settings, telemetry
from logfanout.demo import fleet
from logfanout.demo.emulator import Emulator, free_port

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/compose/grafana/dashboards/logfanout.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
ACCOUNT = "000000000000"  # LocalStack's own


def program(name: str) -> str:
    """Return where *name* is: `make check-image` brings it, and a check without it must not pass."""
    found = shutil.which(name)
    assert found, f"{name} is not there: make check-image installs it"
    return found


def metrics() -> Mapping[str, frozenset[str]]:
    """Return every metric the worker has, by its name in PromQL, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for name, collector in REGISTRY._names_to_collectors.items():
        if name.startswith("logfanout_"):
            labels = frozenset(collector._labelnames)  # type: ignore[attr-defined]
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


def test_the_services_are_a_region_and_two_to_watch_it() -> None:
    """AWS, the worker, Prometheus, Grafana."""
    assert list(SERVICES) == ["localstack", "logfanout", "prometheus", "grafana"]


@pytest.mark.parametrize("name", ["localstack", "prometheus", "grafana"])
def test_images_of_others_are_pinned(name: str) -> None:
    """A tag that moves would break what worked yesterday."""
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", list(SERVICES))
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    """Nothing in it asks for a password."""
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name]["ports"])


@pytest.mark.parametrize("name", list(SERVICES))
def test_what_is_mounted_exists_and_cannot_be_written(name: str) -> None:
    """Docker makes a folder where a file is missing, and the service then fails in a way of its own."""
    for volume in SERVICES[name].get("volumes", []):
        source, _, mode = volume.split(":")
        assert (ROOT / source).exists(), source
        assert mode == "ro"


def test_the_worker_is_confined_as_in_production() -> None:
    """Nothing to write to, no capability, no way up, and time to drain."""
    worker = SERVICES["logfanout"]
    assert worker["read_only"] is True
    assert worker["cap_drop"] == ["ALL"]
    assert worker["security_opt"] == ["no-new-privileges:true"]
    grace = float(worker["stop_grace_period"].removesuffix("s"))
    assert grace > settings.read(worker["environment"]).drain_seconds


def test_the_workers_variables_are_ours() -> None:
    """Each is one the worker knows, and what is needed is there."""
    read = settings.read(SERVICES["logfanout"]["environment"], needs=("SQS_QUEUE_URL",))
    assert read.http_port == int(SERVICES["logfanout"]["ports"][0].rsplit(":", 1)[1])


def test_prometheus_scrapes_the_worker() -> None:
    """Under the service's name and the port it serves."""
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text("utf-8"))
    [job] = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["logfanout:9090"]}]


def test_grafana_asks_prometheus_and_shows_the_dashboard() -> None:
    """Provisioned files name each other."""
    provisioning = ROOT / "deploy/compose/grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text("utf-8"))["datasources"]
    assert urlsplit(source["url"]).netloc == "prometheus:9090"
    uids = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert uids == {source["uid"]}
    [provider] = yaml.safe_load((provisioning / "dashboards/logfanout.yaml").read_text("utf-8"))["providers"]
    mounted = dict(volume.split(":")[1::-1] for volume in SERVICES["grafana"]["volumes"])
    shown = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(shown).parent.as_posix() == provider["options"]["path"]
    assert (ROOT / mounted[provider["options"]["path"]] / Path(shown).name).exists()


@pytest.mark.parametrize(("panel", "query"), QUERIES)
def test_a_query_asks_for_what_the_worker_has(panel: str, query: str) -> None:
    """Metric and labels exist: a name that does not would show an empty panel, which reads as `all is well`."""
    known = metrics()
    asked = set(re.findall(r"\blogfanout_\w+", query))
    assert asked, panel
    assert asked <= set(known), f"{panel}: no metric {asked - set(known)}"
    labels = frozenset[str]().union(*(known[name] for name in asked))
    by = {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
    chosen = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query))
    assert by | chosen <= labels, f"{panel}: no label {(by | chosen) - labels}"


def test_legends_name_labels_of_their_queries() -> None:
    """A legend of a label that was summed away is an empty one."""
    for panel in PANELS:
        for target in panel["targets"]:
            by = {
                label.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in group.split(",")
            }
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= by, panel["title"]


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    """What is not shown is not watched."""
    shown = {re.sub(r"_bucket$", "", name) for _, query in QUERIES for name in re.findall(r"\blogfanout_\w+", query)}
    ours = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in metrics()}
    # A counter is known under its name without _total too.
    ours = {name for name in ours if f"{name}_total" not in ours}
    assert telemetry
    assert ours == shown


def test_every_panel_says_what_it_shows() -> None:
    """In a sentence, with a unit."""
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.image
def test_prometheus_takes_its_configuration() -> None:
    """promtool reads it as Prometheus would."""
    ran = subprocess.run(
        [program("promtool"), "check", "config", ROOT / "deploy/compose/prometheus.yml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.image
def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    """Each query as a recording rule, for promtool to parse; Grafana's own interval filled in."""
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, (_, query) in enumerate(QUERIES)
    ]
    written = tmp_path / "rules.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    ran = subprocess.run([program("promtool"), "check", "rules", written], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(QUERIES)} rules found" in ran.stdout


@pytest.mark.image
@pytest.mark.emulator
@pytest.mark.process
async def test_the_region_it_makes_is_one_the_worker_delivers_in(aws: Emulator, tmp_path: Path) -> None:
    """LocalStack's script against an AWS that checks every right; the worker with compose's own variables; one log."""
    scripts = ROOT / "deploy/compose/localstack"
    to_aws = {
        "PATH": os.environ["PATH"],
        "AWS_CLI": f"{program('aws')} --endpoint-url {aws.endpoint_url}",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "TMPDIR": str(tmp_path),
    }
    code, said = await run(scripts / "region.sh", to_aws)
    assert code == 0, said
    localstack = aws.endpoint_url.removeprefix("http://")
    told = {
        name: value.replace("localstack:4566", localstack)
        for name, value in SERVICES["logfanout"]["environment"].items()
    } | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "LOGFANOUT_HTTP_HOST": "127.0.0.1",
        "LOGFANOUT_HTTP_PORT": str(free_port()),
        "NO_PROXY": "127.0.0.1",
    }
    async with fleet.fleet(told, tmp_path / "worker.log") as worker:
        code, said = await run(scripts / "put-a-log", to_aws)
        assert code == 0, said + worker.log.read_text()
        assert await worker.stop() == 0
    assert "order 3 refused: card expired" in said
    assert "storefront-storefront-7d9f-" in said


async def run(program: Path, environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Run a script of compose's; return its exit code and all it said."""
    process = await asyncio.create_subprocess_exec(
        program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()

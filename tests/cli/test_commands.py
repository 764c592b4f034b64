"""The command line, as whole processes: what is printed where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import logfanout
from logfanout.settings import Settings

pytestmark = pytest.mark.process

OURS = ("SQS_QUEUE_URL", "TENANT_CONFIG_TABLE", "EXECUTION_MODE", "SOURCE_BUCKET", "SCAN_INTERVAL", "LOG_LEVEL")
HEAVY = ("aiobotocore", "aiohttp", "botocore", "logfanout.telemetry", "ministack", "pydantic", "rich", "structlog")


def said(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``logfanout`` with *arguments* and, of our variables, *environ* only."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOGFANOUT_", "AWS_")) and name not in OURS
    }
    done = subprocess.run(
        [sys.executable, "-m", "logfanout", *arguments],
        input=stdin,
        capture_output=True,
        env=inherited | environ,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("arguments", [("version",), ("--version",)])
def test_the_version(arguments: tuple[str, ...]) -> None:
    """The command and the option say the same."""
    answer = said(*arguments)
    assert (answer.returncode, answer.stdout) == (0, f"{logfanout.__version__}\n")


def test_help_names_every_command() -> None:
    """All that this version does, and nothing that it does not."""
    answer = said("--help", COLUMNS="200")
    assert answer.returncode == 0
    for command in ("run", "manual", "scan", "replay", "tenants", "dlq", "doctor", "settings", "version", "demo"):
        assert f" {command} " in answer.stdout


def test_an_unknown_command_is_wrong_usage() -> None:
    """Exit code 2, as with every wrong usage."""
    assert said("deliver").returncode == 2


@pytest.mark.parametrize("arguments", [("run",), ()])
def test_all_that_is_wrong_is_said_at_once(arguments: tuple[str, ...]) -> None:
    """Missing, wrong and unknown variables, one line each on stderr, with exit code 2; nothing on stdout."""
    answer = said(*arguments, LOGFANOUT_SLOTS="0", LOG_LEVEL="LOUD", LOGFANOUT_PROCESES="2")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert [line.split(":")[:2] for line in answer.stderr.splitlines()] == [
        ["logfanout", " SQS_QUEUE_URL"],
        ["logfanout", " LOG_LEVEL"],
        ["logfanout", " LOGFANOUT_SLOTS"],
        ["logfanout", " LOGFANOUT_PROCESES"],
    ]
    assert "did you mean LOGFANOUT_PROCESSES?" in answer.stderr


@pytest.mark.parametrize("arguments", [("scan",), ()])
def test_a_scan_needs_a_bucket(arguments: tuple[str, ...]) -> None:
    """And no queue; all that is wrong is said at once."""
    answer = said(*arguments, EXECUTION_MODE="scan", LOGFANOUT_SCAN_SINCE="yesterday", SCAN_INTERVAL="0")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert [line.split(":")[1].strip() for line in answer.stderr.splitlines()] == [
        "SOURCE_BUCKET",
        "SCAN_INTERVAL",
        "LOGFANOUT_SCAN_SINCE",
    ]


def test_replay_says_how_it_is_used() -> None:
    """Its options, and a place."""
    answer = said("replay", "--help", COLUMNS="200")
    for option in ("--since", "--until", "--tenant", "--after", "--skip-delivered", "--dry-run", "--json"):
        assert option in answer.stdout
    assert said("replay").returncode == 2


def test_lambda_is_for_lambda() -> None:
    """Elsewhere it would ask nobody for events for ever."""
    answer = said(EXECUTION_MODE="lambda")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "AWS_LAMBDA_RUNTIME_API; it is not set" in answer.stderr


def test_a_mode_that_does_not_exist_is_a_wrong_setting() -> None:
    """It is refused like any other wrong value."""
    answer = said(EXECUTION_MODE="daemon")
    assert answer.returncode == 2
    assert answer.stderr.startswith("logfanout: EXECUTION_MODE: ")


@pytest.mark.parametrize("arguments", [("manual",), ()])
@pytest.mark.parametrize("stdin", [b"", b" \n", b"\xff\xfe"])
def test_manual_needs_a_notification(arguments: tuple[str, ...], stdin: bytes) -> None:
    """An empty or unreadable stdin is wrong usage; SQS_QUEUE_URL is not asked for."""
    answer = said(*arguments, stdin=stdin, EXECUTION_MODE="manual")
    assert answer.returncode == 2
    assert "stdin" in answer.stderr
    assert "SQS_QUEUE_URL" not in answer.stderr


def test_settings_lists_every_variable() -> None:
    """For people: a line each, with value and source."""
    answer = said("settings", LOGFANOUT_SLOTS="8")
    listed = {line.split()[0]: line.split()[1:] for line in answer.stdout.splitlines()}
    assert answer.returncode == 0
    assert listed["LOGFANOUT_SLOTS"] == ["8", "environment"]
    assert listed["LOGFANOUT_DLQ_URL"] == ["-", "default"]
    assert len(listed) == len(Settings.model_fields)


def test_settings_lists_every_variable_for_programs(tmp_path: Path) -> None:
    """JSON on stdout and nothing else there, whatever type a value has."""
    tenants = tmp_path / "tenants.toml"
    tenants.touch()
    answer = said("settings", "--json", LOGFANOUT_TENANTS_FILE=str(tenants))
    listed = {each["variable"]: each for each in json.loads(answer.stdout)}
    assert answer.returncode == 0
    assert listed["LOGFANOUT_TENANTS_FILE"]["value"] == str(tenants)
    assert listed["LOGFANOUT_HTTP_PORT"] == {
        "variable": "LOGFANOUT_HTTP_PORT",
        "value": 9090,
        "source": "default",
        "problem": "",
    }


def test_settings_lists_wrong_ones_too() -> None:
    """The list is what one looks at to find out what is wrong; the exit code is 2 all the same."""
    answer = said("settings", "--json", LOGFANOUT_SLOTS="0", LOGFANOUT_PROCESES="not-to-be-shown")
    listed = {each["variable"]: each for each in json.loads(answer.stdout)}
    assert answer.returncode == 2
    assert listed["LOGFANOUT_SLOTS"]["problem"]
    assert listed["LOGFANOUT_PROCESES"]["problem"]
    assert "LOGFANOUT_SLOTS" in answer.stderr
    assert "not-to-be-shown" not in answer.stdout + answer.stderr


def test_demo_reads_its_own_command_line() -> None:
    """Its options are not the others' business, and still checked."""
    assert "--tenants" in said("demo", "--help", COLUMNS="200").stdout
    assert said("demo", "--tenants", "0").returncode == 2


def test_nothing_heavy_is_loaded_before_a_command_asks() -> None:
    """``logfanout version`` answers at once."""
    code = f"import logfanout.cli, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout
    assert loaded.decode().strip() == "[]"


QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/q"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("acme", "--object", "acme/c1/web/pod/a.gz"), "--object: must be s3://bucket/key"),
        (("acme", "--object", "s3://central-logs/a.gz"), "is not of the layout"),
        (("acme", "--object", "s3://central-logs/other/c1/web/pod/a.gz"), "--object: is of 'other'"),
        (("acme", "other", "--object", "s3://central-logs/acme/c1/web/pod/a.gz"), "this tenant alone"),
    ],
    ids=("no address", "no layout", "another's", "two tenants"),
)
def test_a_check_takes_an_object_of_its_tenant_only(arguments: tuple[str, ...], wrong: str) -> None:
    """Whatever is wrong with it is said before anything is sent."""
    answer = said("tenants", "check", *arguments, SQS_QUEUE_URL=QUEUE)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert wrong in answer.stderr


def test_a_check_needs_a_tenant() -> None:
    """Exit code 2, as with every wrong usage; without settings, too."""
    assert said("tenants", "check", SQS_QUEUE_URL=QUEUE).returncode == 2
    assert said("tenants", "check", "acme").returncode == 2

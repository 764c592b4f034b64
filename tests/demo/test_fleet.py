"""The worker is told everything it needs, and nothing of the caller's."""

import sys
from pathlib import Path

import pytest

from logfanout.demo.emulator import Session
from logfanout.demo.errors import DemoFailed
from logfanout.demo.fleet import environment, fleet
from logfanout.demo.region import Region
from logfanout.demo.roster import roster

REGION = Region(
    tenants=roster(1),
    bucket="b",
    queue_url="http://127.0.0.1:1/999999999999/q",
    dead_letters_url="",
    tally_url="",
    table="tenants",
    task_role_arn="",
    central_role_arn="arn:aws:iam::999999999999:role/central",
    shipper_role_arn="",
)
TASK = Session(access_key="ASIA", secret_key="secret", token="token")


def told(caller: dict[str, str], processes: str | None = None) -> dict[str, str]:
    return environment(REGION, endpoint_url="http://127.0.0.1:1", session=TASK, processes=processes, caller=caller)


def test_the_callers_own_settings_stay_out() -> None:
    """A profile, an endpoint or a queue of the caller's would send the demo's logs elsewhere."""
    caller = {
        "PATH": "/bin",
        "AWS_PROFILE": "mine",
        "AWS_ENDPOINT_URL_SQS": "https://example.com",
        "SQS_QUEUE_URL": "https://example.com/mine",
        "EXECUTION_MODE": "lambda",
        "LOGFANOUT_LEDGER_TABLE": "mine",
        "LOGFANOUT_HTTP_PORT": "9090",
    }
    given = told(caller)
    assert given["PATH"] == "/bin"
    assert given["SQS_QUEUE_URL"] == REGION.queue_url
    assert given["LOGFANOUT_HTTP_PORT"] != "9090"
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "EXECUTION_MODE", "LOGFANOUT_LEDGER_TABLE"):
        assert name not in given


def test_the_worker_is_told_where_its_aws_is() -> None:
    """The names the contract gives, and the session of the task's role."""
    given = told({})
    assert {name: given[name] for name in ("TENANT_CONFIG_TABLE", "AWS_REGION", "AWS_ENDPOINT_URL")} == {
        "TENANT_CONFIG_TABLE": "tenants",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
    assert given["CENTRAL_LOG_DISTRIBUTION_ROLE_ARN"] == REGION.central_role_arn
    session = [given[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    assert session == ["ASIA", "secret", "token"]


@pytest.mark.parametrize(
    ("caller", "asked", "expected"),
    [({}, None, None), ({"LOGFANOUT_PROCESSES": "2"}, None, "2"), ({"LOGFANOUT_PROCESSES": "2"}, "auto", "auto")],
)
def test_the_number_of_processes_is_passed_on(caller: dict[str, str], asked: str | None, expected: str | None) -> None:
    """From the caller's environment, unless the command line says otherwise."""
    assert told(caller, asked).get("LOGFANOUT_PROCESSES") == expected


def test_the_log_level_is_passed_on() -> None:
    """So that one can look closer at a demo that fails."""
    assert told({"LOG_LEVEL": "DEBUG"})["LOG_LEVEL"] == "DEBUG"


@pytest.mark.process
async def test_a_worker_that_dies_shows_its_last_words(tmp_path: Path) -> None:
    """Settings that are wrong end it at once, and what it says about them is in the error."""
    wrong = told({"PYTHONPATH": ":".join(sys.path)}) | {"LOGFANOUT_NO_SUCH_SETTING": "1"}
    with pytest.raises(DemoFailed, match="LOGFANOUT_NO_SUCH_SETTING"):
        async with fleet(wrong, tmp_path / "worker.log"):
            pass

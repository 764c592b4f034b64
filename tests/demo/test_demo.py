"""One command shows all of it, and its exit code can be believed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from logfanout.cli.demo import demo

pytestmark = [pytest.mark.process, pytest.mark.emulator]

Eventually = Callable[[Callable[[], bool]], bool]

DEMO = [sys.executable, "-m", "logfanout", "demo"]
SMALL = ["--objects", "20", "--events", "50"]
LOGHUB = Path(__file__).parents[3] / "shared/data/loghub"


def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the demo as a user does, with *extra* in its environment."""
    return subprocess.run(
        [*DEMO, *arguments], env=os.environ | extra, capture_output=True, text=True, timeout=100, check=False
    )


def told(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read the JSON of a run that must have been a success."""
    assert ran.returncode == 0, ran.stderr
    verdict = json.loads(ran.stdout)
    assert verdict["problems"] == []
    for row in verdict["report"]["rows"]:
        assert (row["missing"], row["twice"], row["astray"], row["unknown"]) == (0, 0, 0, 0)
    return dict(verdict["report"])


@pytest.mark.parametrize("processes", [pytest.param("1", marks=pytest.mark.long), "2"])
def test_every_event_arrives_once_in_its_account(processes: str) -> None:
    """Five tenants, two regions, both framings; one worker process or two."""
    rows = told(run("--json", *SMALL, LOGFANOUT_PROCESSES=processes))["rows"]
    assert [row["objects"] for row in rows] == [4] * 5
    assert [row["written"] for row in rows] == [200] * 5
    assert {row["place"]["region"] for row in rows} == {"us-east-1", "eu-west-1"}
    for row in rows:
        assert row["delivered"] == 200 - row["withheld"]
        assert 0 <= row["lag_p50_ms"] <= row["lag_p99_ms"]


def test_the_table_is_for_people() -> None:
    """In a pipe: plain lines, one for each tenant, and a verdict; the option for processes wins."""
    ran = run("--tenants", "2", "--objects", "4", "--events", "10", "--processes", "2", LOGFANOUT_PROCESSES="1")
    assert ran.returncode == 0, ran.stdout
    assert "LOGFANOUT_PROCESSES=2" in ran.stdout
    assert "\x1b" not in ran.stdout
    for needed in ("harbor", "meadow", "100000000001", "All 40 events arrived, once, in the right account."):
        assert needed in ran.stdout


@pytest.mark.long
def test_ones_own_log_files_are_the_messages(tmp_path: Path) -> None:
    """Shells expand a pattern to several files behind one --logs."""
    (tmp_path / "a.log").write_text("first caf\u00e9\nsecond\n")
    (tmp_path / "b.log").write_text('{"third": true}\n')
    files = [str(tmp_path / "a.log"), str(tmp_path / "b.log")]
    rows = told(run("--json", "--tenants", "1", "--objects", "2", "--events", "30", "--logs", *files))["rows"]
    assert rows[0]["delivered"] == 60


@pytest.mark.long
@pytest.mark.skipif(not LOGHUB.is_dir(), reason="no sample logs at hand")
def test_logs_of_real_machines_arrive() -> None:
    """Whatever bytes they hold."""
    files = sorted(map(str, LOGHUB.glob("*.log")))
    rows = told(run("--json", "--tenants", "3", "--objects", "12", "--events", "500", "--logs", *files))["rows"]
    assert sum(row["delivered"] for row in rows) == 6000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--logs", "no-such-file.log"], "does not exist"),
        (["some.log"], "does not exist"),
        (["--logs", os.devnull], "No usable line"),
        (["--tenants", "0"], "greater than or equal to 1"),
        (["--objects", "x"], "valid integer"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], said: str) -> None:
    """Exit code 2, and a sentence that says why, before anything is started."""
    ran = run(*arguments)
    assert ran.returncode == 2
    assert said in " ".join((ran.stdout + ran.stderr).split())


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 and one sentence, where the production image has no emulator."""
    monkeypatch.setitem(sys.modules, "ministack", None)
    app = typer.Typer()
    app.command()(demo)
    ran = CliRunner().invoke(app, [])
    assert ran.exit_code == 2
    assert "pip install 'logfanout[demo]'" in ran.output


def test_files_need_their_option() -> None:
    """A lone file name is more likely a mistake than a wish."""
    ran = run(__file__)
    assert ran.returncode == 2
    assert "--logs" in ran.stderr


def test_settings_the_worker_refuses_end_the_demo(tmp_path: Path) -> None:
    """What the worker said is shown, and kept."""
    ran = run(*SMALL, "--processes", "many", TMPDIR=str(tmp_path))
    assert ran.returncode == 1
    assert "LOGFANOUT_PROCESSES" in ran.stdout.partition("ended by itself")[2]
    assert "LOGFANOUT_PROCESSES" in next(tmp_path.glob("logfanout-demo-worker-*.log")).read_text()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_left_up_to_look_around(number: signal.Signals) -> None:
    """--keep says where everything is, and leaves with the verdict's exit code when told to."""
    small = ["--keep", "--tenants", "1", "--objects", "2", "--events", "5"]
    with subprocess.Popen([*DEMO, *small], stdout=subprocess.PIPE, text=True) as kept:
        assert kept.stdout is not None
        shown = []
        for line in kept.stdout:
            shown.append(line)
            if "logs tail /platform/harbor" in line:
                break
        kept.send_signal(number)
        assert kept.wait(timeout=30) == 0
    assert any("export AWS_ENDPOINT_URL=http://127.0.0.1:" in line for line in shown)


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 1)])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals, code: int, eventually: Eventually) -> None:
    """Neither its AWS nor its fleet outlives it."""
    with subprocess.Popen(
        [*DEMO, "--objects", "2000", "--processes", "2"], stdout=subprocess.PIPE, text=True
    ) as interrupted:
        assert interrupted.stdout is not None
        for line in interrupted.stdout:
            if "settled" in line:
                break
        family = descendants(interrupted.pid)
        interrupted.send_signal(number)
        assert interrupted.wait(timeout=30) == code
    assert len(family) >= 4  # the AWS, the supervisor, two workers
    assert eventually(lambda: not any(map(is_running, family)))


def descendants(pid: int) -> list[int]:
    """Every process below *pid*."""
    parents = {int(stat.parent.name): stat_fields(stat)[1] for stat in Path("/proc").glob("[0-9]*/stat")}
    children = [child for child, parent in parents.items() if parent == str(pid)]
    return children + [below for child in children for below in descendants(child)]


def is_running(pid: int) -> bool:
    """Whether *pid* does anything yet; a zombie does not."""
    return stat_fields(Path(f"/proc/{pid}/stat"))[0] != "Z"


def stat_fields(stat: Path) -> list[str]:
    """State, parent and the rest; of a process that is gone, those of a zombie without parent."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", "0"]

"""What `make plan`, `make deploy` and `make destroy` ask of Terraform, and what they refuse to."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Terraform as far as these targets see it: it notes what it is asked, and a plan leaves a file.
TERRAFORM = """#!/bin/sh
echo "$*" >> "$CALLS"
for word in "$@"; do
  case $word in
    -chdir=*) folder=${word#-chdir=} ;;
    -out=*) touch "$folder/${word#-out=}" ;;
  esac
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a target ended, and what Terraform was asked: a command and its options each."""

    code: int
    said: str
    asked: list[str]


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs a target in a tree of its own, with a file of variables in it."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "Makefile", tmp_path / "deploy")
    for example in ("core", "full"):
        folder = tmp_path / "deploy" / "terraform" / "examples" / example
        folder.mkdir(parents=True)
        (folder / "main.tf").touch()
    (tmp_path / "my.tfvars").touch()
    make, terraform, calls = shutil.which("make"), tmp_path / "terraform", tmp_path / "calls"
    assert make
    terraform.write_text(TERRAFORM)
    terraform.chmod(0o755)

    def ran(target: str, **variables: str) -> Ran:
        calls.write_text("")
        done = subprocess.run(
            [make, "--file", "deploy/Makefile", target, *(f"{name}={value}" for name, value in variables.items())],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "CALLS": str(calls), "TERRAFORM": str(terraform)},
            check=False,
            capture_output=True,
            text=True,
        )
        asked = [line.partition(" ")[2] for line in calls.read_text().splitlines()]
        return Ran(code=done.returncode, said=done.stdout + done.stderr, asked=asked)

    return ran


def test_what_is_made_is_what_was_planned(run: Run) -> None:
    """A plan changes nothing and is kept; deploy applies that very plan, once."""
    planned = run("plan", EXAMPLE="core", VARS="my.tfvars")
    assert planned.code == 0, planned.said
    assert [call.split()[0] for call in planned.asked] == ["init", "validate", "plan"]
    assert "Nothing has been changed" in planned.said
    deployed = run("deploy", EXAMPLE="core")
    assert (deployed.code, deployed.asked) == (0, ["apply -input=false region.tfplan"])
    again = run("deploy", EXAMPLE="core")
    assert (again.code, again.asked) == (2, [])
    assert "Nothing is planned" in again.said


def test_another_examples_plan_is_not_taken(run: Run) -> None:
    """Planned is one, deployed another: that is a slip, and nothing happens."""
    run("plan", EXAMPLE="core", VARS="my.tfvars")
    assert run("deploy", EXAMPLE="full").asked == []


def test_nothing_is_unmade_unless_it_is_named(run: Run) -> None:
    """Without CONFIRM, or with another example's name, one sees what would go and no more."""
    for confirm in ({}, {"CONFIRM": "yes"}, {"CONFIRM": "core"}):
        looked = run("destroy", EXAMPLE="full", VARS="my.tfvars", **confirm)
        assert looked.code == 2
        assert [call.split()[:2] for call in looked.asked] == [["plan", "-destroy"]]
        assert "add CONFIRM=full" in looked.said
    unmade = run("destroy", EXAMPLE="full", VARS="my.tfvars", CONFIRM="full")
    assert (unmade.code, unmade.asked[-1]) == (0, "apply -input=false end.tfplan")


@pytest.mark.parametrize(
    ("target", "variables", "said"),
    [
        ("plan", {"EXAMPLE": "core"}, "VARS names a file of variables"),
        ("plan", {"EXAMPLE": "core", "VARS": "none.tfvars"}, "VARS names a file of variables"),
        ("plan", {"EXAMPLE": "none", "VARS": "my.tfvars"}, 'EXAMPLE is one of: core full; not "none"'),
        ("destroy", {"EXAMPLE": "core", "CONFIRM": "core"}, "VARS names a file of variables"),
        ("plan", {"EXAMPLE": "core", "VARS": "my.tfvars", "TERRAFORM": ""}, "Terraform 1.9 or later, or OpenTofu"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(
    run: Run, target: str, variables: dict[str, str], said: str
) -> None:
    """With what would be right."""
    ran = run(target, **variables)
    assert (ran.code, ran.asked) == (2, [])
    assert said in ran.said

"""Terraform as the tests run it: a copy of the tree, an example in it, and what it made."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "deploy" / "checks" / "terraform"
TREE = ROOT / "deploy" / "terraform"
SHORT, LONG = 120.0, 420.0  # seconds: to look; to make or unmake a region on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example, in a copy of its own."""

    folder: Path
    environment: Mapping[str, str]

    def apply(self, variables: Mapping[str, object]) -> None:
        """Make it; the end of what Terraform says is in the error if it cannot."""
        (self.folder / "given.auto.tfvars.json").write_text(json.dumps(variables))
        self._run("init", seconds=SHORT)
        self._run("apply", "-auto-approve", "-parallelism=20", seconds=LONG)

    def destroy(self) -> None:
        """Unmake it, by what the state remembers: the emulator does not tell all it was told."""
        self._run("destroy", "-auto-approve", "-refresh=false", "-parallelism=20", seconds=LONG)

    def outputs(self) -> dict[str, Any]:
        """Return its outputs by name."""
        found = json.loads(self._run("output", "-json", seconds=SHORT))
        return {name: output["value"] for name, output in found.items()}

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return what it made: address to attributes; empty once it is unmade."""
        shown = json.loads(self._run("show", "-json", seconds=SHORT))
        return dict(resources_in(shown.get("values", {}).get("root_module", {})))

    def _run(self, command: str, *options: str, seconds: float) -> str:
        return run(command, *options, folder=self.folder, environment=self.environment, seconds=seconds)


def run(
    command: str,
    *options: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = SHORT,
) -> str:
    """Return what Terraform wrote; raises with the end of what it said if it failed."""
    done = subprocess.run(
        [str(PROGRAM), command, *([] if "-json" in options else ["-no-color"]), *options],
        cwd=folder,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"terraform {command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copy(example: str, to: Path, *, environment: Mapping[str, str], overrides: str = "") -> Example:
    """Copy the tree to *to*; *overrides* is laid over the example, as a user's own override file would be."""
    shutil.copytree(TREE, to, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars*"))
    folder = to / "examples" / example
    if overrides:
        (folder / "given_override.tf").write_text(overrides)
    return Example(folder=folder, environment=environment)


def resources_in(module: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every managed resource of a module's JSON, those of the modules it calls among them."""
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield resource["address"], resource["values"]
    for child in module.get("child_modules", ()):
        yield from resources_in(child)

"""The tree is the diagram: what a listing shows is how the data flows, and who may know whom is held here."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import logfanout
from logfanout import pipeline

PACKAGE = Path(logfanout.__file__).parent
PIPELINE = PACKAGE / "pipeline"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
SDK = frozenset({"aiobotocore", "botocore", "boto3", "aioboto3", "s3transfer"})

# Who may import the SDK, with the reason; all others ask through ``ports``.
MAY_USE_THE_SDK = {
    "aws": "the one door to AWS",
    "demo": "sets the embedded AWS up as a tenant's administrator would, which is no business of the worker's ports",
    "testing/drills": "looks at the embedded AWS from outside, as its tenants do",
}
# Who may look at the environment, with the reason; all others are given values.
MAY_READ_THE_ENVIRONMENT = {
    "settings.py": "the one reader of our own variables; what it reads is handed to it",
    "__main__.py": "hands it to the settings",
    "cli": "hands it to the settings",
    "lambda_handler.py": "hands it to the settings: with Lambda no command line comes first",
    "supervisor.py": "hands it on to the processes it starts",
    "journal.py": "NO_COLOR and the terminal's kind are conventions of the terminal, not settings of ours",
    "aws": "AWS's own variables are its clients' to read",
    "demo": "starts an emulator and workers as processes, each with an environment of its own",
    "testing/drills": "starts workers as processes, each with an environment of its own",
}
# Whoever works through ``ports`` alone.
PURE_OF_AWS = (
    "pipeline",
    "tenants",
    "ledger",
    "letters",
    "destinations",
    "function",
    "sweeping",
    "doctoring",
    "roster",
    "worker.py",
    "courier.py",
    "heartbeats.py",
)
MOST_LINES = 340
# What is longer, with the reason.
MAY_BE_LONGER = {
    "telemetry.py": "a list: every event we report, a few lines each; in two halves nobody would find one",
}


def name_of(path: Path) -> str:
    """The file as this page names it."""
    return path.relative_to(PACKAGE).as_posix()


def is_among(path: Path, names: Mapping[str, str]) -> bool:
    """Whether *names* has the file or a folder it is in."""
    parts = name_of(path).split("/")
    return any("/".join(parts[:depth]) in names for depth in range(1, len(parts) + 1))


def imports(path: Path) -> Iterator[str]:
    """Yield every module that *path* imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_of_ours(path: Path, package: str) -> set[str]:
    """Return the modules of ``logfanout.<package>`` that *path* imports, by their last names."""
    found = re.compile(rf"logfanout\.{package}\.(\w+)")
    return {match[1] for name in imports(path) if (match := found.match(name))}


def step_of(path: Path) -> str:
    """Return the step a module of ``pipeline/`` is, or is a part of, as its docstring says."""
    if not path.stem.startswith("_"):
        return path.stem
    said = re.search(r"Part of the step ``(\w+)``", ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
    assert said, f"{name_of(path)} does not say which step it is a part of"
    return said[1]


def test_the_listing_is_the_data_flow() -> None:
    """``ls pipeline`` shows the steps in the order the data takes."""
    assert sorted(p.stem for p in PIPELINE.glob("[!_]*.py")) == list(pipeline.ORDER)


@pytest.mark.parametrize("path", sorted(PIPELINE.glob("[!_]*.py")) + sorted(PIPELINE.glob("_[!_]*.py")), ids=name_of)
def test_a_step_knows_only_the_steps_above_it(path: Path) -> None:
    """Data flows down; a step that reached back up would make a circle of the line."""
    step = step_of(path)
    above = pipeline.ORDER[: pipeline.ORDER.index(step)]
    for other in imports_of_ours(path, "pipeline") - {step, "ORDER"}:
        owner = step_of(PIPELINE / f"{other}.py")
        assert owner == step if other.startswith("_") else owner in above, f"{path.stem} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_aws_has_one_door(path: Path) -> None:
    """Only ``aws/`` knows the SDK; the pipeline does not know ``aws/`` either."""
    sdk = {name.partition(".")[0] for name in imports(path)} & SDK
    assert not sdk or is_among(path, MAY_USE_THE_SDK), f"{name_of(path)} imports {sdk}"
    if name_of(path).partition("/")[0] in PURE_OF_AWS:
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("logfanout.")}
        assert not ours & {"aws", "app", "cli", "console", "demo", "settings", "supervisor", "testing"}


@pytest.mark.parametrize("path", [path for path in MODULES if "testing" not in path.parts], ids=name_of)
def test_nothing_that_ships_leans_on_the_fakes(path: Path) -> None:
    """The package for tests is for tests, and for the demo's strictness."""
    uses = {name for name in imports(path) if name.startswith("logfanout.testing")}
    assert not uses or name_of(path).startswith("demo/"), uses


def reads_the_environment(path: Path) -> bool:
    """Whether a module looks at ``os.environ`` in any of its forms."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    looked_at = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    forms = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    return bool(looked_at & forms) or any(name in {f"os.{form}" for form in forms} for name in imports(path))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_settings_are_read_in_one_place(path: Path) -> None:
    """Components are given values; nobody else reads the environment."""
    assert not reads_the_environment(path) or is_among(path, MAY_READ_THE_ENVIRONMENT)


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=name_of)
def test_a_module_opens_with_what_it_is_about(path: Path) -> None:
    """Its docstring's first line is the question it answers, or a sentence."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].rstrip().endswith(("?", "."))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_fits_in_the_head(path: Path) -> None:
    """What grows over the limit is two modules."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES or is_among(path, MAY_BE_LONGER), f"{lines} lines"


@pytest.mark.parametrize("names", [MAY_USE_THE_SDK, MAY_READ_THE_ENVIRONMENT, MAY_BE_LONGER])
def test_every_exception_is_still_one(names: Mapping[str, str]) -> None:
    """An exception for a file that is gone would hide the next one."""
    assert all((PACKAGE / name).exists() for name in names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_names_say_something(path: Path) -> None:
    """There is no drawer for what has no place."""
    assert not {*path.with_suffix("").parts} & {"utils", "util", "common", "helpers", "base", "manager", "misc"}

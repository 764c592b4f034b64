"""The Terraform keeps its own rules: what stands where, how it is said, and that it speaks of what the worker knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREE = ROOT / "deploy" / "terraform"
MODULES = sorted(path for path in (TREE / "modules").iterdir() if path.is_dir())
EXAMPLES = sorted(path for path in (TREE / "examples").iterdir() if path.is_dir())
FILES = sorted(path for path in TREE.rglob("*.tf") if ".terraform" not in path.parts)
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}\n', re.MULTILINE | re.DOTALL)
WORKERS_NAMES = re.compile(r"^ +([A-Z][A-Z0-9_]+) += ", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(TREE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_is_complete(module: Path) -> None:
    """Whoever opens one finds the same six things, tests of refusals among them."""
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= {
        path.name for path in module.iterdir()
    }
    tests = "".join(path.read_text("utf-8") for path in (module / "tests").glob("*.tftest.hcl"))
    assert "condition" in tests
    # The composition leaves the checking of values to its parts.
    assert "expect_failures" in tests or module.name == "regional"
    assert f"# {module.name}\n" in (module / "README.md").read_text("utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_an_example_is_planned_in_a_test(example: Path) -> None:
    """An example that nobody plans is wrong within a month."""
    assert "command = " in "".join(path.read_text("utf-8") for path in (example / "tests").glob("*.tftest.hcl"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_input_says_what_it_is(path: Path) -> None:
    """Typed, described, never null; every output described."""
    for kind, name, body in BLOCK.findall(path.read_text("utf-8")):
        assert re.search(r'^  description = ".+\."$', body, re.MULTILINE), f"{kind} {name} has no description"
        if kind == "variable":
            assert re.search(r"^  type +=", body, re.MULTILINE), f"{name} has no type"
            assert re.search(r"^  nullable +=? *= false$", body, re.MULTILINE), f"{name} may be null"


@pytest.mark.parametrize("path", [m / "variables.tf" for m in MODULES if m.name != "regional"], ids=name_of)
def test_every_input_is_bounded(path: Path) -> None:
    """A wrong value is answered before anything is made; what needs no check is listed here with the reason."""
    needs_none = {
        "endpoint_security_group_ids": "the security group's id is AWS's to refuse",
        "gateway_prefix_list_ids": "likewise",
        "scraper_security_group_ids": "likewise",
    }
    for kind, name, body in BLOCK.findall(path.read_text("utf-8")):
        if kind == "variable" and not re.search(r"^  type += bool$", body, re.MULTILINE):
            assert "validation {" in body or name in needs_none, f"{name} takes anything"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_switched_or_counted(path: Path) -> None:
    """A module not wanted is not called; what there are several of has names."""
    text = path.read_text("utf-8")
    assert not re.search(r"^\s+count +=", text, re.MULTILINE)
    assert not re.search(r'variable "(create|enable)_', text)
    assert not re.search(r"arn:aws(-\w+)?:", "\n".join(without_examples(text))), "the partition is looked up"


def without_examples(text: str) -> list[str]:
    """Return the lines that are not words for people: messages, descriptions, comments."""
    return [line for line in text.splitlines() if not re.match(r"\s*(error_message|description|#)", line)]


@pytest.mark.parametrize("path", sorted(TREE.rglob("versions.tf")), ids=name_of)
def test_the_versions_are_the_ones_that_are_promised(path: Path) -> None:
    """Terraform 1.9, the provider from 5.80 to before 7."""
    text = path.read_text("utf-8")
    assert 'required_version = ">= 1.9"' in text
    assert 'version = ">= 5.80, < 7.0"' in text


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_suppression_has_its_reason(path: Path) -> None:
    """checkov takes one without; we do not."""
    for line in path.read_text("utf-8").splitlines():
        if "checkov:skip" in line:
            assert re.search(r"#checkov:skip=CKV2?_AWS_\d+:\S.{20,}", line), line


def test_the_readmes_list_what_the_modules_take_and_give() -> None:
    """A README that lags is worse than none."""
    subprocess.run([sys.executable, str(ROOT / "deploy" / "checks" / "module_readmes.py")], check=True)


@pytest.mark.parametrize("module", ["fleet", "lambda"])
def test_the_workers_are_told_what_they_know(module: str) -> None:
    """An unknown variable ends a worker with exit code 2; one that is not documented nobody can look up."""
    told = set(WORKERS_NAMES.findall((TREE / "modules" / module / "main.tf").read_text("utf-8")))
    documented = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert {"EXECUTION_MODE", "SQS_QUEUE_URL", "LOGFANOUT_LEDGER_TABLE"} <= told
    assert not [name for name in told if f"`{name}`" not in documented]


def test_the_alarms_listen_for_what_the_workers_say() -> None:
    """A filter on an event that was renamed would be silent for ever."""
    main = (TREE / "modules" / "alarms" / "main.tf").read_text("utf-8")
    spoken = re.search(r"^  spoken = \{\n(.*?)^  \}", main, re.MULTILINE | re.DOTALL)
    assert spoken
    listened_for = re.findall(r"^    (\w+) +=", spoken[1], re.MULTILINE)
    telemetry = (ROOT / "src" / "logfanout" / "telemetry.py").read_text("utf-8")
    said = set(re.findall(r'log\.(?:info|warning|error)\("(\w+)"', telemetry))
    assert listened_for
    assert set(listened_for) <= said


def test_the_guide_speaks_of_what_there_is() -> None:
    """Inputs and outputs that docs/deploying.md names are the full example's."""
    guide = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    full = TREE / "examples" / "full"
    block = re.search(r"```hcl\n# my\.tfvars\n(.*?)```", guide, re.DOTALL)
    assert block
    given = set(re.findall(r"^(\w+) += ", block[1], re.MULTILINE))
    inputs = {name: body for kind, name, body in BLOCK.findall((full / "variables.tf").read_text("utf-8"))}
    required = {name for name, body in inputs.items() if not re.search(r"^  default +=", body, re.MULTILINE)}
    assert required <= given <= set(inputs)
    outputs = {name for _, name, _ in BLOCK.findall((full / "outputs.tf").read_text("utf-8"))}
    assert set(re.findall(r"output -raw (\w+)", guide)) <= outputs
    assert {path.name for path in EXAMPLES} == set(re.findall(r"^\| [^|]+ \| `([a-z-]+)` \|", guide, re.MULTILINE))

"""Which unit tests does Vector itself run?

    cases.yaml ──► one file an environment, in Vector's own format ──► vector-test.sh

``python -m tests.k8s.vector_tests`` writes them anew; a test holds that they are what it would write.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.k8s.programs import HERE, Case, cases, environments

FOLDER = HERE / "vector-tests"
HEAD = "# Written by `make k8s-fixtures` from cases.yaml; vector-test.sh runs it in the environment of the same name.\n"
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def literal(value: Any) -> str:
    """Return *value* as VRL writes it; in its strings "{{" begins a template unless it is escaped."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            escaped = "".join(ESCAPES.get(c, c) for c in value)
            return '"' + escaped.replace("{{", "\\{{").replace("}}", "\\}}") + '"'
        case dict():
            return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in sorted(value.items())) + "}"
        case list():
            return "[" + ", ".join(literal(each) for each in value) + "]"
        case _:
            return repr(value)


def condition(expect: Mapping[str, Any]) -> str:
    """Return the program that succeeds for this event and no other."""
    return f"assert_eq!(., {literal(dict(expect))})"


def unit_test(case: Case) -> dict[str, Any]:
    """Return *case* as an entry of ``tests:``."""
    first, last = case.transforms[0], case.transforms[-1]
    given = {"insert_at": first, "type": "log", "log_fields": case.event}
    if case.expect is None:
        return {"name": case.name, "inputs": [given], "no_outputs_from": [last]}
    conditions = [{"type": "vrl", "source": condition(case.expect)}]
    return {"name": case.name, "inputs": [given], "outputs": [{"extract_from": last, "conditions": conditions}]}


def files() -> Iterator[tuple[Path, str]]:
    """Yield every file there must be, with its text."""
    for name, variables in environments().items():
        tests = [unit_test(case) for case in cases() if case.environment == name]
        text = yaml.safe_dump({"tests": tests}, sort_keys=False, allow_unicode=True, width=4096)
        # Vector fills in variables here too: a dollar is written twice.
        yield FOLDER / f"{name}.yaml", HEAD + text.replace("$", "$$")
        yield FOLDER / f"{name}.env", "".join(f"{key}={value}\n" for key, value in sorted(variables.items()))


def main() -> None:
    """Write the files, and remove what is none of them."""
    FOLDER.mkdir(exist_ok=True)
    wanted = dict(files())
    for stale in set(FOLDER.iterdir()) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

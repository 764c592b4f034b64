"""Do the modules' READMEs list what the modules take and give?

    variables.tf, outputs.tf ──► tables between two marks in README.md

Without an argument it compares and ends with 1 where a README says something else; ``--write`` puts it right.
"""

import re
import sys
from pathlib import Path

MODULES = Path(__file__).parents[1] / "terraform" / "modules"
BEGIN, END = "<!-- inputs and outputs: make deploy-readmes -->", "<!-- end -->"
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}\n', re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r"^  (\w+) +?= (.*?)(?=^  \w+ +?= |^  \w+ \{|^\s*$|\Z)", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Compare or write every README; return the exit code."""
    wrong = []
    for module in sorted(path for path in MODULES.iterdir() if path.is_dir()):
        readme = module / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.exists() else f"{BEGIN}\n{END}\n"
        if BEGIN not in text or END not in text:
            sys.exit(f"{readme} has no place for the tables: put '{BEGIN}' and '{END}' into it")
        head, rest = text.split(BEGIN, 1)
        right = head + BEGIN + "\n" + tables(module) + END + rest.split(END, 1)[1]
        if right != text or not readme.exists():
            wrong.append(readme)
            if "--write" in sys.argv:
                readme.write_text(right, encoding="utf-8")
    if wrong and "--write" not in sys.argv:
        sys.exit("Not as their modules are: " + ", ".join(map(str, wrong)) + ". Try: make deploy-readmes")
    return 0


def tables(module: Path) -> str:
    """Return the two tables of *module*."""
    inputs = [row(name, body) for _, name, body in BLOCK.findall((module / "variables.tf").read_text("utf-8"))]
    outputs = [f"| `{name}` | {said(body)['description']} |" for _, name, body in blocks(module / "outputs.tf")]
    return "\n".join(
        [
            "",
            "| input | type | default | meaning |",
            "|---|---|---|---|",
            *inputs,
            "",
            "| output | meaning |",
            "|---|---|",
            *outputs,
            "",
            "",
        ]
    )


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """Return kind, name and body of every block of a file."""
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def row(name: str, body: str) -> str:
    """Return one input's line."""
    of = said(body)
    default = f"`{short(of['default'])}`" if "default" in of else "required"
    return f"| `{name}` | `{short(of['type'])}` | {default} | {of['description']} |"


def said(body: str) -> dict[str, str]:
    """Return a block's attributes as text; a description without its quotes."""
    found = {name: value.strip() for name, value in ATTRIBUTE.findall(body)}
    found["description"] = found["description"].strip('"').replace('\\"', '"').replace("|", "\\|")
    return found


def short(text: str) -> str:
    """Return a type or a value on one line."""
    line = re.sub(r"\s+", " ", re.sub(r"\n\s*", ", ", text))
    return line.replace("{, ", "{ ").replace(", }", " }")


if __name__ == "__main__":
    sys.exit(main())

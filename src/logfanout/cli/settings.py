"""``logfanout settings``: every variable, its value and its source; and what each command says of wrong ones."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from logfanout.settings import Setting, Settings

FAILED, WRONG = 1, 2  # exit codes, CONTRACT §1 and §2


def settings(*, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List every variable, its value and where that came from; exit with 2 if one is wrong."""
    from logfanout.settings import survey  # noqa: PLC0415

    found = survey(os.environ)
    typer.echo(_as_json(found) if json else _as_lines(found))
    problems = [f"{setting.variable}: {setting.problem}" for setting in found if setting.problem]
    if problems:
        complain(problems)
        raise typer.Exit(WRONG)


def given(*, needs: Iterable[str] = ()) -> "Settings":
    """Return the settings of this process; with a wrong one, say all that is wrong and exit with 2."""
    from logfanout.settings import read  # noqa: PLC0415

    with refusing_wrong_ones():
        return read(os.environ, needs=needs)


def mode() -> str:
    """Return what EXECUTION_MODE says, though it or another variable be wrong: which are needed depends on it."""
    from logfanout.settings import survey  # noqa: PLC0415

    return str(next(each.value for each in survey(os.environ) if each.variable == "EXECUTION_MODE"))


@contextmanager
def refusing_wrong_ones() -> Iterator[None]:
    """Exit with 2 where the block finds settings wrong, after saying each problem."""
    from logfanout.settings import SettingsWrong  # noqa: PLC0415

    try:
        yield
    except SettingsWrong as wrong:
        complain(wrong.problems)
        raise typer.Exit(WRONG) from None


def complain(problems: Iterable[str]) -> None:
    """Print one line for each of *problems* to stderr."""
    for problem in problems:
        typer.echo(f"logfanout: {problem}", err=True)


def _as_json(found: "Iterable[Setting]") -> str:
    import orjson  # noqa: PLC0415

    return orjson.dumps(list(found), default=str, option=orjson.OPT_INDENT_2).decode()


def _as_lines(found: "Iterable[Setting]") -> str:
    rows = [(each.variable, _shown(each.value), each.source) for each in found]
    width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{name:{width}}  {value:{min(value_width, 40)}}  {source}" for name, value, source in rows)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)

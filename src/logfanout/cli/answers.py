"""What do commands have in common that ask something and print the answer?

settings, with a quiet log ──► question ──► answered, or the exit code that says why not ──► printed
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from logfanout.cli.settings import FAILED, WRONG, complain, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.settings import Settings

Answer = TypeVar("Answer")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def asking(*, needs: Iterable[str] = ()) -> "Settings":
    """Return the settings of a command whose answer says what goes wrong: the log beside it would say it twice."""
    from logfanout import journal  # noqa: PLC0415

    settings = given(needs=needs)
    journal.configure(level="ERROR", log_format=settings.log_format)
    return settings


def answered(question: "Coroutine[Any, Any, Answer]") -> "Answer":
    """Return the answer; exit with 1 where AWS does not give it, with 2 where what was asked is wrong."""
    from logfanout.errors import DestinationUnusable, LogfanoutError  # noqa: PLC0415

    with refusing_wrong_ones():
        try:
            return asyncio.run(question)
        except LogfanoutError as error:
            complain([str(error)])
            raise typer.Exit(WRONG if isinstance(error, DestinationUnusable) else FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(FAILED) from None


def print_json(value: object) -> None:
    """Print *value*, of plain Python, dataclasses and enums, for programs."""
    import msgspec  # noqa: PLC0415

    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())

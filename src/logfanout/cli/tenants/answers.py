"""What do the commands that ask the table have in common?

name ──► named          question ──► answered, or the exit code that says why not
"""

import asyncio
import math
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from logfanout.cli.settings import FAILED, WRONG, complain, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.roster.commands import Changed
    from logfanout.settings import Settings

Answer = TypeVar("Answer")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As the tenant's segment of its keys has it.")]
Type = Literal["cloudwatch", "s3"]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def asking() -> "Settings":
    """Return the settings of a command that asks the table; what goes wrong is in its answer, not in a log."""
    from logfanout import journal  # noqa: PLC0415

    settings = given()
    journal.configure(level="ERROR", log_format=settings.log_format)
    return settings


def require_name(name: str) -> None:
    """Exit with 2, after saying why, if no key can name a tenant *name*."""
    from logfanout.roster import names  # noqa: PLC0415

    if why := names.problem(name):
        complain([f"NAME {name[:128]!r}: {why}"])
        raise typer.Exit(WRONG)


def answered(question: "Coroutine[Any, Any, Answer]") -> "Answer":
    """Return the answer; exit with 1 where the table does not give it, with 2 where what was asked is wrong."""
    from logfanout.errors import DestinationUnusable, LogfanoutError  # noqa: PLC0415

    with refusing_wrong_ones():
        try:
            return asyncio.run(question)
        except DestinationUnusable as why:
            complain([f"nothing was written: {why}"])
            raise typer.Exit(WRONG) from None
        except LogfanoutError as error:
            complain([str(error)])
            raise typer.Exit(FAILED) from None


def tell(done: "list[Changed]", settings: "Settings", *, json: bool) -> None:
    """Print what was changed, and when the fleet will know."""
    from logfanout.roster import report  # noqa: PLC0415
    from logfanout.tenants.directory import JITTER  # noqa: PLC0415

    seconds = math.ceil(settings.tenant_cache_seconds * (1 + JITTER))
    if json:
        typer.echo(report.as_json([report.changed_row(each, seen_within_seconds=seconds) for each in done]))
        return
    kept = f"LOGFANOUT_TENANT_CACHE_SECONDS, {settings.tenant_cache_seconds:g} here, and a fifth"
    typer.echo("\n".join([*map(report.changed_line, done), f"The fleet sees it within {seconds} s ({kept})."]))

"""``logfanout manual``: one notification on stdin."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from logfanout.cli.settings import WRONG, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.errors import Verdict
    from logfanout.settings import Settings

Deliver = Callable[["Settings", str], Awaitable["Verdict"]]


To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="stdout|FILE",
        help="Write what would be sent as JSON lines, and send nothing; a file is written anew.",
    ),
]


def manual(*, to: To = None) -> None:
    """Deliver what one notification on stdin announces, without a queue.

    Exits with 0 when every event is accounted for, with 1 when not: then stderr says why.
    """
    from logfanout import journal  # noqa: PLC0415

    settings = given()
    journal.configure(level=settings.log_level, log_format=settings.log_format)
    body = _body(sys.stdin.buffer)

    from logfanout.app.manual import deliver_body  # noqa: PLC0415

    with refusing_wrong_ones(), _opened(to) as out:
        raise typer.Exit(outcome(settings, body, partial(deliver_body, to=out)))


@contextmanager
def _opened(to: str | None) -> Iterator[BinaryIO | None]:
    """Open what *to* names; ``None``: the events go to their tenants."""
    if to is None:
        yield None
    elif to == "stdout":
        yield sys.stdout.buffer
    else:
        try:
            with Path(to).open("wb") as out:
                yield out
        except OSError as error:
            typer.echo(f"logfanout: --to {to}: {error.strerror}", err=True)
            raise typer.Exit(WRONG) from None


def outcome(settings: "Settings", body: str, deliver: Deliver) -> int:
    """Return the exit code of *deliver*, after saying what is missing; the reasons have been logged by then."""
    from logfanout.errors import LogfanoutError, Verdict  # noqa: PLC0415

    async def delivered() -> Verdict:
        return await deliver(settings, body)

    try:
        verdict = asyncio.run(delivered())
    except LogfanoutError as error:
        verdict = error.verdict
        typer.echo(f"logfanout: {error.reason}: {error}", err=True)
    match verdict:
        case Verdict.DELETE:
            return 0
        case Verdict.SET_ASIDE:
            typer.echo("logfanout: not delivered: a part of it can never be, as it is", err=True)
        case _:
            typer.echo("logfanout: not delivered: try again later", err=True)
    return 1


def _body(stdin: BinaryIO) -> str:
    """Return the notification on *stdin*; with none, exit with 2."""
    if stdin.isatty():
        typer.echo("Paste one notification, then Ctrl-D.", err=True)
    try:
        body = stdin.read().decode()
    except UnicodeDecodeError:
        typer.echo("logfanout: what is on stdin is not UTF-8", err=True)
        raise typer.Exit(WRONG) from None
    if not body.strip():
        typer.echo("logfanout: there is no notification on stdin", err=True)
        raise typer.Exit(WRONG)
    return body

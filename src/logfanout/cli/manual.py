"""``logfanout manual``: one notification on stdin."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO

import typer

from logfanout.cli.settings import WRONG, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.errors import Verdict
    from logfanout.settings import Settings

Deliver = Callable[["Settings", str], Awaitable["Verdict"]]


def manual() -> None:
    """Deliver what one notification on stdin announces, without a queue.

    Exits with 0 when every event is accounted for, with 1 when not: then stderr says why.
    """
    from logfanout import journal  # noqa: PLC0415

    settings = given()
    journal.configure(level=settings.log_level, log_format=settings.log_format)
    body = _body(sys.stdin.buffer)

    from logfanout.app import deliver_body  # noqa: PLC0415

    with refusing_wrong_ones():
        raise typer.Exit(outcome(settings, body, deliver_body))


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

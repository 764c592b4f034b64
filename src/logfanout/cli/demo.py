"""``logfanout demo``: all of AWS embedded, no account."""

import asyncio
import dataclasses
import os
from pathlib import Path
from typing import Annotated

import orjson
import typer

from logfanout.demo import show
from logfanout.demo.audit import Place
from logfanout.demo.errors import DemoFailed, DemoRefused
from logfanout.demo.play import Asked, Verdict, play
from logfanout.demo.roster import MOST_TENANTS

Tenants = Annotated[int, typer.Option(min=1, max=MOST_TENANTS, help="How many, each in its own account.")]
Objects = Annotated[int, typer.Option(min=1, help="Log objects, all tenants' together.")]
Events = Annotated[int, typer.Option(min=1, help="Events in each object.")]
Processes = Annotated[
    str | None,
    typer.Option(metavar="N|auto", help="Worker processes; otherwise LOGFANOUT_PROCESSES, or 1."),
]
Timeout = Annotated[float, typer.Option(min=1, max=3000, help="Seconds until the queue must be empty.")]
Seed = Annotated[int, typer.Option(help="Another seed, other logs.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the embedded AWS up until Ctrl-C, to look around.")]
Json = Annotated[bool, typer.Option("--json", help="Print the comparison as JSON; progress goes to stderr.")]
Logs = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE...",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Use the lines of your own log files as messages, instead of imitations.",
    ),
]
# An option takes one value; a shell makes several of a pattern behind it.
MoreLogs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE", hidden=True, exists=True, dir_okay=False, readable=True),
]


def demo(
    more_logs: MoreLogs = None,
    *,
    tenants: Tenants = 5,
    objects: Objects = 60,
    events: Events = 200,
    logs: Logs = None,
    processes: Processes = None,
    timeout: Timeout = 120,
    seed: Seed = 0,
    keep: Keep = False,
    json: Json = False,
) -> None:
    """Deliver sample logs through an embedded AWS and prove that each tenant got its own, once.

    Starts an AWS emulator on loopback with its authorisation on, provisions tenants in accounts of their own,
    writes log objects as Vector does, runs the fleet, and reads every account's CloudWatch back. Exits with 1
    if anything is missing, there twice, or in the wrong account.
    """
    if more_logs and not logs:
        raise typer.BadParameter("Log files are given with --logs.")
    asked = Asked(
        tenants=tenants,
        objects=objects,
        events=events,
        log_files=(*(logs or ()), *(more_logs or ())),
        processes=processes,
        timeout_seconds=timeout,
        keep=keep,
        seed=seed,
    )
    verdict = _played(asked, stderr=json)
    if json:
        typer.echo(orjson.dumps(dataclasses.asdict(verdict), default=Place._asdict))
    raise typer.Exit(0 if verdict.clean else 1)


def _played(asked: Asked, *, stderr: bool) -> Verdict:
    """Play; what ends it without a verdict becomes a sentence and an exit code."""
    on = show.console(stderr=stderr)
    try:
        return asyncio.run(play(asked, caller=os.environ, on=on))
    except DemoRefused as refused:
        show.trouble(on, str(refused))
        raise typer.Exit(2) from refused
    except DemoFailed as failed:
        show.trouble(on, str(failed))
        raise typer.Exit(1) from failed
    except asyncio.CancelledError:
        # Out of a loop that has ended: SIGTERM or SIGHUP, after everything was stopped.
        raise typer.Exit(1) from None

"""``logfanout scan``: a bucket that announces nothing."""

import os
from typing import TYPE_CHECKING

import typer

from logfanout.cli.settings import given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.console.health import Health, Stop
    from logfanout.settings import Settings


def scan() -> None:
    """Deliver what lies in SOURCE_BUCKET, and what comes, until SIGTERM or Ctrl-C, then drain.

    Lists the bucket every SCAN_INTERVAL seconds; needs no queue and no notifications. Exits with 0 when nothing is
    left in hand, with 1 when it had to leave something, with 2 when a setting is wrong.
    """
    from logfanout import journal  # noqa: PLC0415

    settings = given(needs=("SOURCE_BUCKET",))
    journal.configure(level=settings.log_level, log_format=settings.log_format)

    from logfanout import supervisor  # noqa: PLC0415

    # One process: two would list the same, and deliver it twice.
    alone = settings.model_copy(update={"processes": 1})
    with refusing_wrong_ones():
        raise typer.Exit(supervisor.run(alone, _serve, environ=os.environ))


async def _serve(settings: "Settings", *, stop: "Stop", health: "Health") -> None:
    from logfanout.app.sweeps import scan as serve  # noqa: PLC0415

    await serve(settings, stop=stop, health=health)

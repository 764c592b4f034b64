"""``logfanout run``: the fleet worker."""

import os
from typing import TYPE_CHECKING

import typer

from logfanout.cli.settings import given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.console.health import Health, Stop
    from logfanout.settings import Settings


def run() -> None:
    """Deliver what the queue announces until SIGTERM or Ctrl-C, then drain.

    Exits with 0 when nothing is left in hand, with 1 when it had to leave something, with 2 when a setting is wrong.
    """
    from logfanout import journal  # noqa: PLC0415
    from logfanout.console import heartbeat, metrics  # noqa: PLC0415

    settings = given(needs=("SQS_QUEUE_URL",))
    place = heartbeat.place(os.environ)
    journal.configure(
        level=settings.log_level, log_format=settings.log_format, process=place.process if place else None
    )
    if place:
        metrics.count_in_slot(place.process, os.environ)

    from logfanout import supervisor  # noqa: PLC0415  makes metrics, which need their slot by now

    with refusing_wrong_ones():
        raise typer.Exit(supervisor.run(settings, _serve, environ=os.environ))


async def _serve(settings: "Settings", *, stop: "Stop", health: "Health") -> None:
    # Here, so that a supervisor, which never serves, does without an AWS client's 50 MB.
    from logfanout.app.fleet import serve  # noqa: PLC0415

    await serve(settings, stop=stop, health=health)

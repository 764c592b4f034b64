"""``logfanout doctor``: what is wrong with settings and permissions, and what to do?"""

from typing import TYPE_CHECKING, Annotated

import typer

from logfanout.cli.answers import Json, answered, asking, print_json
from logfanout.cli.settings import FAILED, WRONG, complain, mode

if TYPE_CHECKING:
    from logfanout.doctoring.findings import Finding
    from logfanout.ports import ObjectRef
    from logfanout.settings import Settings

Object = Annotated[
    str | None,
    typer.Option("--object", metavar="s3://BUCKET/KEY", help="A log object: can it be read, and whose is it?"),
]
# What each mode cannot do without; to be run with the fleet's own environment.
NEEDS = {"sqs": ("SQS_QUEUE_URL",), "scan": ("SOURCE_BUCKET",)}


def doctor(*, object: Object = None, json: Json = False) -> None:  # noqa: A002  the option's name
    """Say what is wrong with settings and permissions, and what to do; nothing is changed anywhere.

    No message is received, and nothing is written or delivered. What would leave a trace is not tried, and said how to
    find out. Exits with 0 when nothing failed, with 1 when something did, with 2 on wrong usage or settings.
    """
    settings = asking(needs=NEEDS.get(mode(), ()))
    found = answered(_told(settings, _sample(object), json=json))
    if any(each.outcome == "failed" for each in found):
        raise typer.Exit(FAILED)


def _sample(uri: str | None) -> "ObjectRef | None":
    if uri is None:
        return None
    from logfanout.s3_places import object_at  # noqa: PLC0415

    try:
        return object_at(uri)
    except ValueError as error:
        complain([f"--object: {error}"])
        raise typer.Exit(WRONG) from None


async def _told(settings: "Settings", sample: "ObjectRef | None", *, json: bool) -> "list[Finding]":
    """Print each finding as soon as there is one, since what hangs is slow; JSON at the end."""
    from logfanout.app.examinations import examined  # noqa: PLC0415
    from logfanout.doctoring import report  # noqa: PLC0415

    found: list[Finding] = []
    async for each in examined(settings, sample=sample):
        found.append(each)
        if not json:
            typer.echo(report.lines(each))
    if json:
        print_json(found)
    else:
        typer.echo(report.summary(found))
    return found

"""``logfanout doctor``: what is wrong with settings and permissions, and what to do?"""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from logfanout.cli.settings import FAILED, WRONG, complain, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.doctoring.findings import Finding
    from logfanout.ports import ObjectRef
    from logfanout.settings import Settings

Object = Annotated[
    str | None,
    typer.Option("--object", metavar="s3://BUCKET/KEY", help="A log object: can it be read, and whose is it?"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
# What each mode cannot do without; to be run with the fleet's own environment.
NEEDS = {"sqs": ("SQS_QUEUE_URL",), "scan": ("SOURCE_BUCKET",)}


def doctor(*, object: Object = None, json: Json = False) -> None:  # noqa: A002  the option's name
    """Say what is wrong with settings and permissions, and what to do; nothing is changed anywhere.

    No message is received, and nothing is written or delivered. What would leave a trace is not tried, and said how to
    find out. Exits with 0 when nothing failed, with 1 when something did, with 2 on wrong usage or settings.
    """
    from logfanout import journal  # noqa: PLC0415

    settings = given(needs=NEEDS.get(_mode(), ()))
    sample = _sample(object)
    # What fails is in the answer; the log beside it would say it twice.
    journal.configure(level="ERROR", log_format=settings.log_format)
    with refusing_wrong_ones():
        found = asyncio.run(_told(settings, sample, json=json))
    if any(each.outcome == "failed" for each in found):
        raise typer.Exit(FAILED)


def _mode() -> str:
    from logfanout.settings import survey  # noqa: PLC0415

    return str(next(each.value for each in survey(os.environ) if each.variable == "EXECUTION_MODE"))


def _sample(uri: str | None) -> "ObjectRef | None":
    if uri is None:
        return None
    from logfanout.app.examinations import object_at  # noqa: PLC0415

    try:
        return object_at(uri)
    except ValueError as error:
        complain([f"--object: {error}"])
        raise typer.Exit(WRONG) from None


async def _told(settings: "Settings", sample: "ObjectRef | None", *, json: bool) -> "list[Finding]":
    """Print each finding as soon as there is one, since what hangs is slow; JSON at the end."""
    import msgspec  # noqa: PLC0415

    from logfanout.app.examinations import examined  # noqa: PLC0415
    from logfanout.doctoring import report  # noqa: PLC0415

    found: list[Finding] = []
    async for each in examined(settings, sample=sample):
        found.append(each)
        if not json:
            typer.echo(report.lines(each))
    typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode() if json else report.summary(found))
    return found

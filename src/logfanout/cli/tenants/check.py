"""``logfanout tenants check NAME``: can a tenant be reached?"""

from typing import TYPE_CHECKING, Annotated

import typer

from logfanout.cli.answers import Json, answered, asking, print_json
from logfanout.cli.settings import FAILED, WRONG, complain

if TYPE_CHECKING:
    from logfanout.checking import Checked, Sample
    from logfanout.settings import Settings

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="As the first segment of their keys has it.")]
Object = Annotated[
    str | None,
    typer.Option("--object", metavar="s3://BUCKET/KEY", help="An object of the tenant's, for its bucket."),
]


def check(names: Names, *, object: Object = None, json: Json = False) -> None:  # noqa: A002  the option's name
    """Walk the role chain of each tenant and write one probe to each of its destinations.

    Its log group gets one event that says what it is. Its bucket gets a copy of --object, and is not tried without one.
    Exits with 0 when nothing failed, with 1 when something did, with 2 on wrong usage or settings.
    """
    settings = asking()
    found = answered(_checked(settings, names, _sample(object, names, settings)))
    if json:
        print_json(found)
    else:
        typer.echo("\n".join(map(_as_line, found)))
    if any(each.outcome == "failed" for each in found):
        raise typer.Exit(FAILED)


def _sample(uri: str | None, names: list[str], settings: "Settings") -> "Sample | None":
    """Return what *uri* names; exit with 2 if that is no object of the one tenant named."""
    if uri is None:
        return None
    from logfanout.app.checks import sample_at  # noqa: PLC0415
    from logfanout.errors import LogfanoutError  # noqa: PLC0415

    try:
        sample = sample_at(uri, settings)
    except (LogfanoutError, ValueError) as error:
        complain([f"--object: {error}"])
        raise typer.Exit(WRONG) from None
    if set(names) != {sample.key.tenant}:
        complain([f"--object: is of {sample.key.tenant!r}, so that this tenant alone can be checked with it"])
        raise typer.Exit(WRONG)
    return sample


async def _checked(settings: "Settings", names: list[str], sample: "Sample | None") -> "list[Checked]":
    from logfanout.app.checks import checked  # noqa: PLC0415

    return [each async for each in checked(settings, names, sample=sample)]


def _as_line(found: "Checked") -> str:
    return ": ".join(part for part in (found.tenant, found.to, found.outcome, found.why) if part)

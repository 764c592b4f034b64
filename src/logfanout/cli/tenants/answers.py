"""What do the commands on the table of tenants have in common?"""

import math
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from logfanout.cli.answers import print_json
from logfanout.cli.settings import WRONG, complain

if TYPE_CHECKING:
    from logfanout.roster.commands import Changed
    from logfanout.settings import Settings

Name = Annotated[str, typer.Argument(metavar="NAME", help="As the tenant's segment of its keys has it.")]
Type = Literal["cloudwatch", "s3"]


def require_name(name: str) -> None:
    """Exit with 2, after saying why, if no key can name a tenant *name*."""
    from logfanout.roster import names  # noqa: PLC0415

    if why := names.problem(name):
        complain([f"NAME {name[:128]!r}: {why}"])
        raise typer.Exit(WRONG)


def tell(done: "list[Changed]", settings: "Settings", *, json: bool) -> None:
    """Print what was changed, and when the fleet will know."""
    from logfanout.roster import report  # noqa: PLC0415
    from logfanout.tenants.directory import JITTER  # noqa: PLC0415

    seconds = math.ceil(settings.tenant_cache_seconds * (1 + JITTER))
    if json:
        print_json([report.changed_row(each, seen_within_seconds=seconds) for each in done])
        return
    kept = f"LOGFANOUT_TENANT_CACHE_SECONDS, {settings.tenant_cache_seconds:g} here, and a fifth"
    typer.echo("\n".join([*map(report.changed_line, done), f"The fleet sees it within {seconds} s ({kept})."]))

"""``logfanout tenants list`` and ``show NAME``: who is in the table, and what does the fleet make of it?"""

import typer

from logfanout.cli.answers import Json, answered, asking, print_json
from logfanout.cli.tenants.answers import Name, require_name


def list_(*, json: Json = False) -> None:
    """List every row of every tenant: type, state, and where it delivers to or why it is refused.

    Exits with 0 though rows are refused, with 1 when the table cannot be read, with 2 on wrong usage or settings.
    """
    from logfanout.app.rosters import listed  # noqa: PLC0415
    from logfanout.roster import report  # noqa: PLC0415

    entries = answered(listed(asking()))
    if json:
        print_json([report.entry_row(each) for each in entries])
    else:
        typer.echo(report.listing(entries) if entries else "There is no tenant.")


def show(name: Name, *, json: Json = False) -> None:
    """Show each row of one tenant as it is stored, and what the fleet makes of it.

    Of an external id only whether it is set. Exits with 1 when no row names the tenant or the table cannot be read.
    """
    from logfanout.app.rosters import found  # noqa: PLC0415
    from logfanout.roster import report  # noqa: PLC0415

    settings = asking()
    require_name(name)
    entries = answered(found(settings, name))
    if json:
        print_json([report.sheet_row(each) for each in entries])
    else:
        typer.echo("\n\n".join(map(report.sheet, entries)))

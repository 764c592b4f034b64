"""``logfanout tenants disable NAME`` and ``enable NAME``: is anything sent to the tenant?"""

from typing import Annotated

import typer

from logfanout.cli.answers import Json, answered, asking
from logfanout.cli.tenants.answers import Name, Type, require_name, tell

OneType = Annotated[Type | None, typer.Option("--type", help="The row of this type only; otherwise all.")]


def disable(name: Name, *, type_: OneType = None, json: Json = False) -> None:
    """Send nothing more to a tenant: what arrives for it is acknowledged, and gone.

    Exits with 1 when there is no such row, or the table cannot be written to.
    """
    _switch(name, type_, enabled=False, json=json)


def enable(name: Name, *, type_: OneType = None, json: Json = False) -> None:
    """Deliver to a tenant again, from now on.

    Exits with 1 when there is no such row, or the table cannot be written to.
    """
    _switch(name, type_, enabled=True, json=json)


def _switch(name: str, type_: Type | None, *, enabled: bool, json: bool) -> None:
    from logfanout.app.rosters import switched  # noqa: PLC0415

    settings = asking()
    require_name(name)
    tell(answered(switched(settings, name, type_, enabled=enabled)), settings, json=json)

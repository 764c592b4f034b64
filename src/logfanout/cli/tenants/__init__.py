"""``logfanout tenants``: who is in the table, is it changed, and can they be reached?

command line ──► one module each
"""

import typer

from logfanout.cli.tenants import check, lists, put, switches

tenants = typer.Typer(name="tenants", no_args_is_help=True, help="List, show and change tenants; try to reach them.")

tenants.command("list")(lists.list_)
tenants.command("show")(lists.show)
tenants.command("put")(put.put)
tenants.command("disable")(switches.disable)
tenants.command("enable")(switches.enable)
tenants.command("check")(check.check)

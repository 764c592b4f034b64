"""``logfanout version`` and ``logfanout --version``."""

import typer

from logfanout import __version__


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def show(wanted: bool) -> None:
    """Print the version and leave, if *wanted*."""
    if wanted:
        version()
        raise typer.Exit

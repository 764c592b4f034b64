"""Which commands are there?

    command line ──► one module each, which calls into the package; without a command, EXECUTION_MODE chooses

What a command needs is imported when it runs: ``logfanout version`` should not load an AWS client.
"""

from typing import Annotated

import typer

from logfanout.cli import dlq, doctor, function, manual, replay, run, scan, settings, tenants, version

# Tracebacks made pretty by typer would show local variables: log content and secrets.
app = typer.Typer(name="logfanout", add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def logfanout(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=version.show, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Deliver the logs a platform collects in S3 to each tenant's own CloudWatch Logs.

    Without a command, the variable EXECUTION_MODE says what is done: sqs (run), lambda, manual or scan.
    """
    if context.invoked_subcommand is None:
        _as_mode_says()


def _as_mode_says() -> None:
    match settings.mode():
        case "sqs":
            run.run()
        case "manual":
            manual.manual()
        case "lambda":
            function.function()
        case "scan":
            scan.scan()
        case _:  # a mode there is none of
            settings.given()


app.command()(run.run)
app.command()(manual.manual)
app.command()(scan.scan)
app.command()(replay.replay)
app.add_typer(tenants.tenants)
app.add_typer(dlq.dlq)
app.command()(doctor.doctor)
app.command()(settings.settings)
app.command()(version.version)


@app.command(
    "demo",
    # Its own command line is read where it lives, so that nothing of it is loaded for the others.
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def _demo(context: typer.Context) -> None:
    """Deliver sample logs through an embedded AWS and prove that each tenant got its own, once."""
    from logfanout.cli.demo import demo  # noqa: PLC0415

    inner = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    inner.command()(demo)
    inner(args=context.args, prog_name="logfanout demo")

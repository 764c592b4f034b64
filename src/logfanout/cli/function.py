"""``EXECUTION_MODE=lambda``: what the container does as a Lambda function."""

import os

import typer

from logfanout.cli.settings import WRONG, complain

HANDLER = "logfanout.lambda_handler.handler"
RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"


def function() -> None:
    """Ask Lambda for events and answer them, until Lambda ends the process.

    No command: only Lambda, or something that speaks its runtime API, can start this.
    """
    if RUNTIME_API not in os.environ:
        complain([f"EXECUTION_MODE: lambda is for AWS Lambda, which sets {RUNTIME_API}; it is not set"])
        raise typer.Exit(WRONG)
    try:
        from awslambdaric.__main__ import main  # noqa: PLC0415  an extra
    except ImportError:
        complain(["EXECUTION_MODE: lambda needs Lambda's runtime client: pip install 'logfanout[lambda]'"])
        raise typer.Exit(WRONG) from None
    main(["awslambdaric", HANDLER])

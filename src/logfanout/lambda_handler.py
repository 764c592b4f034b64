"""Where does Lambda call us?

    init: environment ──► settings ──► Host, open          each event: handler(event, context) ──► batchItemFailures

Importing this module is the function's init, and does what an init does: it reads the settings, says on stderr what is
wrong with them, and opens AWS. Configure the function with the handler ``logfanout.lambda_handler.handler`` and its
SQS event source with ``ReportBatchItemFailures``: without that, Lambda deletes what failed.
"""

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from logfanout import journal
from logfanout.app.function import open_function
from logfanout.function.host import Context, Host
from logfanout.settings import SettingsWrong, read


def handler(event: object, context: Context) -> dict[str, Any]:
    """Deliver what *event*'s messages announce; return those of them that Lambda is to keep."""
    return _host.handle(event, context)


def _begun(environ: Mapping[str, str]) -> Host:
    """Return the host of this environment, opened if AWS can be reached by now.

    Raises:
        SettingsWrong: Lambda reports the init as failed, with every problem in its text.
    """
    try:
        # An environment works alone, and has all of its memory to itself.
        settings = read(environ).model_copy(update={"processes": 1})
        journal.configure(level=settings.log_level, log_format=settings.log_format)
        host = Host(partial(open_function, settings))
        host.open()
    except SettingsWrong as wrong:
        for problem in wrong.problems:
            sys.stderr.write(f"logfanout: {problem}\n")
        raise
    return host


_host = _begun(os.environ)

"""How does a log line look, and what is never in it?

    telemetry ──► structlog ─┐
    botocore, aiohttp, … ────┴──► one line on stderr: JSON, or colours for a person

stdout is for what a command answers. Tracebacks carry no local variables: those hold log content and secrets.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FIRST = ("timestamp", "level", "event", "process")  # what a person looks for, in this order

# Whatever turns up in somebody's error text: the value behind one of these names goes, in JSON, XML, headers, URLs.
_GUARDED_NAMES = r"secret[_-]?access[_-]?key|secret[_-]?key|session[_-]?token|security[_-]?token|signature"
_BETWEEN = r"""[ \\"':=>]{1,8}(?:b')?"""
_SECRET = re.compile(rf"(?i)({_GUARDED_NAMES})({_BETWEEN})[a-z0-9/+=%_-]{{16,}}")
_SESSION_TOKEN = re.compile(r"\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9/+=%]{32,}")  # how tokens of STS begin
_REMOVED = "[removed]"


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


def configure(
    *, level: str, log_format: str = "auto", process: int | None = None, stream: Stream | None = None
) -> None:
    """Make every logger of this program write to *stream* (stderr), from *level* on.

    *log_format* is ``json``, ``console`` or ``auto``: the latter is for a terminal. *process* is the index of this
    worker process where there are several. Libraries speak from WARNING on, whatever *level* is: their DEBUG lines
    hold request bodies and credentials.
    """
    into = _Lossy(stream or sys.stderr)
    colours = log_format == "console" or (log_format == "auto" and into.isatty())
    chain: list[Processor] = [
        _Stamp(process),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *_endings(colours=colours, for_terminal=into.isatty()),
        _without_secrets,
    ]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(into),  # type: ignore[arg-type]  # write and flush are enough
    )
    _lead_others(chain, into, level=max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _lead_others(chain: list[Processor], into: "_Lossy", *, level: int) -> None:
    """Send what libraries log through the same *chain*."""
    handler = logging.StreamHandler(into)
    # On the handler too: a library that turns its own logger to DEBUG passes by the root's level.
    handler.setLevel(level)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *chain],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)  # else they are plain text between the lines of JSON


def _endings(*, colours: bool, for_terminal: bool) -> tuple[Processor, ...]:
    """Return what makes a line of an event."""
    if colours:
        # Not structlog's default: where rich is installed that one shows local variables.
        plain = structlog.dev.plain_traceback
        return (_printable, structlog.dev.ConsoleRenderer(colors=for_terminal, exception_formatter=plain))
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return (structlog.processors.ExceptionRenderer(traceback), _json)


class _Stamp:
    """Adds the index of this process."""

    def __init__(self, process: int | None) -> None:
        self._said = {} if process is None else {"process": process}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.update(self._said)
        return event


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Quote what would move the cursor: a key's text is chosen by whoever writes to the bucket."""
    return {name: repr(v) if isinstance(v, str) and not v.isprintable() else v for name, v in event.items()}


def _json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    ordered = {name: event[name] for name in FIRST if name in event} | dict(event)
    try:
        return orjson.dumps(ordered, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate from an undecodable name, or an integer over 64 bits: still worth a line
        return json.dumps(ordered, default=str)


def _without_secrets(_logger: WrappedLogger, _method: str, line: str | Mapping[str, Any]) -> str:
    """Return the finished *line* with the values of known secrets removed: the last guard, not the first."""
    return _SESSION_TOKEN.sub(_REMOVED, _SECRET.sub(rf"\1\2{_REMOVED}", str(line)))


class _Lossy:
    """A stream that lets go of a line nobody can take: a log that is gone must not stop a delivery."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return f"<_Lossy {self._stream!r}>"

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # ValueError: closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

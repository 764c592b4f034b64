"""What came of looking at one thing?

    looked at ──► ok │ warning │ failed │ not tried, with what AWS said and what to do ──► Finding

Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

from logfanout.errors import AccessRefused, CredentialsExpired, LogfanoutError, Throttled


class Outcome(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # the fleet works, and something is not as it should be
    FAILED = "failed"  # the fleet does not work, or loses something
    NOT_TRIED = "not tried"  # not known: it would leave traces, or something before it failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found."""

    about: str = ""  # the check's name, a program's key and a reader's heading; the examination puts it there
    outcome: Outcome
    said: str  # by AWS, or what is so
    todo: str = ""  # empty: nothing


def ok(said: str) -> Finding:
    """Return that all is well."""
    return Finding(outcome=Outcome.OK, said=said)


def warning(said: str, *, todo: str) -> Finding:
    """Return that something is not as it should be."""
    return Finding(outcome=Outcome.WARNING, said=said, todo=todo)


def failed(said: str, *, todo: str) -> Finding:
    """Return that something does not work."""
    return Finding(outcome=Outcome.FAILED, said=said, todo=todo)


def not_tried(why: str, *, todo: str = "") -> Finding:
    """Return that nothing is known; *todo* says how it can be."""
    return Finding(outcome=Outcome.NOT_TRIED, said=why, todo=todo)


def failed_by(error: LogfanoutError, *, grant: str, otherwise: str) -> Finding:
    """Return what *error* means: *grant* is what to allow, *otherwise* what to do if that is not the trouble."""
    match error:
        case AccessRefused():
            todo = f"allow {grant}"
        case CredentialsExpired():
            todo = "give the process credentials that AWS knows and that have not ended"
        case Throttled():
            todo = "AWS asks for fewer requests: run this again in a minute"
        case _:
            todo = otherwise
    return failed(str(error), todo=todo)

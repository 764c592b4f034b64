"""What a log line looks like, and what never gets into one."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from logfanout import journal, telemetry

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE"


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError(text)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Undo what ``configure`` did to the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines of JSON in *stream*."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event() -> None:
    """A program finds the same three fields in every line; the time is UTC."""
    stream = io.StringIO()
    journal.configure(level="INFO", stream=stream)
    telemetry.DrainStarted(signal="SIGTERM", messages=3, seconds=25).emit()
    (line,) = lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": "drain_started", "signal": "SIGTERM", "messages": 3, "seconds": 25}


def test_where_there_are_several_processes_a_line_says_whose_it_is() -> None:
    """Lines of all processes end up in one stream."""
    stream = io.StringIO()
    journal.configure(level="INFO", process=2, stream=stream)
    telemetry.DrainFinished(given_back=0, seconds=1).emit()
    logging.getLogger("asyncio").warning("slow")
    assert [line["process"] for line in lines(stream)] == [2, 2]


def test_below_the_level_nothing_is_said() -> None:
    """LOG_LEVEL holds for what we say ourselves."""
    stream = io.StringIO()
    journal.configure(level="WARNING", stream=stream)
    telemetry.DrainFinished(given_back=0, seconds=1).emit()
    assert not stream.getvalue()


@pytest.mark.parametrize("library", ["botocore", "aiobotocore", "aiohttp.client", "asyncio"])
def test_libraries_never_speak_below_warning(library: str) -> None:
    """Their DEBUG lines hold bodies and credentials, so neither LOG_LEVEL nor their own level lets those through."""
    stream = io.StringIO()
    journal.configure(level="DEBUG", stream=stream)
    logger = logging.getLogger(library)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("Authorization: %s", SECRET)
        logger.info("token %s", SECRET)
        logger.warning("attempt %d", 2)
    finally:
        logger.setLevel(before)
    (line,) = lines(stream)
    assert (line["level"], line["event"], line["logger"]) == ("warning", "attempt 2", library)


def test_libraries_are_as_quiet_as_we_are() -> None:
    """LOG_LEVEL=ERROR silences the warnings of others too."""
    stream = io.StringIO()
    journal.configure(level="ERROR", stream=stream)
    logging.getLogger("botocore").warning("attempt 2")
    assert not stream.getvalue()


def test_a_python_warning_is_a_line_like_any_other() -> None:
    """Plain text between lines of JSON breaks whoever parses them."""
    stream = io.StringIO()
    journal.configure(level="INFO", stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)  # the block above has put the original back
        warnings.warn("old", stacklevel=1)
        logging.captureWarnings(False)
    assert lines(stream)[0]["logger"] == "py.warnings"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variable(log_format: str) -> None:
    """Locals hold log content and credentials; the places and the message are enough."""
    stream = io.StringIO()
    journal.configure(level="INFO", log_format=log_format, stream=stream)
    content = "what a tenant" + " wrote"
    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        telemetry.MessageCrashed(message="m-1", object="s3://bucket/key").emit()
        logging.getLogger("asyncio").exception("it broke")
    said = stream.getvalue()
    assert said.count("it broke") >= 2
    assert "test_journal.py" in said
    assert content not in said


def test_a_traceback_is_structured_in_one_line() -> None:
    """An exception does not spread over lines that a log service takes for events of their own."""
    stream = io.StringIO()
    journal.configure(level="INFO", stream=stream)
    try:
        raise RuntimeError("line one\nline two")
    except RuntimeError:
        telemetry.MessageCrashed(message="m-1", object="s3://bucket/key").emit()
    (line,) = lines(stream)
    (raised,) = line["exception"]
    assert (raised["exc_type"], raised["exc_value"]) == ("RuntimeError", "line one\nline two")
    assert raised["frames"][-1]["name"] == "test_a_traceback_is_structured_in_one_line"
    assert "locals" not in raised["frames"][-1]


@pytest.mark.parametrize(
    "text",
    [
        f'{{"SecretAccessKey": "{SECRET}"}}',
        f"<SecretAccessKey>{SECRET}</SecretAccessKey>",
        f"<SessionToken>{TOKEN}</SessionToken>",
        f"{{'X-Amz-Security-Token': b'{TOKEN}'}}",
        f"https://bucket/key?X-Amz-Security-Token={TOKEN}&X-Amz-Signature={'0a' * 32}",
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260302/eu-west-1/sqs/aws4_request, Signature={'0a' * 32}",
        f"aws_secret_access_key = {SECRET}",
        f"the token {TOKEN} has expired",
    ],
)
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_secret_in_somebodys_error_text_is_removed(text: str, log_format: str) -> None:
    """Whatever AWS or a library puts into an error: neither key, token nor signature reaches the log."""
    stream = io.StringIO()
    journal.configure(level="INFO", log_format=log_format, stream=stream)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        telemetry.WorkerCrashed(error=text).emit()
        logging.getLogger("botocore").exception(text)
    said = stream.getvalue()
    assert "[removed]" in said
    for secret in (SECRET, TOKEN, "0a" * 32):
        assert secret not in said


def test_names_that_only_look_like_secrets_stay() -> None:
    """A key or a role is what one searches the log for."""
    stream = io.StringIO()
    journal.configure(level="INFO", stream=stream)
    key = "s3://bucket/tenant/cluster/signature-service/session-token-issuer-7d9f/20260302.json.gz"
    telemetry.MessageCrashed(message="m-1", object=key).emit()
    assert lines(stream)[0]["object"] == key


def test_a_person_at_a_terminal_gets_colours() -> None:
    """``auto`` looks at the stream; the escape sequences are for terminals only."""
    stream = Terminal()
    journal.configure(level="INFO", stream=stream)
    telemetry.DrainFinished(given_back=0, seconds=1).emit()
    assert "\x1b[" in stream.getvalue()


def test_json_can_be_had_at_a_terminal_too() -> None:
    """LOGFANOUT_LOG_FORMAT wins over the guess."""
    stream = Terminal()
    journal.configure(level="INFO", log_format="json", stream=stream)
    telemetry.DrainFinished(given_back=0, seconds=1).emit()
    assert lines(stream)[0]["event"] == "drain_finished"


def test_a_key_cannot_move_the_cursor() -> None:
    """Whoever writes to the bucket chooses keys, and must not write on an operator's terminal."""
    stream = io.StringIO()
    journal.configure(level="INFO", log_format="console", stream=stream)
    telemetry.MessageCrashed(message="m-1", object="s3://bucket/\x1b[2J\rnothing happened").emit()
    assert "\x1b[2J" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize("value", ["lone \ud800 surrogate", 2**80])
def test_a_value_that_json_has_no_form_for_costs_no_line(value: object) -> None:
    """A line is never lost to its content."""
    stream = io.StringIO()
    journal.configure(level="INFO", stream=stream)
    telemetry.log.info("message_failed", value=value)
    assert lines(stream)[0]["value"] == value


def test_a_log_nobody_takes_stops_nothing() -> None:
    """When the container's log pipe breaks, deliveries go on."""
    journal.configure(level="INFO", stream=Gone())
    telemetry.DrainFinished(given_back=0, seconds=1).emit()
    logging.getLogger("botocore").warning("attempt 2")

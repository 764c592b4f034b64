"""What the containers write is what breaks log pipelines."""

import json
import re
from datetime import UTC, datetime
from random import Random

import pytest

from logfanout.demo import voices

AT = datetime(2025, 8, 30, 11, 27, 1, 564974, tzinfo=UTC)


def said(voice: voices.Voice, count: int = 400) -> list[voices.Message]:
    rng = Random(7)
    return [voice(rng, AT) for _ in range(count)]


@pytest.mark.parametrize("voice", list(dict.fromkeys(voice for of in voices.VOICES.values() for voice in of)))
def test_the_same_seed_says_the_same(voice: voices.Voice) -> None:
    """Two runs with one seed can be compared; nothing that is said is empty."""
    assert said(voice) == said(voice)
    assert all(said(voice))


def test_klog_has_its_header() -> None:
    """Severity, month and day, time to the microsecond, thread, file and line."""
    header = re.compile(r"[IWE]0830 11:27:01\.564974 +\d+ \w+\.go:\d+\] \S")
    assert all(isinstance(line, str) and header.match(line) for line in said(voices.klog))


def test_audit_events_are_json_in_a_string() -> None:
    """What looks like an object stays a string on its whole way."""
    for line in said(voices.audit):
        assert isinstance(line, str)
        assert json.loads(line)["apiVersion"] == "audit.k8s.io/v1"


def test_gos_log_starts_with_its_date() -> None:
    """As the standard logger writes it, unless the program panics."""
    assert all(str(line).startswith(("2025/08/30 11:27:01 ", "panic: ")) for line in said(voices.go_standard))


@pytest.mark.parametrize(
    ("voice", "trace"),
    [
        (voices.java, "\n\tat com.example"),
        (voices.python, "\nTraceback (most recent call last):\n"),
        (voices.go_standard, "\n\ngoroutine "),
    ],
)
def test_traces_span_lines(voice: voices.Voice, trace: str) -> None:
    """Now and then a program dies, and its last words are one message of many lines."""
    traced = [line for line in said(voice) if isinstance(line, str) and trace in line]
    assert 0 < len(traced) < 100


def test_some_messages_are_objects() -> None:
    """A transform may have parsed a line, which leaves an object where a string was."""
    kinds = {type(line) for line in said(voices.access)}
    assert kinds == {str, dict}


def test_every_alphabet_is_heard() -> None:
    """Emoji beyond the BMP, right-to-left text, quotes, backslashes, tabs and escapes all occur."""
    heard = "".join(map(str, said(voices.java)))
    for needed in ("\U0001f389", "\u200d", "\u200f", "\u0645", '"', "\\", "\t", "\x1b", "\u2028"):
        assert needed in heard

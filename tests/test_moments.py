"""Which times somebody means who writes them down; and one that is written here means the same again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.moments import iso8601, moment_ms, time_ms
from logfanout.testing.clock import NOON_MS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02", NOON_MS - 12 * 3_600_000),
        ("2026-03-02T12:00", NOON_MS),
        ("2026-03-02T12:00:00Z", NOON_MS),
        ("2026-03-02T13:00:00.250+01:00", NOON_MS + 250),
        ("90s", NOON_MS - 90_000),
        ("15m", NOON_MS - 15 * 60_000),
        ("36h", NOON_MS - 36 * 3_600_000),
        ("14d", NOON_MS - 14 * 86_400_000),
        ("999999d", 0),
    ],
)
def test_a_time_may_be_one_or_an_age(text: str, expected: int) -> None:
    """Without a zone it is UTC."""
    assert moment_ms(text, now_ms=NOON_MS) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "36", "36 h", "1.5h", "2026-13-01", "-1h", "٣h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what could be written instead."""
    with pytest.raises(ValueError, match=r"write 2026.* or an age"):
        moment_ms(text, now_ms=NOON_MS)


def test_an_age_is_no_time_where_only_a_time_will_do() -> None:
    """Of what is to come it would say nothing."""
    assert time_ms("2026-03-02T12:00Z") == NOON_MS
    with pytest.raises(ValueError, match=r"'36h' is no time: write 2026-03-02 or"):
        time_ms("36h")


@given(st.integers(0, 253_402_300_799_999))
def test_what_is_written_is_read_as_the_same(at_ms: int) -> None:
    """To the millisecond."""
    assert moment_ms(iso8601(at_ms), now_ms=0) == at_ms

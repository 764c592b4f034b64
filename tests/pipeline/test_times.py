"""A timestamp is told in milliseconds, cut and never rounded, alone and among thousands."""

import calendar
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logfanout.pipeline._times import Hours, Stamp, epoch_ms, many

T = 1_714_979_289_000  # 2024-05-06T07:08:09Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-06T07:08:09Z", T),
        ("2024-05-06T07:08:09.1Z", T + 100),
        ("2024-05-06T07:08:09.12Z", T + 120),
        ("2024-05-06T07:08:09.123Z", T + 123),
        ("2024-05-06T07:08:09.123456Z", T + 123),
        ("2024-05-06T07:08:09.123456789Z", T + 123),
        ("2024-05-06T07:08:09.1239999999999999999999Z", T + 123),
        ("2024-05-06T07:08:09.999999999Z", T + 999),
        ("2024-05-06T07:08:09,5Z", T + 500),
        ("2024-05-06T09:08:09+02:00", T),
        ("2024-05-06T09:08:09+0200", T),
        ("2024-05-06T01:38:09.123-05:30", T + 123),
        ("2024-05-06T07:08:09.123", T + 123),
        ("2024-05-06T07:08:09", T),
        ("2024-05-06t07:08:09.123z", T + 123),
        ("2024-05-06 07:08:09.123Z", T + 123),
        ("2024-05-06 07:08:09.123 +00:00", T + 123),
        ("  2024-05-06T07:08:09Z\n", T),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_rfc_3339_in_all_its_forms(text: str, expected: int) -> None:
    """Any fraction, any offset, none at all, a space or a small t."""
    assert epoch_ms(text) == expected


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.999Z", "2017-01-01T01:59:60.5+02:00"])
def test_a_leap_second_is_the_next_minute(text: str) -> None:
    """The clock that counts no leap seconds shows the new year."""
    assert epoch_ms(text) == 1_483_228_800_000


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (T // 1000, T),
        (T + 123, T + 123),
        ((T + 123) * 1000 + 999, T + 123),
        ((T + 123) * 1_000_000 + 999_999, T + 123),
        (T / 1000 + 0.1239, T + 123),
        (float(T + 123), T + 123),
        (1.714979289e9, T),
        (1.714979289123456e18, T + 123),
        (0, 0),
        (-1, -1000),
        (-1.5, -1500),
        (10**11 - 1, (10**11 - 1) * 1000),
        (10**11, 10**11),
        (10**14 - 1, 10**14 - 1),
        (10**14, 10**11),
        (10**17, 10**11),
        (-(10**17), -(10**11)),
    ],
)
def test_a_numbers_unit_is_told_by_its_magnitude(number: float, expected: int) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds of our days lie far apart; text or number is the same."""
    assert epoch_ms(number) == expected
    assert epoch_ms(f" {number!r} ") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1714979289.999999999", T + 999),
        ("1714979289.9999999999999999999999999999", T + 999),
        ("1.714979289E9", T),
        ("+1714979289", T),
        ("1714979289.", None),
        (".5", None),
        ("1_714_979_289", None),
        ("0x1", None),
        ("١٧١٤٩٧٩٢٨٩", None),
        ("9" * 40, None),
        ("1" * 10_000, None),
        ("1e999999999", None),
        ("1e-99", 0),
    ],
)
def test_numeric_text(text: str, expected: int | None) -> None:
    """Text that is a number is read as one, and cut however many digits it has."""
    assert epoch_ms(text) == expected


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        True,
        False,
        "",
        "now",
        "yesterday",
        "2024-05-06",
        "07:08:09",
        "2024-13-06T07:08:09Z",
        "2024-02-30T07:08:09Z",
        "2023-02-29T07:08:09Z",
        "2024-05-06T25:08:09Z",
        "2024-05-06T24:00:00.000Z",
        "2024-05-06T07:61:09.123Z",
        "2024-05-06T07:60:09Z",
        "2024-05-06T07:08:61Z",
        "2024-05-06T07:08:09.Z",
        "2024-05-06T07:08:09ZZ",
        "2024-05-06T07:08:09.123Z5",
        "2024-05-06T07:08:09+02",
        "0000-05-06T07:08:09Z",
        "\uff12024-05-06T07:08:09Z",
        "20240506T070809Z",
        "Mon, 06 May 2024 07:08:09 GMT",
        "\ud800",
        10**20,
        -(10**20),
        1e20,
        float("inf"),
        float("nan"),
        10**4000,
    ],
)
def test_what_tells_no_time(stamp: Stamp) -> None:
    """Garbage is no time, and never an error."""
    assert epoch_ms(stamp) is None
    assert many([stamp], Hours()) == [None]


def test_hours_are_remembered_up_to_a_point() -> None:
    """An object with a million different hours does not fill memory."""
    hours = Hours()
    start = datetime(2024, 5, 6)  # noqa: DTZ001  only to write it
    stamps = [f"{(start + timedelta(hours=n // 10)).isoformat()}.001Z" for n in range(10_000)]
    assert many(stamps, hours) == [epoch_ms(stamp) for stamp in stamps]
    assert len(hours) <= 100


# Properties.

whole_seconds = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001


@given(whole_seconds, st.text("0123456789", max_size=12), st.integers(-23 * 60 - 59, 23 * 60 + 59), st.booleans())
def test_any_fraction_and_any_offset(at: datetime, fraction: str, offset: int, zulu: bool) -> None:
    """What is written in any zone, to any precision, is the same instant cut to its millisecond."""
    shown = at + timedelta(minutes=0 if zulu else offset)
    zone = "Z" if zulu else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    text = f"{shown.isoformat()}{'.' + fraction if fraction else ''}{zone}"
    expected = calendar.timegm(at.timetuple()) * 1000 + int(fraction[:3].ljust(3, "0"))
    assert epoch_ms(text) == expected
    assert many([text], Hours()) == [expected]


@given(st.integers(10**11, 10**14 - 1), st.integers(0, 999_999))
def test_units_agree(at_ms: int, rest: int) -> None:
    """The same instant as a number of seconds, ms, µs or ns is the same millisecond."""
    ns = at_ms * 1_000_000 + rest
    if ns < 10**20:
        assert epoch_ms(ns) == epoch_ms(str(ns)) == at_ms
    assert epoch_ms(ns // 1000) == at_ms
    assert epoch_ms(f"{at_ms}.{rest:06}") == at_ms
    if at_ms < 10**14 // 1000 * 1000:
        assert epoch_ms(f"{at_ms // 1000}.{at_ms % 1000:03}{rest:06}") == at_ms


@given(st.floats(0, 99_999_999_999))
def test_float_seconds_are_cut(seconds: float) -> None:
    """A float is what its shortest decimal says, cut to the millisecond below."""
    exact = Decimal(repr(seconds)) * 1000
    assert epoch_ms(seconds) == int(exact.to_integral_value(ROUND_FLOOR))


vectors = st.builds(
    lambda at, fraction: f"{at.isoformat()}.{fraction}Z", whole_seconds, st.text("0123456789", min_size=3, max_size=9)
)


@st.composite
def nearly_vectors(draw: st.DrawFn) -> str:
    """Vector's form with a character or two changed, added or taken away."""
    text = draw(vectors)
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(text)))
        kept = draw(st.integers(at, min(at + 2, len(text))))
        text = text[:at] + draw(st.text("0123456789-T:.Z\n 6", max_size=2)) + text[kept:]
    return text


stamps = st.one_of(
    vectors,
    nearly_vectors(),
    st.sampled_from(["2024-05-06T07:08:60.123Z", "2024-05-06T07:08:09Z", "1714979289", ""]),
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
)


@settings(max_examples=500)
@given(st.one_of(st.lists(vectors, max_size=9), st.lists(st.one_of(vectors, nearly_vectors()), max_size=5)))
@example(["2024-05-06T07:08:09.123Z4"])
@example(["2024-05-06T07:08:60.123Z"])
@example(["2024-05-06T07:08:09.1239", "Z2024-05-06T07:08:09.123Z"])
@example(["2024-05-06T07:08:09.123Z\n2024-05-06T07:08:09.123Z", "1"])
@example([])
def test_the_fast_way_tells_what_the_slow_way_tells(stamps: list[str]) -> None:
    """Many stamps of one shape at once, or nearly of one shape, are what they are one by one."""
    assert many(stamps, Hours()) == [epoch_ms(stamp) for stamp in stamps]


@st.composite
def stamps_of_some_hours(draw: st.DrawFn) -> list[str]:
    """What a chunk holds: times near to each other, as precise as they happen to be, and perhaps something else."""
    base = draw(whole_seconds)
    seconds = draw(st.lists(st.integers(0, 3 * 3600), min_size=8, max_size=60))
    ordered = sorted(seconds) if draw(st.booleans()) else seconds
    precise = st.one_of(*(st.text("0123456789", min_size=n, max_size=n) for n in (9, 9, 6, 3)))
    chunk = [f"{(base + timedelta(seconds=after)).isoformat()}.{draw(precise)}Z" for after in ordered]
    if draw(st.booleans()):
        chunk[draw(st.integers(0, len(chunk) - 1))] = draw(nearly_vectors())
    return chunk


@given(stamps_of_some_hours())
def test_a_chunk_of_some_hours(chunk: list[str]) -> None:
    """Hours that change, digits that are missing and what is no time leave the others as they are."""
    hours = Hours()
    assert many(chunk, hours) == many(chunk, hours) == [epoch_ms(stamp) for stamp in chunk]


def test_a_chunk_in_vectors_form_takes_the_fast_way() -> None:
    """Its hours are remembered, though some of its stamps have fewer digits and it is in no order."""
    hours = Hours()
    early = [f"2024-05-06T07:59:{n:02}.123456789Z" for n in range(30)]
    late = [f"2024-05-06T08:00:{n:02}.123456Z" for n in range(30)]
    assert many([*early, *late, *early], hours) == [epoch_ms(stamp) for stamp in [*early, *late, *early]]
    assert set(hours) == {b"2024-05-06T07:", b"2024-05-06T08:"}


@given(st.lists(stamps, max_size=8))
def test_any_stamps_are_told_alike_alone_and_together(stamps: list[Stamp]) -> None:
    """Whatever else stands in a chunk, each stamp tells the time it tells alone, or none."""
    assert many(stamps, Hours()) == [epoch_ms(stamp) for stamp in stamps]

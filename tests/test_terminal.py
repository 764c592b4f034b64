"""What strangers wrote moves no cursor."""

import pytest

from logfanout.terminal import shown


@pytest.mark.parametrize("text", ["acme", "é/日本 x", ""])
def test_what_can_be_read_is_printed_as_it_is(text: str) -> None:
    """In any script."""
    assert shown(text) == text


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "\u202egpj", "\x9b0m", "\ud800"])
def test_what_moves_or_hides_is_written_out(text: str) -> None:
    """Escapes, line ends, controls of direction, halves of characters."""
    assert shown(text) == repr(text)
    assert shown(text).isprintable()

"""A tenant is called what one segment of a key can hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.errors import KeyUnreadable
from logfanout.pipeline.routes import KeyLayout
from logfanout.roster import names

LAYOUT = KeyLayout.parse("{cluster}/{tenant}/{application}/{pod}/")


@pytest.mark.parametrize("name", ["acme", "Acme Ltd.", "2f", "日本", "a" * 1000, "_heartbeat"])
def test_what_a_key_can_say_is_a_name(name: str) -> None:
    """Whatever its script."""
    assert names.problem(name) == ""


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a/", " acme", "acme\n", "a\x1bb", "\ud800", "é" * 501])
def test_what_no_key_can_say_is_none(name: str) -> None:
    """A row of that name would never be asked for."""
    assert names.problem(name).startswith("no key can name it")


@given(st.text(max_size=20))
def test_a_name_is_what_the_fleet_reads_from_keys(name: str) -> None:
    """Neither more nor less."""
    try:
        read = LAYOUT.read(f"c1/{name}/web/pod-1/file").tenant == name
    except KeyUnreadable:
        read = False
    assert read == (names.problem(name) == "")

"""What DynamoDB holds is plain Python to us, and the other way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.aws.attribute_values import UNREADABLE, plain, stored


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "x"}, "x"),
        ({"N": "1772452800"}, 1_772_452_800),
        ({"N": "1.5"}, 1.5),
        ({"N": "1E+2"}, 100.0),
        ({"BOOL": True}, True),
        ({"NULL": True}, None),
        ({"SS": ["a", "b"]}, {"a", "b"}),
        ({"NS": ["1", "2.5"]}, {1, 2.5}),
        ({"B": "eA=="}, b"eA=="),
        ({"B": b"x"}, b"x"),
        ({"BS": ["eA==", b"x"]}, {b"eA==", b"x"}),
        ({"L": [{"S": "a"}, {"L": []}]}, ["a", []]),
        ({"M": {"a": {"N": "1"}}}, {"a": 1}),
        ({}, {UNREADABLE: {}}),
        ({"XX": ["a"]}, {UNREADABLE: {"XX": ["a"]}}),
    ],
)
def test_values_become_plain_python(value: dict[str, object], expected: object) -> None:
    """What we do not know is neither absent nor empty."""
    assert plain(value) == expected


values = st.text() | st.integers() | st.booleans()


@given(st.recursive(values, lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_what_is_stored_comes_back(value: object) -> None:
    """In the types that our own rows have."""
    assert plain(stored(value)) == value


@pytest.mark.parametrize("value", [None, 1.5, b"x", {"a"}, {"a": 1}])
def test_nothing_else_is_stored(value: object) -> None:
    """A field of ours has none of these types."""
    with pytest.raises(TypeError, match=type(value).__name__):
        stored(value)

"""How does DynamoDB write a value, and what is it in Python?

    attribute value ──► plain ──► str, int, float, bool, None, bytes, list, set, dict ──► stored ──► attribute value

Pure. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from collections.abc import Mapping
from typing import Any

from logfanout.ports import Row

UNREADABLE = "a type of DynamoDB's that this version does not know"


def row_of(item: Mapping[str, Mapping[str, Any]]) -> Row:
    """Return an item as plain Python."""
    return {name: plain(value) for name, value in item.items()}


def plain(value: Mapping[str, Any]) -> Any:
    """Return a DynamoDB attribute value as plain Python.

    One of a type we do not know becomes a mapping that is never empty, so that its reader finds a malformed field:
    an absent or empty filter means "all".
    """
    match dict(value):
        case {"S": found} | {"BOOL": found}:
            return found
        case {"B": found}:
            return _bytes(found)
        case {"N": str(number)}:
            return _number(number)
        case {"NULL": True}:
            return None
        case {"SS": [*strings]}:
            return set(strings)
        case {"BS": [*strings]}:
            return {_bytes(each) for each in strings}
        case {"NS": [*numbers]}:
            return {_number(number) for number in numbers}
        case {"L": list(elements)}:
            return [plain(each) for each in elements]
        case {"M": dict(members)}:
            return {name: plain(each) for name, each in members.items()}
        case unknown:
            return {UNREADABLE: unknown}


def _bytes(found: Any) -> bytes:
    """Return what is no text: no field of ours is binary. The SDK has decoded it, otherwise it is in base64 still."""
    return found if isinstance(found, bytes) else str(found).encode()


def _number(text: str) -> int | float:
    """Return what DynamoDB wrote: whole numbers without a point, large ones with an exponent."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def stored(value: Any) -> dict[str, Any]:
    """Return *value*, of the types that rows of ours have, as DynamoDB stores it.

    Raises:
        TypeError: it is of another.
    """
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case list() | tuple():
            return {"L": [stored(each) for each in value]}
        case other:
            raise TypeError(f"no field of a row is a {type(other).__name__}")

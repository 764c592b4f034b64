"""Where does each record begin and end?

    buffer ──► scan ──► Scan(values, consumed, inside)

Part of the step ``records``: the exact way, for what its shortcuts cannot cut. Pure. Records are the JSON values at
the top level and the elements of arrays at the top level; what is malformed costs itself only, since the next line
(or, inside an array, the next element) is found again.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

# Strings end on their line: JSON has no raw newline inside them. Possessive, so no input makes it backtrack.
_STRING = rb'"(?:[^"\\\n]++|\\.)*+"'
# Brackets of one kind are met together: a megabyte of them, which is no record, is no work for long.
_BRACKETS = rb"|[{\[]++|[}\]]++"
_TOKEN_IN_ARRAY = re.compile(_STRING + _BRACKETS + rb'|"')
# Outside an array a line that starts with "{" starts a record: if one is still open then, it was cut off.
_TOKEN_OUTSIDE = re.compile(_STRING + _BRACKETS + rb'|"|\n(?=\{)')
# A BOM may stand wherever files were put behind each other.
_GAP = re.compile(rb"(?:[\s,]|\xef\xbb\xbf)*+")
_TOKEN_AFTER_SCALAR = re.compile(_STRING + rb'|[,\]\n]|"')

_OPENING = b"{["
_CLOSING = b"}]"
# No reader goes so deep, and no value is so many strings behind each other: it costs its line, and is not looked at
# to its end.
_MOST_DEPTH = 100_000
_MOST_STRINGS = 10_000
_TURN_TOKENS = 250_000  # then others get their turn


@dataclass(slots=True)
class Scan:
    """What one look at a buffer found."""

    values: list[bytes] = field(default_factory=list)  # in order; not checked: one may turn out unreadable
    consumed: int = 0  # bytes of the buffer that are done with
    inside: bool = False  # whether what follows is inside an array


def scan(buffer: bytes, *, inside: bool, final: bool, most: int) -> Iterator[Scan | None]:
    """Split *buffer*, which begins between two records, into the values that end in it, *most* at the most.

    Yield ``None`` as often as this takes so long that others must get their turn meanwhile, and what was found at last.
    *final* says that nothing follows: a value still open then is given out as it is.
    """
    found = Scan(inside=inside)
    while len(found.values) < most:
        at = _gap_end(buffer, found.consumed)
        found.consumed = at
        if at == len(buffer):
            break
        if buffer[at] == ord("[") and not found.inside:
            found.inside, found.consumed = True, at + 1
        elif buffer[at] == ord("]") and found.inside:
            found.inside, found.consumed = False, at + 1
        else:
            end = yield from _value_end(buffer, at, inside=found.inside)
            if end is None:
                if not final:
                    break
                end = len(buffer)
            found.values.append(buffer[at:end])
            found.consumed = end
    yield found


def _gap_end(buffer: bytes, at: int) -> int:
    gap = _GAP.match(buffer, at)
    return gap.end() if gap else at


def _value_end(buffer: bytes, at: int, *, inside: bool) -> Generator[None, None, int | None]:
    """Return where the value that starts *at* ends; ``None`` if it does not end in *buffer*."""
    if buffer[at] in _OPENING:
        return (yield from _bracket_end(buffer, at, inside=inside))
    if not inside:
        return _line_end(buffer, at)
    return _scalar_end(buffer, at)


def _scalar_end(buffer: bytes, at: int) -> int | None:
    for count, token in enumerate(_TOKEN_AFTER_SCALAR.finditer(buffer, at)):
        if buffer[token.start()] != ord('"'):
            return token.start()
        if token.end() - token.start() == 1 or count == _MOST_STRINGS:
            return _line_end(buffer, token.start())
    return None


def _bracket_end(buffer: bytes, at: int, *, inside: bool) -> Generator[None, None, int | None]:
    depth = 0
    tokens = (_TOKEN_IN_ARRAY if inside else _TOKEN_OUTSIDE).finditer(buffer, at)
    for count, token in enumerate(tokens, 1):
        if not count % _TURN_TOKENS:
            yield
        first = buffer[token.start()]
        if first in _OPENING:
            depth += token.end() - token.start()
            if depth > _MOST_DEPTH:
                return _line_end(buffer, token.start())
        elif first in _CLOSING:
            if depth <= token.end() - token.start():
                return token.start() + depth
            depth -= token.end() - token.start()
        elif first == ord("\n"):
            return token.start()
        elif token.end() - token.start() == 1:  # a quote whose string does not end on its line
            return _line_end(buffer, token.start())
    return None


def _line_end(buffer: bytes, at: int) -> int | None:
    newline = buffer.find(b"\n", at)
    return None if newline < 0 else newline

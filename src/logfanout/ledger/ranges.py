"""Which records of an object has a destination taken?

    positions acknowledged ──► Ranges ──► "0-4999,6000-6010" ──► Ranges ──► what the next attempt leaves out

Pure. Positions count an object's records from 0; the same object has the same positions at every attempt.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import msgspec

_TEXT = re.compile(r"(?:\d+-\d+(?:,\d+-\d+)*)?", re.ASCII)


class Ranges(msgspec.Struct, frozen=True):
    """A set of positions, as half-open ranges in order that neither touch nor overlap."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, positions: Iterable[int]) -> "Ranges":
        """Return the set of *positions*, in any order, repeats allowed."""
        return cls(tuple(_joined((position, position + 1) for position in positions)))

    @classmethod
    def parse(cls, text: str) -> "Ranges":
        """Return what ``str`` made *text* of.

        Raises:
            ValueError: it was not made by it.
        """
        if not _TEXT.fullmatch(text):
            raise ValueError("no list of ranges, first-last,first-last")
        pairs = (part.split("-") for part in text.split(",") if part)
        found = cls(tuple(_joined((int(first), int(last) + 1) for first, last in pairs)))
        if str(found) != text:  # reversed, out of order, touching: somebody else's, so none of it is believed
            raise ValueError("no ranges in order that neither touch nor overlap")
        return found

    def __str__(self) -> str:
        return ",".join(f"{start}-{end - 1}" for start, end in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __contains__(self, position: int) -> bool:
        at = bisect_right(self.spans, (position, float("inf")))
        return at > 0 and position < self.spans[at - 1][1]

    def __len__(self) -> int:
        """Count the positions."""
        return sum(end - start for start, end in self.spans)

    def __or__(self, other: "Ranges") -> "Ranges":
        return Ranges(tuple(_joined((*self.spans, *other.spans))))

    def holds_any(self, start: int, end: int) -> bool:
        """Whether a position from *start* up to *end* is in the set."""
        at = bisect_right(self.spans, (end - 1, float("inf")))
        return start < end and at > 0 and self.spans[at - 1][1] > start

    def missing(self, positions: Sequence[int]) -> list[bool]:
        """Return for each of *positions* whether it is not in the set."""
        return [position not in self for position in positions]

    def at_most(self, spans: int) -> "Ranges":
        """Return a subset of no more than *spans* ranges: the largest. What is left out may be delivered twice."""
        if len(self.spans) <= spans:
            return self
        largest = sorted(self.spans, key=lambda span: span[0] - span[1])[:spans]
        return Ranges(tuple(sorted(largest)))


NOTHING = Ranges()
# All that an object has, however many records these are: a destination with this needs the object no more.
ALL = Ranges(((0, 2**53),))


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start = end = -1
    for first, last in sorted(spans):
        if first <= end:
            end = max(end, last)
            continue
        if end > start:
            yield start, end
        start, end = first, last
    if end > start:
        yield start, end

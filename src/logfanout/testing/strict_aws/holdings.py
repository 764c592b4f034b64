"""What has CloudWatch Logs accepted, in whose account, and which limits were broken on the way?

    (account, region, group, stream), events ──► Holdings ──► puts in the order of their arrival

Everything accepted stays readable, also of groups deleted since: an audit asks what arrived, not what is left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from logfanout.ports import Rejections


class Place(NamedTuple):
    """One log group of one account."""

    account: str
    region: str
    group: str


@dataclass(slots=True, kw_only=True)
class Put:
    """One PutLogEvents that was accepted."""

    place: Place
    stream: str
    at_ms: int  # epoch
    count: int  # of events stored
    size_bytes: int  # by CloudWatch's reckoning, 26 an event
    rejected: Rejections
    times: Sequence[int] = field(repr=False)  # of the events stored; empty if events are not kept
    messages: Sequence[str] = field(repr=False)
    answered: bool = False  # whether the answer went out


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One PutLogEvents that was refused for a limit it broke."""

    place: Place
    stream: str
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class Stream:
    """One log stream that exists."""

    created_ms: int
    puts: list[Put] = field(default_factory=list, repr=False)


@dataclass(slots=True, kw_only=True)
class Group:
    """One log group that exists."""

    created_ms: int
    retention_days: int | None = None
    streams: dict[str, Stream] = field(default_factory=dict)


class Holdings:
    """All accounts' log groups, and what arrived in them."""

    def __init__(self, *, keep_events: bool = True) -> None:
        self.keep_events = keep_events  # False: only counts, for a bench of many gigabytes
        self.groups: dict[Place, Group] = {}
        self.puts: list[Put] = []
        self.broken: list[Broken] = []

    def __repr__(self) -> str:
        return f"<Holdings {len(self.groups)} groups, {len(self.puts)} puts, {len(self.broken)} limits broken>"

    def record(self, put: Put) -> Put:
        """Take *put*, whose stream exists."""
        if not self.keep_events:
            put.times = put.messages = ()
        self.puts.append(put)
        self.groups[put.place].streams[put.stream].puts.append(put)
        return put

    def places(self) -> list[Place]:
        """Return where anything is or was, sorted."""
        return sorted({*self.groups, *(put.place for put in self.puts)})

    def arrived(self, place: Place) -> Iterator[Put]:
        """Yield the puts of *place* in the order of their arrival."""
        return (put for put in self.puts if put.place == place)

    def clear(self) -> None:
        """Forget everything."""
        self.groups.clear()
        self.puts.clear()
        self.broken.clear()

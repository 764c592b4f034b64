"""Did every event arrive, once, where it belongs, and nowhere else?

    what was written (Expectation, ...) ─┐
                                         ├──► compare ──► Report, one Row a tenant
    what lies there  (Finding, ...)  ────┘

Pure. Events are compared as multisets: the same line twice in one millisecond must be there twice.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from logfanout.demo.pods import Event

SAMPLES = 3  # of each kind of trouble, enough to look for it by hand


class Place(NamedTuple):
    """One log group in one account."""

    account: str
    region: str
    group: str


class Sighting(NamedTuple):
    """One event as CloudWatch shows it."""

    event: Event
    ingested_ms: int


@dataclass(slots=True, kw_only=True)
class Expectation:
    """What one tenant must receive. Filled while objects are written."""

    tenant: str
    place: Place
    objects: int = 0
    withheld: int = 0  # events of applications the tenant has not asked for
    put_ms: dict[Event, list[int]] = field(default_factory=lambda: defaultdict(list), repr=False)

    @property
    def wanted(self) -> int:
        """How many events must arrive."""
        return sum(map(len, self.put_ms.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Everything one log group holds."""

    place: Place
    sightings: Sequence[Sighting] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one tenant fared."""

    tenant: str
    place: Place
    objects: int
    written: int  # events in its objects
    withheld: int
    delivered: int  # in its own group, repetitions not counted
    missing: int
    twice: int  # in its own group, more often than written
    astray: int  # in anybody else's group, account or region
    unknown: int  # in its own group, though nobody wrote it like this, or it was to be withheld
    lag_p50_ms: float
    lag_p99_ms: float

    @property
    def clean(self) -> bool:
        """Whether it received exactly what it should."""
        return not (self.missing or self.twice or self.astray or self.unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The comparison, and a few examples of whatever is wrong."""

    rows: tuple[Row, ...]
    unclaimed: int  # unknown events in groups of no tenant
    samples: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether everything is as it must be."""
        return not self.unclaimed and all(row.clean for row in self.rows)


@dataclass(slots=True)
class _Trouble:
    """What of one tenant is not as it must be, while it is counted."""

    missing: Counter[Event] = field(default_factory=Counter)
    twice: Counter[Event] = field(default_factory=Counter)
    astray: Counter[Event] = field(default_factory=Counter)
    unknown: Counter[Event] = field(default_factory=Counter)

    def samples(self, tenant: str) -> Iterator[str]:
        for kind in ("missing", "twice", "astray", "unknown"):
            counted: Counter[Event] = getattr(self, kind)
            for event, count in counted.most_common(SAMPLES):
                yield f"{tenant}: {kind} ({count}): at {event.at_ms} ms: {event.text[:120]!r}"


def compare(expected: Sequence[Expectation], found: Sequence[Finding]) -> Report:
    """Return how *expected* and *found* differ, tenants in the order of *expected*.

    What was written once and lies in the wrong place counts as missing for its tenant and as astray.
    """
    there: dict[Place, Counter[Event]] = defaultdict(Counter)
    for finding in found:
        there[finding.place].update(sighting.event for sighting in finding.sightings)
    troubles = {one.tenant: _Trouble() for one in expected}
    nobodys: Counter[Event] = Counter()
    by_place = {one.place: one for one in expected}
    for place, counted in there.items():
        nobodys.update(_strangers(by_place.get(place), counted, expected, troubles))
    for one in expected:
        troubles[one.tenant].missing = Counter(_counts(one)) - there[one.place]
    sightings = {finding.place: finding.sightings for finding in found}
    return Report(
        rows=tuple(_row(one, troubles[one.tenant], sightings.get(one.place, ())) for one in expected),
        unclaimed=nobodys.total(),
        samples=tuple(text for one in expected for text in troubles[one.tenant].samples(one.tenant)),
    )


def _counts(one: Expectation) -> Mapping[Event, int]:
    return {event: len(puts) for event, puts in one.put_ms.items()}


def _strangers(
    here: Expectation | None,
    counted: Counter[Event],
    expected: Sequence[Expectation],
    troubles: Mapping[str, _Trouble],
) -> Counter[Event]:
    """Note what one group holds too much of with whoever it belongs to; return what belongs to nobody."""
    left: Counter[Event] = Counter()
    for event, surplus in (counted - Counter(_counts(here) if here else {})).items():
        if here and event in here.put_ms:
            troubles[here.tenant].twice[event] += surplus
        elif owner := next((one for one in expected if event in one.put_ms), None):
            troubles[owner.tenant].astray[event] += surplus
        elif here:
            troubles[here.tenant].unknown[event] += surplus
        else:
            left[event] += surplus
    return left


def _row(one: Expectation, trouble: _Trouble, sightings: Sequence[Sighting]) -> Row:
    lags = sorted(_lags(one, sightings))
    wanted, missing = one.wanted, trouble.missing.total()
    return Row(
        tenant=one.tenant,
        place=one.place,
        objects=one.objects,
        written=wanted + one.withheld,
        withheld=one.withheld,
        delivered=wanted - missing,
        missing=missing,
        twice=trouble.twice.total(),
        astray=trouble.astray.total(),
        unknown=trouble.unknown.total(),
        lag_p50_ms=percentile(lags, 0.50),
        lag_p99_ms=percentile(lags, 0.99),
    )


def _lags(one: Expectation, sightings: Sequence[Sighting]) -> Iterator[int]:
    """Yield, for each event that was expected, the time from its object's put to its ingestion."""
    ingested: dict[Event, list[int]] = defaultdict(list)
    for sighting in sightings:
        ingested[sighting.event].append(sighting.ingested_ms)
    for event, puts in one.put_ms.items():
        # Equal events of several objects cannot be told apart: the earlier put goes with the earlier arrival.
        for put, arrived in zip(sorted(puts), sorted(ingested.get(event, ())), strict=False):
            yield arrived - put


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of *ordered* that *share* of them do not exceed; ``nan`` if there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan

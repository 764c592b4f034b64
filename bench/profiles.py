"""Which loads are measured, and what must come of them?

Targets are those of the project: docs/performance.md gives the reason for each. Settings are the worker's defaults but
for what a profile is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.figures import Target
from bench.load import Load
from logfanout.demo.vector import Framing

BIG_RECORDS, SMALL_RECORDS = 60_000, 200
SMALL_OBJECTS = 10_000
MANY_TENANTS = 10_000
# An object every five minutes from each of a tenant's pods: with three, a tenant has this many within five minutes.
TENANT_OBJECTS = 3 * MANY_TENANTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One worker under one load."""

    name: str
    load: Load
    warm_up: int  # objects delivered before measuring begins
    settings: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Cases that answer one question together; figures of a case are named ``<case>.<figure>``."""

    name: str
    asks: str
    cases: tuple[Case, ...]
    targets: tuple[Target, ...] = ()
    ratios: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # a figure: this one by that one
    # How often the cases take turns, each time with a part of their load; 1: they run one after the other.
    turns: int = 1


def _big(name: str, framing: Framing) -> Case:
    return Case(name=name, load=Load(objects=12, records=BIG_RECORDS, framing=framing, variants=2), warm_up=2)


def _small(name: str, *, tenants: int, objects: int, processes: int = 1) -> Case:
    return Case(
        name=name,
        load=Load(objects=objects, records=SMALL_RECORDS, tenants=tenants, variants=8),
        warm_up=400,
        processes=processes,
        settings={"LOGFANOUT_PROCESSES": str(processes)},
    )


def _noisy(name: str, *, throttled: float) -> Case:
    return Case(
        name=name,
        load=Load(
            objects=3_000,
            records=SMALL_RECORDS,
            tenants=21,
            variants=8,
            every_seconds=0.01,  # a third of what a worker can do: what is measured is not a backlog
            noisy_of=10,
            throttled=throttled,
        ),
        warm_up=400,
    )


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="big",
            asks="what a byte of a large object costs",
            cases=(_big("lines", Framing.NEWLINE), _big("array", Framing.ARRAY)),
            targets=tuple(
                target
                for case in ("lines", "array")
                for target in (
                    Target(f"{case}.mb_per_cpu_second", ">=", 300),
                    Target(f"{case}.share_of_floor", ">=", 0.5),
                )
            ),
        ),
        Profile(
            name="small",
            asks="what an object of 200 records costs",
            cases=(_small("small", tenants=200, objects=SMALL_OBJECTS),),
            targets=(Target("small.cpu_ms_per_object", "<=", 1.0),),
        ),
        Profile(
            name="tenants",
            asks="what it costs to have many tenants",
            cases=(
                _small("one", tenants=1, objects=TENANT_OBJECTS),
                _small("many", tenants=MANY_TENANTS, objects=TENANT_OBJECTS),
            ),
            turns=20,
            ratios={"many_by_one": ("many.cpu_ms_per_object", "one.cpu_ms_per_object")},
            targets=(
                Target("many_by_one", "<=", 1.3),
                Target("many.peak_memory_mb", "<=", 300),
                Target("many.most_assumed", "<=", 2),
            ),
        ),
        Profile(
            name="huge",
            asks="whether memory stays flat under one object of 1.5 GB",
            cases=(
                Case(
                    name="huge",
                    load=Load(objects=1, records=6_000, members=174, framing=Framing.ARRAY, variants=1),
                    warm_up=0,
                ),
            ),
            targets=(Target("huge.peak_memory_mb", "<=", 200),),
        ),
        Profile(
            name="idle",
            asks="how long an idle fleet takes from announcement to accepted put",
            cases=(
                Case(
                    name="idle",
                    load=Load(objects=400, records=SMALL_RECORDS, tenants=20, variants=8, every_seconds=0.04),
                    warm_up=100,
                ),
            ),
            targets=(Target("idle.p50_ms", "<=", 15), Target("idle.p99_ms", "<=", 50)),
        ),
        Profile(
            name="noisy",
            asks="how much one throttled tenant delays the others",
            cases=(_noisy("calm", throttled=0.0), _noisy("noisy", throttled=0.6)),
            ratios={"others_p99_by_calm": ("noisy.p99_ms", "calm.p99_ms")},
            targets=(Target("others_p99_by_calm", "<=", 1.3),),
        ),
        Profile(
            name="processes",
            asks="what a second process gives",
            cases=(
                _small("one", tenants=200, objects=SMALL_OBJECTS),
                _small("two", tenants=200, objects=2 * SMALL_OBJECTS, processes=2),
            ),
            ratios={
                "two_by_one": ("two.objects_per_second", "one.objects_per_second"),
                "cost_of_two_by_one": ("two.cpu_ms_per_object", "one.cpu_ms_per_object"),
            },
            targets=(Target("two_by_one", ">=", 1.8),),
        ),
    )
}

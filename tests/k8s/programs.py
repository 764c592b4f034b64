"""What do the collector's transforms make of an event?

    k8s/base/vector/*.vrl, the text that ships ──► the VRL compiler ──► event in, event out

The environment is the process's own, as it is for Vector: VRL reads it at every event.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from os import environ
from pathlib import Path
from typing import Any

import yaml
from vrl_python import VRLRuntime

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VECTOR = ROOT / "k8s" / "base" / "vector"
Event = dict[str, Any]

# What an event of a pod passes, in order.
PODS = ("identified", "timed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One event, and all that must leave; ``None``: nothing."""

    name: str
    transforms: tuple[str, ...]
    environment: str
    event: Event
    expect: Event | None


@cache
def config() -> dict[str, Any]:
    """Return ``vector.yaml`` as it is written, variables and all."""
    loaded: dict[str, Any] = yaml.safe_load((VECTOR / "vector.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def source(transform: str) -> str:
    """Return the program of a ``remap``."""
    path: Path = VECTOR / config()["transforms"][transform]["file"]
    return path.read_text(encoding="utf-8")


@cache
def _runtime(_program: str) -> VRLRuntime:
    """Return the runtime of one program: it remembers what it compiled last, and no more."""
    return VRLRuntime()


def run(program: str, event: Event) -> Any:
    """Return what *program* makes of *event*, which stays as it is."""
    return _runtime(program).execute(program, event)


def through(transforms: tuple[str, ...], event: Event) -> Event | None:
    """Return what leaves the last of *transforms*; ``None`` if one of them lets nothing pass."""
    for name in transforms:
        transform = config()["transforms"][name]
        if transform["type"] == "filter":
            if run(transform["condition"], event).runtime_result is not True:
                return None
        else:
            event = run(source(name), event).processed_event
    return event


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))
    return loaded


def environments() -> Mapping[str, Mapping[str, str]]:
    """Return the environments that cases ask for, by name."""
    found: Mapping[str, Mapping[str, str]] = _data()["environments"]
    return found


def cases() -> list[Case]:
    """Return every case of ``cases.yaml``; one that does not say runs in the environment ``shared``."""
    return [
        Case(
            name=case["name"],
            transforms=(case["transform"],) if "transform" in case else PODS,
            environment=case.get("environment", "shared"),
            event=case["event"],
            expect=case["expect"],
        )
        for case in _data()["cases"]
    ]


@contextmanager
def within(environment: Mapping[str, str]) -> Iterator[None]:
    """Have these variables and no other of the collector's while the block runs."""
    names = {name for each in environments().values() for name in each}
    before = {name: environ.pop(name, None) for name in names}
    environ.update(environment)
    try:
        yield
    finally:
        for name in names | set(environment):
            environ.pop(name, None)
        environ.update({name: value for name, value in before.items() if value is not None})

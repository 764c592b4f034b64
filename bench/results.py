"""How are results kept and told?

    runs of each case ──► Outcome ──► bench/results/<profile>.json, a table for people

One file a profile, replaced by the next run: git keeps the history.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench.figures import Figures, Summary, Verdict, ratio, ratio_in_turns, summarised
from bench.machine import Machine
from bench.profiles import Profile
from bench.running import Run

FOLDER = Path(__file__).parent / "results"
# What a person reads first, in this order; the files hold all.
SHOWN = {
    "cpu_ms_per_object": "CPU-ms/object",
    "floor_cpu_ms_per_object": "its floor",
    "mb_per_cpu_second": "MB/CPU-s",
    "cpu_seconds_per_gb": "CPU-s/GB",
    "share_of_floor": "of the floor",
    "objects_per_second": "objects/s",
    "wall_seconds": "wall s",
    "peak_memory_mb": "peak MB",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "requests": "requests",
    "worker_busy": "worker busy",
    "stub_busy": "stub busy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One profile, measured."""

    profile: str
    asks: str
    taken_at: str  # UTC
    machine: Machine
    runs: int
    summaries: dict[str, Summary]  # "<case>.<figure>", and the profile's ratios
    requests: dict[str, dict[str, int]]  # by case, of the last run
    verdicts: tuple[Verdict, ...]
    not_judged: str | None  # why, where no target was

    @property
    def reached(self) -> bool:
        """Whether every target that could be judged was reached."""
        return all(verdict.reached is not False for verdict in self.verdicts)


def outcome(
    profile: Profile, rounds: Sequence[Mapping[str, Run]], *, machine: Machine, not_judged: str | None = None
) -> Outcome:
    """Return what *rounds*, each with a run of every case, say; no target is judged where *not_judged* says why."""
    runs = [flattened(each) for each in rounds]
    summaries = summarised(runs)
    for name, (this, that) in ratios(profile).items():
        taken_in_turns = profile.turns > 1 and name in profile.ratios
        summaries[name] = ratio_in_turns(this, that, runs) if taken_in_turns else ratio(this, that, runs, summaries)
    return Outcome(
        profile=profile.name,
        asks=profile.asks,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine,
        runs=len(rounds),
        summaries=summaries,
        requests={name: run.requests for name, run in rounds[-1].items()},
        verdicts=tuple(target.judge({} if not_judged else summaries) for target in profile.targets),
        not_judged=not_judged,
    )


def flattened(runs: Mapping[str, Run]) -> Figures:
    """Return the figures of one round under the names that targets use."""
    return {f"{case}.{name}": value for case, run in runs.items() for name, value in run.figures.items()}


def ratios(profile: Profile) -> Mapping[str, tuple[str, str]]:
    """Return which figure by which other: the profile's own, and what the floor is of each case."""
    floors = {
        f"{case.name}.share_of_floor": (f"{case.name}.floor_cpu_ms_per_object", f"{case.name}.cpu_ms_per_object")
        for case in profile.cases
    }
    return {**floors, **profile.ratios}


def keep(found: Outcome, *, folder: Path = FOLDER) -> Path:
    """Write *found* to its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.profile}.json"
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    path.write_bytes(orjson.dumps(rounded(asdict(found)), option=options))
    return path


def rounded(value: object) -> object:
    """Return *value* with every number in it to four digits: more would only be noise."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {str(name): rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [rounded(each) for each in value]
        case other:
            raise TypeError(f"results hold no {type(other).__name__}")


def told(found: Outcome) -> Iterator[str]:
    """Yield the lines that say it to a person: the median of the runs, and the best where a target judges it."""
    yield f"{found.profile}: {found.asks} ({_times(found.runs)})"
    cases = list(found.requests)
    width = max(map(len, SHOWN.values()))
    yield f"  {'':{width}} {''.join(f'{case:>12}' for case in cases)}"
    for name, title in SHOWN.items():
        row = [found.summaries.get(f"{case}.{name}") for case in cases]
        yield f"  {title:{width}} {''.join(f'{_number(each):>12}' for each in row)}"
    for case, requests in found.requests.items():
        yield f"  {case} asked: {', '.join(f'{name} {count}' for name, count in sorted(requests.items()))}"
    for verdict in found.verdicts:
        if verdict.reached is None:
            yield f"  not judged  {verdict.target}: {found.not_judged}"
        else:
            yield f"  {'reached' if verdict.reached else 'MISSED ':10}  {verdict.target}: {_value(verdict.best)}"


def _times(runs: int) -> str:
    return "1 run" if runs == 1 else f"median of {runs} runs"


def _number(summary: Summary | None) -> str:
    return "-" if summary is None else _value(summary.median)


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

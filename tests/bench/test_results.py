"""Are results kept whole, told in words, and drawn?"""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from bench.figures import Target
from bench.load import Load
from bench.profiles import PROFILES, Case, Profile
from bench.running import Cores, Run, together, without_places
from bench.stub import Served

from bench import machine, plot, results

HERE = machine.Machine(
    cpu="a cpu", cores=2, memory_gb=1.0, kernel="6", python="CPython 3", optimised=True, packages={}, load_before=0.1
)
PROFILE = Profile(
    name="pair",
    asks="what two cost",
    cases=tuple(Case(name=name, load=Load(objects=1, records=1), warm_up=0) for name in ("one", "two")),
    ratios={"two_by_one": ("two.cpu_ms_per_object", "one.cpu_ms_per_object")},
    targets=(Target("two_by_one", "<=", 1.3), Target("one.peak_memory_mb", "<=", 10)),
)


def run(cpu: float, memory: float) -> Run:
    """Return a run with three figures."""
    figures = {"cpu_ms_per_object": cpu, "peak_memory_mb": memory, "floor_cpu_ms_per_object": 0.5}
    return Run(figures=figures, requests={"GetObject": 1})


def pair(*, not_judged: str | None = None) -> results.Outcome:
    """Return two rounds: in the second something else ran on the machine, while the first case did."""
    rounds = [{"one": run(1.0, 12.0), "two": run(1.2, 1.0)}, {"one": run(4.0, 11.0), "two": run(1.6, 1.0)}]
    return results.outcome(PROFILE, rounds, machine=HERE, not_judged=not_judged)


def test_a_disturbed_side_makes_no_ratio_better() -> None:
    """Either side is taken from its own best round; in the second round alone two would cost less than one."""
    found = pair()
    assert [(v.best, v.reached) for v in found.verdicts] == [(1.2, True), (11.0, False)]
    assert not found.reached
    assert found.summaries["two_by_one"].median == pytest.approx(0.8)
    assert found.summaries["one.share_of_floor"].most == 0.5


def test_cases_that_took_turns_are_judged_by_the_runs_own_ratios() -> None:
    """What disturbed one of them disturbed the other as much."""
    rounds = [{"one": run(one, 1.0), "two": run(two, 1.0)} for one, two in ((1.0, 1.5), (4.0, 4.8), (2.0, 2.2))]
    found = results.outcome(replace(PROFILE, turns=2), rounds, machine=HERE)
    assert found.verdicts[0].best == pytest.approx(1.2)
    assert found.verdicts[0].reached
    assert found.summaries["one.share_of_floor"].most == 0.5  # each of another moment than its case: by the best


def test_turns_are_told_as_one() -> None:
    """Sums where a turn begins anew, and the last word of what is counted since the stub began."""
    turns = [
        Served(
            wall_seconds=1.0 * n, cpu_seconds=0.5, objects=10, events=100, amiss=0, wrong=("late",) * (n - 1),
            looked_at=3 * n, requests={"GetObject": n}, most_assumed=n, delays_seconds={"others": [float(n)]},
        )
        for n in (1, 2)
    ]  # fmt: skip
    whole = together(turns)
    assert (whole.wall_seconds, whole.cpu_seconds, whole.objects, whole.events) == (3.0, 1.0, 20, 200)
    assert (whole.wrong, whole.looked_at, whole.most_assumed) == (("late",), 6, 2)
    assert (whole.requests, whole.delays_seconds) == ({"GetObject": 3}, {"others": [1.0, 2.0]})


def test_what_cannot_be_judged_is_no_miss() -> None:
    """Each target is told with the reason."""
    found = pair(not_judged="needs more cores")
    assert found.reached
    told = [line.strip() for line in results.told(found) if "not judged" in line]
    assert told == [f"not judged  {target}: needs more cores" for target in PROFILE.targets]


def test_a_person_is_told_what_was_missed() -> None:
    """With the figure and the bound."""
    lines = "\n".join(results.told(pair()))
    assert "MISSED      one.peak_memory_mb ≤ 10: 11" in lines
    assert "reached     two_by_one ≤ 1.3: 1.2" in lines
    assert "median of 2 runs" in lines


def test_what_is_kept_can_be_drawn(tmp_path: Path) -> None:
    """A bar for each target that was judged, as a share of it: more is better whichever way it is meant."""
    kept = orjson.loads(results.keep(pair(), folder=tmp_path).read_bytes())
    assert kept["machine"]["cpu"] == "a cpu"
    assert kept["requests"] == {"one": {"GetObject": 1}, "two": {"GetObject": 1}}
    [ratio, memory] = plot.bars(tmp_path)
    assert (round(ratio.share, 3), ratio.reached) == (1.083, True)
    assert (round(memory.share, 3), memory.reached) == (0.909, False)


def test_results_hold_no_noise_and_nothing_unknown() -> None:
    """Four digits; counts stay whole."""
    assert results.rounded({"a": [1.23456, 123456, None, "x", True]}) == {"a": [1.235, 123456, None, "x", True]}
    with pytest.raises(TypeError, match="bytes"):
        results.rounded({"a": b""})


def test_every_target_names_a_figure_that_is_measured() -> None:
    """One that nobody measures would never be missed."""
    figures = {
        "cpu_ms_per_object",
        "mb_per_cpu_second",
        "share_of_floor",
        "peak_memory_mb",
        "most_assumed",
        "objects_per_second",
        "p50_ms",
        "p99_ms",
    }
    for profile in PROFILES.values():
        known = {f"{case.name}.{figure}" for case in profile.cases for figure in figures} | set(profile.ratios)
        assert {target.figure for target in profile.targets} <= known
        assert {name for pair in profile.ratios.values() for name in pair} <= known


@pytest.mark.parametrize(
    ("available", "workers", "stub", "worker"),
    [
        ((0,), 1, (), ()),
        ((0, 1), 1, (0,), (1,)),
        ((0, 1), 2, (0,), (0, 1)),
        ((2, 3, 5, 7), 2, (2,), (3, 5)),
    ],
)
def test_the_stub_has_a_core_of_its_own_where_there_are_two(
    available: tuple[int, ...], workers: int, stub: tuple[int, ...], worker: tuple[int, ...]
) -> None:
    """More processes than cores share what there is."""
    found = Cores.of(available, processes=workers)
    assert (found.stub, found.worker) == (stub, worker)


def test_a_flame_graph_names_no_places() -> None:
    """It is published too."""
    drawn = (
        "<text>/home/a/.venv/bin/py-spy record --gil --pid 7 --output /home/a/f.svg</text>"
        "<title>process 7:&quot;/home/a/python -m logfanout run&quot; (9 samples, 100.00%)</title>"
    )
    assert without_places(drawn) == (
        "<text>logfanout run, seen by py-spy</text><title>logfanout run (9 samples, 100.00%)</title>"
    )


def test_the_machine_is_told_without_names() -> None:
    """Results are published."""
    here = machine.here()
    assert here.cores >= 1
    assert here.memory_gb > 0
    assert "/" not in here.python

"""How is the bench run?

    python -m bench [--profile NAME]... [--repeats N] [--json] [--flame FOLDER] [--no-results]

Exit codes: 0 every target reached, 1 one missed or something measured cannot be trusted, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import orjson

from bench import machine, plot, processes, results
from bench.profiles import PROFILES, Profile
from bench.results import Outcome
from bench.running import BenchFailed, Run, measured
from bench.worker import WorkerFailed

MISSED = 1


def main() -> int:
    """Parse the command line, measure, tell; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure workers beside a stub AWS.")
    parser.add_argument("--profile", action="append", choices=PROFILES, help="which to run; none: all")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each case; the best is judged (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--flame", type=Path, help="record a flame graph of each case in this folder; nothing is judged"
    )
    parser.add_argument("--no-results", action="store_true", help="write no files under bench/results")
    asked = parser.parse_args()
    if asked.repeats < 1:
        parser.error("--repeats: at least 1")
    say = _to(sys.stderr if asked.json else sys.stdout)
    chosen = [PROFILES[name] for name in asked.profile or PROFILES]
    try:
        found = [_profile(profile, asked, say) for profile in chosen]
    except (BenchFailed, WorkerFailed) as why:
        sys.stderr.write(f"bench: {why}\n")
        return MISSED
    if asked.json:
        sys.stdout.write(orjson.dumps([results.rounded(asdict(each)) for each in found]).decode() + "\n")
    return 0 if asked.flame or all(each.reached for each in found) else MISSED


def _profile(profile: Profile, asked: argparse.Namespace, say: Callable[[str], None]) -> Outcome:
    where = machine.here()
    rounds = []
    for turn in range(asked.repeats):
        say(f"{profile.name}: run {turn + 1} of {asked.repeats}")
        rounds.append(_round(profile, asked.flame))
    found = results.outcome(profile, rounds, machine=where, not_judged=_not_judged(profile, asked.flame))
    if not asked.no_results and not asked.flame:
        results.keep(found)
        plot.draw(results.FOLDER)
    for line in results.told(found):
        say(line)
    return found


def _not_judged(profile: Profile, flame: Path | None) -> str | None:
    if flame:
        return "who draws a flame graph slows the worker down"
    if not processes.are_enough(max(case.processes for case in profile.cases)):
        return "needs a core for each process and one for the stub"  # with fewer the processes only take turns
    return None


def _round(profile: Profile, flame: Path | None) -> Mapping[str, Run]:
    flames = {case.name: flame / f"{profile.name}-{case.name}.svg" for case in profile.cases} if flame else None
    if profile.turns > 1:
        return measured(profile.cases, turns=profile.turns, flames=flames)
    one_by_one: dict[str, Run] = {}
    for case in profile.cases:
        one_by_one |= measured([case], flames=flames)
    return one_by_one


def _to(stream: TextIO) -> Callable[[str], None]:
    def say(line: str) -> None:
        stream.write(f"{line}\n")
        stream.flush()

    return say


if __name__ == "__main__":
    sys.exit(main())

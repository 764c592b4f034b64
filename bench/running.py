"""How are cases measured?

    stub process, on a core of its own ──► worker, on another ──► warm-up ──► Announce ──► Served ──► figures

What the worker uses before and after is not counted: it lives for days. The floor is measured before it and after,
since a shared machine's speed changes within minutes: their mean is nearest to what it was in between. Cases that are
compared with each other take turns for the same reason: each has a stub and a worker of its own, which idle meanwhile.
"""

import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean
from typing import Any

from bench import floor, processes, stub, worker
from bench.figures import percentile
from bench.load import Load, Stored
from bench.profiles import Case
from bench.stub import Announce, Connected, Ready, Served

START_SECONDS = 120.0
RUN_SECONDS = 900.0
MB, GB, MS = 1e6, 1e9, 1e3


class BenchFailed(Exception):
    """What was measured cannot be trusted: events are missing, or the worker or the stub failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Who runs where; empty: wherever the machine likes."""

    stub: tuple[int, ...]
    worker: tuple[int, ...]

    @classmethod
    def of(cls, available: tuple[int, ...], *, processes: int) -> "Cores":
        """Give the stub the first core and the worker others, as many as it has processes; share what is too few."""
        if len(available) < 2:
            return cls(stub=(), worker=())
        if len(available) <= processes:
            return cls(stub=available[:1], worker=available)
        return cls(stub=available[:1], worker=available[1 : 1 + processes])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One case, measured once."""

    figures: dict[str, float]
    requests: dict[str, int]


@dataclass(slots=True)
class _Bench:
    """One case, set up: its worker waits for work."""

    case: Case
    harness: Connection
    objects: tuple[Stored, ...]
    worker: worker.Worker
    cores: Cores
    floors: list[float]  # CPU seconds a byte
    turns: list[Served] = field(default_factory=list)
    used: float = 0.0  # CPU seconds of all turns

    def work(self, order: Announce) -> None:
        """Have the worker deliver, and count what that costs.

        Raises:
            BenchFailed: not every event arrived once in its tenant's account, or a limit of AWS's was broken.
        """
        before = self.worker.cpu_seconds
        served = _announced(self.harness, order, self.worker)
        self.used += self.worker.cpu_seconds - before
        _require_all(served, self.case)
        self.turns.append(served)

    def measure_floor(self) -> None:
        """Measure the floor once more."""
        self.floors.append(floor.cpu_seconds(self.objects, cores=self.cores.worker[:1]))

    def run(self) -> Run:
        """Return what the case cost so far."""
        served = together(self.turns)
        peak = self.worker.peak_bytes
        figures = _figures(
            self.case.load, self.objects, served, used=self.used, peak=peak, floor_seconds=fmean(self.floors)
        )
        return Run(figures=figures, requests=served.requests)


def measured(cases: Sequence[Case], *, turns: int = 1, flames: Mapping[str, Path] | None = None) -> dict[str, Run]:
    """Return what each of *cases* costs here and now, by name; each does its load in so many *turns*.

    py-spy watches those that have a place among *flames*, and draws there what it saw.

    Raises:
        BenchFailed: not every event arrived once in its tenant's account, or a limit of AWS's was broken.
        WorkerFailed: a worker ended, or not with 0.
    """
    with ExitStack() as stack:
        benches = [stack.enter_context(_set_up(case)) for case in cases]
        with ExitStack() as watched:
            for each in benches:
                watched.enter_context(_watched(each.worker, (flames or {}).get(each.case.name)))
            for turn in range(turns):
                # There and back, so that no case always has its turn behind another's.
                for each in benches if turn % 2 == 0 else reversed(benches):
                    each.work(Announce(each.case.load.objects // turns))
        for each in benches:
            each.measure_floor()
        return {each.case.name: each.run() for each in benches}


@contextmanager
def _set_up(case: Case) -> Iterator[_Bench]:
    """Start a stub and a worker for *case*, and warm them up."""
    cores = Cores.of(processes.cores(), processes=case.processes)
    with _stub(case.load, cores) as harness, tempfile.TemporaryDirectory() as folder:
        ready: Ready = _told(harness, Ready)
        floors = [floor.cpu_seconds(ready.objects, cores=cores.worker[:1])]
        log = Path(folder) / "worker.log"
        with worker.running(ready.port, settings=case.settings, cores=cores.worker, log=log) as under_test:
            _told(harness, Connected, under_test)
            if case.warm_up:
                _require_all(_announced(harness, Announce(case.warm_up, at_once=True), under_test), case)
            yield _Bench(case, harness, ready.objects, under_test, cores, floors)


def together(turns: Sequence[Served]) -> Served:
    """Return *turns* of one stub as if they had been one."""
    requests: Counter[str] = Counter()
    delays: dict[str, list[float]] = {}
    for turn in turns:
        requests.update(turn.requests)
        for who, seconds in turn.delays_seconds.items():
            delays.setdefault(who, []).extend(seconds)
    return Served(
        wall_seconds=sum(turn.wall_seconds for turn in turns),
        cpu_seconds=sum(turn.cpu_seconds for turn in turns),
        objects=sum(turn.objects for turn in turns),
        events=sum(turn.events for turn in turns),
        amiss=sum(turn.amiss for turn in turns),
        wrong=turns[-1].wrong,  # these three are counted since the stub began
        looked_at=turns[-1].looked_at,
        most_assumed=turns[-1].most_assumed,
        requests=dict(requests),
        delays_seconds=delays,
    )


@contextmanager
def _watched(under_test: worker.Worker, flame: Path | None) -> Iterator[None]:
    """Let py-spy sample the block, if a flame graph is wanted."""
    if flame is None:
        yield
        return
    flame.parent.mkdir(parents=True, exist_ok=True)
    py_spy = Path(sys.executable).with_name("py-spy")
    options = ["--gil", "--rate", "250", "--subprocesses", "--pid", str(under_test.process.pid), "--output", str(flame)]
    watching = subprocess.Popen([py_spy, "record", *options], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(60)
        flame.write_text(without_places(flame.read_text(encoding="utf-8")), encoding="utf-8")


def without_places(graph: str) -> str:
    """Return a flame graph of py-spy's without the command lines in it: they name folders of this machine."""
    graph = re.sub(r"[^\s<>&;]*py-spy record[^<]*", "logfanout run, seen by py-spy", graph)
    return re.sub(r"process \d+:(?:&quot;|\")[^<]*?(?:&quot;|\")", "logfanout run", graph)


@contextmanager
def _stub(load: Load, cores: Cores) -> Iterator[Connection]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=stub.serve, args=(load, theirs, cores.stub), name="stub AWS", daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(5)
        process.kill()


def _told(harness: Connection, kind: type[Any], under_test: worker.Worker | None = None) -> Any:
    """Return the next thing the stub says, which must be of *kind*."""
    waited, step = 0.0, 0.5
    while not harness.poll(step):
        if under_test is not None:
            under_test.check()
        if (waited := waited + step) > RUN_SECONDS:
            raise BenchFailed(f"the stub had nothing to say within {RUN_SECONDS:.0f} s")
    try:
        said = harness.recv()
    except EOFError:
        raise BenchFailed("the stub ended; its traceback is above") from None
    if not isinstance(said, kind):
        raise BenchFailed(f"the stub says {said}")
    return said


def _announced(harness: Connection, order: Announce, under_test: worker.Worker) -> Served:
    harness.send(order)
    served: Served = _told(harness, Served, under_test)
    return served


def _require_all(served: Served, case: Case) -> None:
    expected = served.objects * case.load.events
    if served.events != expected or served.amiss or served.wrong:
        raise BenchFailed(
            f"{case.name}: {served.events} of {expected} events arrived, {served.amiss} objects or sessions amiss; "
            f"{'; '.join(served.wrong[:5])}"
        )


def _figures(
    load: Load, objects: tuple[Stored, ...], served: Served, *, used: float, peak: int, floor_seconds: float
) -> dict[str, float]:
    # Serials begin anywhere, so that variants are taken to have come equally often.
    inflated = sum(each.inflated_bytes for each in objects) / len(objects) * served.objects
    stored_bytes = sum(each.size_bytes for each in objects) / len(objects) * served.objects
    delays = [delay * MS for delay in served.delays_seconds["others"]]
    return {
        "cpu_seconds_per_gb": used / inflated * GB,
        "mb_per_cpu_second": inflated / used / MB,
        "cpu_ms_per_object": used / served.objects * MS,
        "floor_mb_per_cpu_second": 1 / floor_seconds / MB,
        "floor_cpu_ms_per_object": floor_seconds * inflated / served.objects * MS,
        "wall_seconds": served.wall_seconds,
        "cpu_seconds": used,
        "objects_per_second": served.objects / served.wall_seconds,
        "peak_memory_mb": peak / MB,
        "worker_busy": used / served.wall_seconds,
        "stub_busy": served.cpu_seconds / served.wall_seconds,
        "p50_ms": percentile(delays, 0.5),
        "p99_ms": percentile(delays, 0.99),
        "objects": served.objects,
        "events": served.events,
        "inflated_mb": inflated / MB,
        "stored_mb": stored_bytes / MB,
        "requests": sum(served.requests.values()),
        "most_assumed": served.most_assumed,
        "puts_judged": served.looked_at,
    }

"""How is one case measured?

    stub process, on a core of its own ──► worker, on another ──► warm-up ──► Announce ──► Served ──► figures

What the worker uses before and after is not counted: it lives for days. The floor is measured before it and after,
since a shared machine's speed changes within minutes: their mean is nearest to what it was in between.
"""

import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


def measured(case: Case, *, flame: Path | None = None) -> Run:
    """Return what *case* costs here and now; with *flame* py-spy watches, and draws there what it saw.

    Raises:
        BenchFailed: not every event arrived once in its tenant's account, or a limit of AWS's was broken.
        WorkerFailed: the worker ended, or not with 0.
    """
    cores = Cores.of(processes.cores(), processes=case.processes)
    with _stub(case.load, cores) as harness, tempfile.TemporaryDirectory() as folder:
        ready: Ready = _told(harness, Ready)
        floors = [floor.cpu_seconds(ready.objects, cores=cores.worker[:1])]
        log = Path(folder) / "worker.log"
        with worker.running(ready.port, settings=case.settings, cores=cores.worker, log=log) as under_test:
            _told(harness, Connected, under_test)
            if case.warm_up:
                _require_all(_announced(harness, Announce(case.warm_up, at_once=True), under_test), case)
            with _watched(under_test, flame):
                before = under_test.cpu_seconds
                served = _announced(harness, Announce(case.load.objects), under_test)
                used = under_test.cpu_seconds - before
            peak = under_test.peak_bytes
        floors.append(floor.cpu_seconds(ready.objects, cores=cores.worker[:1]))
        _require_all(served, case)
    return Run(
        figures=_figures(case.load, ready.objects, served, used=used, peak=peak, floor_seconds=fmean(floors)),
        requests=served.requests,
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

"""Which figures does ``/metrics`` show, where several processes count?

    one process:  prometheus_client's registry ──────────────► text
    several:      one file a process slot, summed up ─┐
                  the supervisor's own counters ──────┴──────► text

A slot keeps its file when its process is replaced: totals go on, and a crash loop does not pile up files.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Metric, multiprocess, values
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from logfanout.settings import SettingsWrong

SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # noqa: S108  a directory of our own is made in it, closed to others
SUPERVISORS_OWN = frozenset({"logfanout_process_restarts"})  # what the parent counts, and no child does

# prometheus_client ships types for a part of itself only; hence the ignores below.
# Series of seconds nobody asks for, one for each counter:
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


@contextmanager
def shared_directory() -> Iterator[Path]:
    """Make a directory in which processes leave their figures for one to sum up, and remove it in the end.

    Raises:
        SettingsWrong: there is no place to write to, not even a temporary one.
    """
    in_memory = str(MEMORY) if os.access(MEMORY, os.W_OK) else None  # None: where tempfile finds a place
    try:
        directory = tempfile.TemporaryDirectory(prefix="logfanout-metrics-", dir=in_memory)
    except OSError as error:
        why = f"LOGFANOUT_PROCESSES: several processes need a writable directory for their metrics: {error}"
        raise SettingsWrong([why]) from None
    with directory as name:
        yield Path(name)


def count_in_slot(slot: int, environ: Mapping[str, str]) -> None:
    """Let this process leave its figures in *slot*'s file, if *environ* names a directory for them.

    Raises:
        RuntimeError: ``telemetry`` has been imported: its metrics count elsewhere already.
    """
    if "logfanout.telemetry" in sys.modules:
        raise RuntimeError("metrics are made when telemetry is imported; choose their slot before that")
    if SHARED_VARIABLE in environ:
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: slot)  # type: ignore[no-untyped-call]


def remove_shared(environ: Mapping[str, str]) -> None:
    """Remove the directory of a supervisor that was killed; who still counts into it holds its file open."""
    if SHARED_VARIABLE in environ:
        shutil.rmtree(environ[SHARED_VARIABLE], ignore_errors=True)  # another orphan may be at it too


def registry(shared: Path | None) -> CollectorRegistry:
    """Return what to show: this process's own figures, or with *shared* the sum over the processes."""
    if shared is None:
        return prometheus_client.REGISTRY
    summed = CollectorRegistry()
    summed.register(_Summed(shared))
    return summed


def totals(figures: CollectorRegistry) -> dict[str, float]:
    """Return our counters and gauges, summed over the tenants: few enough for a page."""
    found: dict[str, float] = {}
    for sample in _counted(figures):
        kept = ",".join(f"{name}={value}" for name, value in sample.labels.items() if name != "tenant")
        name = f"{sample.name}{{{kept}}}" if kept else sample.name
        found[name] = found.get(name, 0.0) + sample.value
    return dict(sorted(found.items()))


def _counted(figures: CollectorRegistry) -> Iterator[Sample]:
    for metric in figures.collect():
        if metric.name.startswith("logfanout_") and metric.type in ("counter", "gauge"):
            yield from metric.samples


def forget_live(slot: int, shared: Path) -> None:
    """Take what the ended process of *slot* had in hand out of the sums; what it has counted stays."""
    multiprocess.mark_process_dead(slot, path=str(shared))  # type: ignore[no-untyped-call]


class _Summed(Collector):
    """The children's figures, and those only the supervisor has."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared

    def __repr__(self) -> str:
        return f"<_Summed {self._shared}>"

    def collect(self) -> Iterator[Metric]:
        # A file is empty for the moment between its making and its first growth, and cannot be read then.
        files = [str(file) for file in self._shared.glob("*.db") if file.stat().st_size]
        children: Iterable[Metric] = multiprocess.MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        yield from (m for m in children if m.name not in SUPERVISORS_OWN)
        yield from (m for m in prometheus_client.REGISTRY.collect() if m.name in SUPERVISORS_OWN)

    def describe(self) -> Iterator[Metric]:
        """Name nothing: what there is depends on what the children have counted so far."""
        return iter(())

"""Which figures are shown, and where several processes leave theirs; summing up is shown in test_supervisor."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from logfanout import telemetry
from logfanout.console import metrics


def test_the_directory_lives_as_long_as_its_block() -> None:
    """Nothing is left behind in memory that outlives the worker."""
    with metrics.shared_directory() as shared:
        (shared / "counter_0.db").write_bytes(b"")
        assert shared.stat().st_mode & 0o077 == 0
    assert not shared.exists()


def test_a_slot_must_be_chosen_before_metrics_are_made() -> None:
    """Later it would be without effect, and a process's figures would be missing from the sums."""
    assert telemetry
    with pytest.raises(RuntimeError, match="before that"):
        metrics.count_in_slot(0, {})


def test_totals_are_summed_over_tenants_only() -> None:
    """A page of five hundred tenants helps nobody; outcomes and reasons do."""
    own = CollectorRegistry()
    events = Counter("logfanout_events_total", "", ["outcome", "tenant"], registry=own)
    events.labels("delivered", "a").inc(2)
    events.labels("delivered", "b").inc(3)
    events.labels("skipped", "a").inc()
    Gauge("logfanout_messages_in_flight", "", registry=own).set(7)
    Histogram("logfanout_object_seconds", "", registry=own).observe(1)
    Counter("python_gc_collections_total", "", registry=own).inc()
    assert metrics.totals(own) == {
        "logfanout_events_total{outcome=delivered}": 5,
        "logfanout_events_total{outcome=skipped}": 1,
        "logfanout_messages_in_flight": 7,
    }


def test_the_supervisors_own_counter_is_shown_beside_the_sums(tmp_path: Path) -> None:
    """Restarts are counted by the parent, which leaves no file."""
    before = metrics.totals(metrics.registry(tmp_path))
    telemetry.ProcessEnded(index=0, exit_code=-9, restart_seconds=1).emit()
    after = metrics.totals(metrics.registry(tmp_path))
    assert list(after) == ["logfanout_process_restarts_total"]
    assert after["logfanout_process_restarts_total"] == before["logfanout_process_restarts_total"] + 1


def test_a_file_just_made_is_no_error(tmp_path: Path) -> None:
    """A scrape may meet a process that starts: its file is there and still empty."""
    (tmp_path / "counter_0.db").touch()
    assert metrics.totals(metrics.registry(tmp_path)).keys() == {"logfanout_process_restarts_total"}

"""The page that a person sees."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logfanout.console import page
from logfanout.console.health import ProcessSeen, Status

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STATUS = Status(
    started=NOON,
    now=NOON + timedelta(hours=1),
    stopping="",
    processes=(
        ProcessSeen(process=0, pid=4711, silent_seconds=0.4, receiving=True, credentials=True, restarts=0),
        ProcessSeen(process=1, pid=None, silent_seconds=0.0, receiving=False, credentials=False, restarts=3),
    ),
)


def test_the_page_says_what_the_probes_say() -> None:
    """A person and the orchestrator are told the same."""
    shown = page.render(STATUS, {})
    assert 'Alive: <b class="no">no</b>, process 1 is down.' in shown
    assert 'Alive: <b class="yes">yes</b>.' in page.render(replace(STATUS, processes=STATUS.processes[:1]), {})


def test_the_page_lists_totals_as_they_are() -> None:
    """Large counts are readable, and not rounded."""
    shown = page.render(STATUS, {"logfanout_events_total{outcome=delivered}": 1234567.0})
    assert "logfanout_events_total{outcome=delivered}" in shown
    assert "1,234,567<" in shown


def test_nothing_on_the_page_is_taken_for_markup() -> None:
    """Reasons and labels come from outside."""
    shown = page.render(replace(STATUS, stopping="<script>"), {"x{reason=<b>}": 1.0})
    assert "<script>" not in shown
    assert "x{reason=&lt;b&gt;}" in shown


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """It works where only this port can be reached."""
    shown = page.render(STATUS, {})
    assert "http://" not in shown
    assert "https://" not in shown

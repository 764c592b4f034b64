"""What is wrong can be read, on a terminal and in a log file."""

import io
import math

import pytest
from rich.console import Console

from logfanout.demo import show
from logfanout.demo.audit import Place, Report, Row
from logfanout.demo.backlog import Depth


def row(name: str = "harbor", **wrong: int) -> Row:
    counts = {"missing": 0, "twice": 0, "astray": 0, "unknown": 0} | wrong
    return Row(
        tenant=name,
        place=Place("100000000001", "us-east-1", f"/platform/{name}"),
        objects=12,
        written=2400,
        withheld=0,
        delivered=2400 - counts["missing"],
        lag_p50_ms=390,
        lag_p99_ms=math.nan if counts["missing"] == 2400 else 1420,
        **counts,
    )


def on(width: int, *, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, force_terminal=terminal, color_system=None)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_clean_run_says_so(width: int) -> None:
    """One line a tenant, nothing cut, even on the narrowest terminal."""
    console = on(width)
    show.report(console, Report(rows=(row(), row("lantern")), unclaimed=0), problems=())
    text = said(console)
    assert "All 4,800 events arrived, once, in the right account." in text
    assert "0.39/1.42 s" in text
    assert "\u2026" not in text
    assert max(map(len, text.splitlines())) <= width
    assert ("100000000001" in text) == (width >= show.WIDE)


def test_trouble_is_named() -> None:
    """Samples and problems of the run are all told, and no success is."""
    console = on(120)
    report = Report(rows=(row(missing=2400), row("lantern", astray=1, unknown=2)), unclaimed=4, samples=("a sample",))
    show.report(console, report, problems=("2 dead letters",))
    text = said(console)
    for needed in ("a sample", "2 dead letters", "4 events lie in groups of no tenant", "2,400", "Not everything"):
        assert needed in text
    assert "arrived, once" not in text


def test_problems_alone_spoil_a_clean_comparison() -> None:
    """A worker that did not stop is no success, whatever arrived."""
    console = on(120)
    show.report(console, Report(rows=(row(),), unclaimed=0), problems=("The worker did not stop",))
    assert "Not everything" in said(console)


def test_markup_in_messages_is_only_text() -> None:
    """Log lines are full of brackets."""
    console = on(120)
    show.trouble(console, "[bold]not bold[/bold] [/oops]\nevidence [red]")
    assert said(console) == "[bold]not bold[/bold] [/oops]\nevidence [red]\n"


def test_progress_in_a_pipe_is_lines_now_and_then() -> None:
    """A CI log gets no thousand lines, and no control characters."""
    console = on(120)
    with show.progress(console, objects=60) as seen:
        for settled in range(60):
            seen(60, Depth(announced=61, waiting=60 - settled, in_hand=1, dead=0))
    assert said(console) == "\u00bb settled 0 of 60 \u00b7 60 written \u00b7 60 waiting \u00b7 1 in hand\n"


def test_progress_on_a_terminal_is_a_bar() -> None:
    """It shows how much is done, and dead letters as soon as there are any."""
    console = on(120, terminal=True)
    with show.progress(console, objects=60) as seen:
        seen(60, Depth(announced=61, waiting=0, in_hand=0, dead=3))
    assert "60/60" in said(console)
    assert "3 dead" in said(console)

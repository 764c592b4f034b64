"""What is found is told in lines that fit a terminal, and cannot move its cursor."""

from logfanout.doctoring import report
from logfanout.doctoring.findings import Finding, Outcome


def test_what_to_do_is_a_line_of_its_own() -> None:
    """Under what was found."""
    found = Finding(about="queue", outcome=Outcome.FAILED, said="no", todo="make one")
    first, second = report.lines(found).splitlines()
    assert first.split() == ["failed", "queue", "no"]
    assert second.strip() == "→ make one"
    assert second.index("→") == first.index("no")


def test_what_is_well_takes_one_line() -> None:
    """There is nothing to do."""
    assert report.lines(Finding(about="region", outcome=Outcome.OK, said="eu-west-1")).endswith("  eu-west-1")


def test_hostile_text_is_written_out() -> None:
    """Wherever AWS quotes it from."""
    shown = report.lines(Finding(about="queue", outcome=Outcome.OK, said="a\x1b[2Jb", todo="c\rd"))
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert r"a\x1b[2Jb" in shown


def test_the_summary_counts_each_outcome() -> None:
    """None left out."""
    found = [Finding(about="a", outcome=outcome, said="") for outcome in (Outcome.OK, Outcome.OK, Outcome.NOT_TRIED)]
    assert report.summary(found) == "2 ok, 0 warning, 0 failed, 1 not tried"

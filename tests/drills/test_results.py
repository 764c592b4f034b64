"""A drill that breaks its promise says so, in the test and in the table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from logfanout.testing.drills.results import BEGIN, END, Result, rewrite, table

FINE = Result(
    drill="fine",
    injected="nothing",
    written=1200,
    delivered=1200,
    lost=0,
    twice=10,
    bound=10,
    astray=0,
    broken=0,
    dead=0,
    seconds=4.4,
)


@pytest.mark.parametrize(
    "wrong", [{"lost": 1}, {"astray": 1}, {"broken": 1}, {"twice": 11}, {"held": False}, {"written": 0}]
)
def test_what_breaks_the_promise(wrong: dict[str, Any]) -> None:
    """Anything lost, astray or refused, more twice than the bound, or nothing to lose."""
    assert FINE.clean
    broken = replace(FINE, **wrong)
    assert not broken.clean
    assert "**fine: broken**" in table([broken])


def test_the_table_is_put_between_its_markers(tmp_path: Path) -> None:
    """The prose around it stays; a page without markers is refused."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    rewrite(page, [FINE])
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n| drill |")
    assert text.endswith(f"{END}\nafter\n")
    assert "| fine | nothing | 1,200 | 1,200 | 0 | 10 | 10 | 0 | 0 | 0 | 4 |" in text
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="no line"):
        rewrite(page, [FINE])

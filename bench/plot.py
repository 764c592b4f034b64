"""How do the results look?

    bench/results/*.json ──► one SVG: each target, how far the best run is from it

Every bar is a figure as a share of its target, so that one axis serves all: up to the line is good where less is
better, beyond it where more is.
"""

from dataclasses import dataclass
from pathlib import Path

import orjson

NAME = "targets.svg"
GOOD, BAD = "#2a7f62", "#b3422e"


@dataclass(frozen=True, slots=True)
class Bar:
    """One target that was judged."""

    label: str
    share: float  # of the target; above 1 is good
    reached: bool
    says: str


def bars(folder: Path) -> list[Bar]:
    """Return what the result files in *folder* say of the targets, in the order of their names."""
    found: list[Bar] = []
    for path in sorted(folder.glob("*.json")):
        outcome = orjson.loads(path.read_bytes())
        for verdict in outcome["verdicts"]:
            target, best = verdict["target"], verdict["best"]
            if best is None:
                continue
            less = target["relation"] == "<="
            share = target["bound"] / best if less else best / target["bound"]
            sign = "≤" if less else "≥"
            figure = target["figure"].replace("_", " ")
            says = f"{best:.3g}  ({sign} {target['bound']:g})"
            found.append(Bar(f"{outcome['profile']}: {figure}", share, verdict["reached"], says))
    return found


def draw(folder: Path) -> Path:
    """Draw the results in *folder* there, and return the file."""
    # Imported here: it takes a second, and only who writes results needs it.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "logfanout"  # the same results give the same file
    given = bars(folder)[::-1]
    figure = Figure(figsize=(9, 0.8 + 0.42 * len(given)), layout="constrained")
    axes = figure.subplots()
    rows = range(len(given))
    axes.barh(rows, [min(bar.share, 3.0) for bar in given], color=[GOOD if bar.reached else BAD for bar in given])
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(rows, [bar.label for bar in given])
    axes.set_xlim(0, 4)
    axes.set_xlabel("how well against the target: 1 is just reached, more is better (cut at 3)")
    for row, bar in zip(rows, given, strict=True):
        axes.text(min(bar.share, 3.0) + 0.05, row, bar.says, va="center", fontsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    path = folder / NAME
    figure.savefig(path, metadata={"Date": None})
    return path

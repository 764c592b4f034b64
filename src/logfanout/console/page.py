"""What does a person see who opens the worker's port in a browser?

    Status + totals ──► HTML

Pure. One page without scripts and without anything from elsewhere: it must work from inside a bastion.
"""

from collections.abc import Iterable, Mapping
from html import escape

import logfanout
from logfanout.console.health import Answer, ProcessSeen, Status, alive, ready

RELOAD_SECONDS = 5

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884 }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.yes { color: #1a7f37 } .no { color: #cf222e }
"""


def render(status: Status, totals: Mapping[str, float]) -> str:
    """Return the page; *totals* are listed as they come."""
    up = status.now - status.started
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{RELOAD_SECONDS}">
<title>logfanout</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>logfanout {escape(logfanout.__version__)}</h1>
<p>Started {status.started:%Y-%m-%d %H:%M:%S} UTC, {int(up.total_seconds()):,} s ago.
{_sentence("Alive", alive(status))} {_sentence("Ready", ready(status))}</p>
<h2>Processes</h2>
<table>
<tr><th>process</th><th>pid</th><th>receiving</th><th>credentials</th><th>restarts</th></tr>
{_lines(_process(seen) for seen in status.processes)}
</table>
<h2>Totals since the start</h2>
<table>
{_lines(_total(name, value) for name, value in totals.items())}
</table>
<p>For programs: <a href="/status.json">status.json</a>, <a href="/metrics">metrics</a>,
<a href="/healthz">healthz</a>, <a href="/readyz">readyz</a>.</p>
</body>
</html>
"""


def _sentence(what: str, answer: Answer) -> str:
    if answer.ok:
        return f'{what}: <b class="yes">yes</b>.'
    return f'{what}: <b class="no">no</b>, {escape("; ".join(answer.reasons))}.'


def _process(seen: ProcessSeen) -> str:
    cells = (
        str(seen.process),
        "down" if seen.pid is None else str(seen.pid),
        "yes" if seen.receiving else "no",
        "at hand" if seen.credentials else "none",
        str(seen.restarts),
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _total(name: str, value: float) -> str:
    return f'<tr><td>{escape(name)}</td><td class="number">{value:,.12g}</td></tr>'


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)

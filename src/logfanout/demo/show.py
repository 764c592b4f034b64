"""What does the one who runs the demo see?

    steps, progress, Report ──► a terminal: a live bar and a table; a pipe or CI: plain lines

Nothing is decided here.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from logfanout.demo.audit import Report, Row
from logfanout.demo.backlog import Depth
from logfanout.demo.emulator import ROOT_SECRET
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT

PLAIN_WIDTH = 120  # a pipe has no width of its own
PLAIN_SECONDS = 2.0  # between two lines of progress where there is no bar

WIDE = 100  # columns from which account and region fit in
WHERE = ("account", "region")
# Wrong: in somebody else's group, or in its own though nobody wrote it like this or it was to be withheld.
COUNTS = ("objects", "written", "withheld", "delivered", "missing", "twice", "wrong", "lag p50/p99")

Seen = Callable[[int, Depth], None]


def console(*, stderr: bool = False) -> Console:
    """Return the console to show everything on."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=PLAIN_WIDTH)


def step(on: Console, text: str) -> None:
    """Say what happens next."""
    on.print(f"» {text}", markup=False, soft_wrap=True)


def trouble(on: Console, text: str) -> None:
    """Say what is wrong: the first line stands out, what follows is its evidence."""
    said, _, evidence = text.partition("\n")
    on.print(said, markup=False, soft_wrap=True, style="bold red")
    if evidence:
        on.print(evidence, markup=False, soft_wrap=True)


@contextmanager
def progress(on: Console, *, objects: int) -> Iterator[Seen]:
    """Yield what wants to hear, now and then, how many objects are written and how deep the queues are."""
    if not on.is_terminal:
        yield _plain(on, objects)
        return
    columns = (
        TextColumn("  settled"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rest]}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=on) as bar:
        task = bar.add_task("", total=objects, rest="")
        yield lambda written, now: bar.update(task, completed=min(now.settled, objects), rest=_rest(written, now))


def _plain(on: Console, objects: int) -> Seen:
    due = 0.0

    def seen(written: int, now: Depth) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + PLAIN_SECONDS
            step(on, f"settled {min(now.settled, objects)} of {objects} · {_rest(written, now)}")

    return seen


def _rest(written: int, now: Depth) -> str:
    dead = f" · {now.dead} dead" if now.dead else ""
    return f"{written} written · {now.waiting} waiting · {now.in_hand} in hand{dead}"


def report(on: Console, given: Report, *, problems: Sequence[str]) -> None:
    """Show the table, what is wrong, and the verdict."""
    on.print(_table(given.rows, wide=on.width >= WIDE))
    if given.unclaimed:
        trouble(on, f"{given.unclaimed} events lie in groups of no tenant and are nobody's.")
    for line in (*given.samples, *problems):
        trouble(on, line)
    if given.clean and not problems:
        events = sum(row.delivered for row in given.rows)
        on.print(f"All {events:,} events arrived, once, in the right account.", style="bold green")
    else:
        trouble(on, "Not everything is as it must be.")


def _table(rows: Sequence[Row], *, wide: bool) -> Table:
    title = "What arrived in each tenant's CloudWatch"
    gap = 1 if wide else 0  # on top of the one a column's border takes
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, gap, 0, 0), show_edge=False)
    for name in ("tenant", *(WHERE if wide else ())):
        table.add_column(name, no_wrap=True)
    for name in COUNTS:
        table.add_column(name, no_wrap=True, justify="right")
    for row in rows:
        where = (row.place.account, row.place.region) if wide else ()
        table.add_row(row.tenant, *where, *_counts(row), style=None if row.clean else "bold red")
    return table


def _counts(row: Row) -> tuple[str, ...]:
    wrong = row.astray + row.unknown
    counts = (row.objects, row.written, row.withheld, row.delivered, row.missing, row.twice, wrong)
    lag = "-" if math.isnan(row.lag_p50_ms) else f"{row.lag_p50_ms / 1000:.2f}/{row.lag_p99_ms / 1000:.2f} s"
    return (*(f"{count:,}" for count in counts), lag)


def addresses(on: Console, region: Region, *, endpoint_url: str) -> None:
    """Show how to look around with the AWS CLI."""
    step(on, f"The embedded AWS stays up at {endpoint_url} until Ctrl-C. Look around:")
    lines = [
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
        f"export AWS_ENDPOINT_URL={endpoint_url} AWS_SECRET_ACCESS_KEY={ROOT_SECRET}",
        _command(PLATFORM_ACCOUNT, HOME_REGION, f"s3 ls --recursive s3://{region.bucket}"),
        _command(PLATFORM_ACCOUNT, HOME_REGION, f"dynamodb scan --table-name {region.table}"),
    ]
    lines += [
        _command(tenant.account, tenant.region, f"logs tail {tenant.log_group} --since 1h") for tenant in region.tenants
    ]
    for line in lines:
        on.print(f"  {line}", markup=False, soft_wrap=True)


def _command(account: str, region: str, command: str) -> str:
    return f"AWS_ACCESS_KEY_ID={account} aws --region {region} {command}"

"""``logfanout replay s3://bucket/prefix``: deliver again what lies there."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logfanout.cli.answers import print_json
from logfanout.cli.settings import FAILED, WRONG, complain, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.ports import ObjectRef
    from logfanout.settings import Settings
    from logfanout.sweeping.replay import Asked, Totals

Place = Annotated[
    str,
    typer.Argument(metavar="s3://BUCKET/PATH", help="All that lies below it; with * at its end, all that begins so."),
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Objects last modified then or later: a time, or an age as 36h.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Objects last modified before then.")]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", metavar="NAME", help="This tenant's only; may be repeated.")
]
After = Annotated[str, typer.Option(metavar="KEY", help="Begin behind this key: where a stopped replay goes on.")]
SkipDelivered = Annotated[
    bool, typer.Option("--skip-delivered", help="Leave out what the ledger knows from earlier scans and replays.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List what would be delivered, and deliver nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; progress goes to stderr.")]


def replay(
    place: Place,
    *,
    since: Since = None,
    until: Until = None,
    tenant: Tenants = None,
    after: After = "",
    skip_delivered: SkipDelivered = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Deliver again what lies in a bucket, whatever has been delivered of it before.

    Exits with 0 when everything was delivered, with 1 when something was not, with 2 on wrong usage or settings.
    Ctrl-C finishes what is in hand, and says how to go on.
    """
    from logfanout import journal  # noqa: PLC0415

    settings = given()
    asked = _asked(place, since=since, until=until, tenants=tenant or (), after=after, skip_delivered=skip_delivered)
    if skip_delivered and settings.ledger_table is None:
        complain(["--skip-delivered needs LOGFANOUT_LEDGER_TABLE: nothing else remembers what was delivered"])
        raise typer.Exit(WRONG)
    # Progress and log lines share stderr: of what happens all the time only what goes wrong is said.
    journal.configure(level=max(settings.log_level, "WARNING", key=_severity), log_format=settings.log_format)
    with refusing_wrong_ones():
        raise typer.Exit(_listed(settings, asked, json=json) if dry_run else _delivered(settings, asked, json=json))


def _severity(level: str) -> int:
    return ("DEBUG", "INFO", "WARNING", "ERROR").index(level)


def _asked(place: str, *, since: str | None, until: str | None, **asked: Any) -> "Asked":
    """Return what was asked for; exit with 2 after saying all that is wrong with it."""
    from logfanout.moments import moment_ms  # noqa: PLC0415
    from logfanout.sweeping.reach import Reach  # noqa: PLC0415
    from logfanout.sweeping.replay import Asked  # noqa: PLC0415

    now_ms = time.time_ns() // 1_000_000
    problems: list[str] = []

    def read(name: str, text: str | None, reading: Callable[[str], Any]) -> Any:
        try:
            return None if text is None else reading(text)
        except ValueError as error:
            problems.append(f"{name}: {error}")

    reach = read("the place", place, Reach.parse)
    since_ms = read("--since", since, lambda text: moment_ms(text, now_ms=now_ms))
    until_ms = read("--until", until, lambda text: moment_ms(text, now_ms=now_ms))
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        problems.append("--since: is not before --until, so that nothing can be meant")
    if problems:
        complain(problems)
        raise typer.Exit(WRONG)
    return Asked(reach=reach, since_ms=since_ms, until_ms=until_ms, **asked)


def _listed(settings: "Settings", asked: "Asked", *, json: bool) -> int:
    """List what would be delivered; return the exit code."""
    from logfanout.app.sweeps import asked_for  # noqa: PLC0415
    from logfanout.errors import LogfanoutError  # noqa: PLC0415

    try:
        asyncio.run(_list(asked_for(settings, asked), settings, json=json))
    except LogfanoutError as error:
        complain([str(error)])
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return 0


async def _list(refs: "AsyncIterator[ObjectRef]", settings: "Settings", *, json: bool) -> None:
    import orjson  # noqa: PLC0415

    from logfanout.pipeline.routes import KeyLayout  # noqa: PLC0415
    from logfanout.sweeping import replay_report  # noqa: PLC0415
    from logfanout.sweeping.replay import tenant_of  # noqa: PLC0415

    layout = KeyLayout.parse(settings.key_layout)
    objects = size_bytes = 0
    if json:
        typer.echo("[", nl=False)
    async for ref in refs:
        tenant = tenant_of(ref, layout)
        if json:
            row = orjson.dumps(replay_report.listed_row(ref, tenant=tenant)).decode()
            typer.echo(f"{',' if objects else ''}\n{row}", nl=False)
        else:
            typer.echo(replay_report.listed_line(ref, tenant=tenant))
        objects += 1
        size_bytes += ref.size_bytes
    typer.echo("\n]" if json else f"{objects:,} objects of {size_bytes:,} bytes would be delivered.")


def _delivered(settings: "Settings", asked: "Asked", *, json: bool) -> int:
    """Deliver; return the exit code."""
    from logfanout.app.sweeps import replay as run  # noqa: PLC0415
    from logfanout.errors import LogfanoutError  # noqa: PLC0415

    began = time.monotonic()

    async def delivered() -> "Totals":
        stop = asyncio.Event()
        me = asyncio.current_task()

        def ask() -> None:
            if stop.is_set() and me is not None:
                me.cancel()  # told twice: now
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ask)
        with _progress() as told:
            return await run(settings, asked, stop=stop, told=told)

    try:
        totals = asyncio.run(delivered())
    except LogfanoutError as error:
        complain([str(error)])
        return FAILED
    except asyncio.CancelledError:
        complain(["stopped at once: what was in hand may be delivered again by the next attempt"])
        return FAILED
    _summarize(totals, asked, seconds=time.monotonic() - began, json=json)
    return 0 if totals.clean else FAILED


@contextmanager
def _progress() -> "Iterator[Callable[[Totals], None]]":
    """Show how far it is on stderr, if that is a terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("listing and delivering", total=None)

        def told(totals: "Totals") -> None:
            bar.update(
                task,
                description="delivering" if totals.listed else "listing and delivering",
                completed=totals.done + len(totals.failures),
                total=totals.objects if totals.listed else None,
            )

        yield told


def _summarize(totals: "Totals", asked: "Asked", *, seconds: float, json: bool) -> None:
    from logfanout.sweeping import replay_report  # noqa: PLC0415

    events = _events()
    if json:
        print_json(replay_report.summary_row(totals, events=events, seconds=seconds))
    else:
        typer.echo(replay_report.summary(totals, events=events, seconds=seconds))
    if totals.trouble:
        complain([totals.trouble])
    if totals.stopped:
        complain([f"stopped before the end; to go on: {replay_report.going_on(totals, asked)}"])


def _events() -> dict[str, int]:
    """Return what became of events in this process, by outcome."""
    from prometheus_client import REGISTRY  # noqa: PLC0415

    from logfanout.console.metrics import totals  # noqa: PLC0415

    name = "logfanout_events_total{outcome="
    return {
        key.removeprefix(name).removesuffix("}"): int(value)
        for key, value in totals(REGISTRY).items()
        if key.startswith(name) and value
    }

"""``logfanout dlq list|show|redrive|purge``: what could not be delivered, and what becomes of it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from logfanout.cli.settings import FAILED, WRONG, complain, given, refusing_wrong_ones

if TYPE_CHECKING:
    from logfanout.app.letters import Desk
    from logfanout.letters.letter import Chosen, Letter, Told
    from logfanout.settings import Settings

Value = TypeVar("Value")
Found = list[tuple["Letter", "Told"]]

dlq = typer.Typer(name="dlq", no_args_is_help=True, help="See what could not be delivered, send it back or delete it.")

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="As list names them.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="REASON", help="Letters of this reason, or of none: SQS's own; may be repeated."),
]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", metavar="NAME", help="Letters of this tenant; may be repeated.")
]
OfIds = Annotated[list[str] | None, typer.Option("--id", metavar="ID", help="This letter; may be repeated.")]
All = Annotated[bool, typer.Option("--all", help="Every letter.")]
Most = Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Look at no more letters than so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List them, and leave them where they are.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dlq.command("list")
def list_(*, reason: Reasons = None, tenant: Tenants = None, most: Most = 10_000, json: Json = False) -> None:
    """List dead letters, oldest first, and leave them as they are.

    While they are looked at, for seconds, nobody else sees them: SQS has no other way to look.
    """
    _visited(lambda desk, settings: _list(desk, settings, _chosen(reason, tenant), most=most, json=json))


@dlq.command()
def show(ids: Ids, *, most: Most = 10_000, json: Json = False) -> None:
    """Show all that letters say, the notification in them too. Exits with 1 if one is not there."""
    _visited(lambda desk, settings: _show(desk, settings, _chosen(ids=ids), most=most, json=json))


@dlq.command()
def redrive(
    *,
    reason: Reasons = None,
    tenant: Tenants = None,
    id: OfIds = None,  # noqa: A002  the option's name
    all: All = False,  # noqa: A002  the option's name
    most: Most = 10_000,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Send the notifications in letters back to the queue, for another attempt.

    Each letter is deleted when its notification is on the queue, and not before. What was delivered of it is not
    delivered again, as far as the fleet remembers.
    """
    chosen = _chosen(reason, tenant, id, all_=all)
    if dry_run:
        _visited(lambda desk, settings: _list(desk, settings, chosen, most=most, json=json))
    else:
        needs = ("SQS_QUEUE_URL",)
        _visited(lambda desk, settings: _redrive(desk, settings, chosen, most=most, json=json), needs=needs)


@dlq.command()
def purge(
    *,
    reason: Reasons = None,
    tenant: Tenants = None,
    id: OfIds = None,  # noqa: A002  the option's name
    all: All = False,  # noqa: A002  the option's name
    most: Most = 10_000,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete letters: nobody is going to be sent what they announce.

    The objects stay in their bucket; `logfanout replay` can deliver them as long as they lie there.
    """
    chosen = _chosen(reason, tenant, id, all_=all)
    if dry_run:
        _visited(lambda desk, settings: _list(desk, settings, chosen, most=most, json=json))
        return
    if not yes and not sys.stdin.isatty():
        complain(["purge asks before it deletes; where nobody can answer it needs --yes"])
        raise typer.Exit(WRONG)
    _visited(lambda desk, settings: _purge(desk, settings, chosen, most=most, yes=yes, json=json))


def _chosen(
    reasons: list[str] | None = None,
    tenants: list[str] | None = None,
    ids: list[str] | None = None,
    *,
    all_: bool | None = None,
) -> "Chosen":
    """Return which letters are meant; where *all_* is an option, exit with 2 unless it or another one is given."""
    from logfanout.letters.letter import Chosen  # noqa: PLC0415

    chosen = Chosen(reasons=frozenset(reasons or ()), tenants=frozenset(tenants or ()), ids=frozenset(ids or ()))
    if all_ is not None and all_ != chosen.everything:
        complain(["say which letters are meant: by --reason, --tenant or --id, or else --all"])
        raise typer.Exit(WRONG)
    return chosen


def _visited(work: "Callable[[Desk, Settings], Awaitable[int]]", *, needs: tuple[str, ...] = ()) -> None:
    """Do *work* at the dead-letter queue and exit with the code it returns."""
    from logfanout import journal  # noqa: PLC0415
    from logfanout.app.letters import visiting  # noqa: PLC0415
    from logfanout.errors import LogfanoutError  # noqa: PLC0415

    settings = given(needs=needs)
    journal.configure(level="ERROR", log_format=settings.log_format)

    async def worked() -> int:
        async with visiting(settings) as desk:
            if desk.onward:
                count = desk.onward.max_receive_count
                complain([f"this queue has a redrive policy itself: what was looked at {count} times leaves it"])
            return await work(desk, settings)

    with refusing_wrong_ones():
        try:
            raise typer.Exit(asyncio.run(worked()))
        except LogfanoutError as error:
            complain([f"{error.reason}: {error}"])
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(FAILED) from None


async def _found(desk: "Desk", settings: "Settings", chosen: "Chosen", *, most: int) -> Found:
    """Return the chosen ones of the letters, oldest first."""
    from logfanout.letters.letter import told  # noqa: PLC0415
    from logfanout.pipeline.routes import KeyLayout  # noqa: PLC0415

    layout = KeyLayout.parse(settings.key_layout)
    all_of_them = [(letter, told(letter, layout=layout)) async for letter in desk.visit.look(most=most)]
    return sorted((each for each in all_of_them if chosen.takes(each[1])), key=lambda each: each[1].sent_ms)


async def _list(desk: "Desk", settings: "Settings", chosen: "Chosen", *, most: int, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = [said for _, said in await _found(desk, settings, chosen, most=most)]
    if json:
        _print_json([report.row(each) for each in found])
    else:
        typer.echo("\n".join([*map(report.line, found), report.summary(found, full=desk.visit.full)]))
    return 0


async def _show(desk: "Desk", settings: "Settings", chosen: "Chosen", *, most: int, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = await _found(desk, settings, chosen, most=most)
    if json:
        _print_json([report.row(said) | {"body": letter.body} for letter, said in found])
    else:
        typer.echo("\n\n".join(report.page(letter, said) for letter, said in found), nl=bool(found))
    lacking = sorted(chosen.ids - {letter.id for letter, _ in found})
    complain(f"no letter {each} is there, or somebody else is looking at it" for each in lacking)
    return FAILED if lacking else 0


async def _redrive(desk: "Desk", settings: "Settings", chosen: "Chosen", *, most: int, json: bool) -> int:
    from logfanout.errors import LogfanoutError  # noqa: PLC0415

    if desk.source is None:
        raise ValueError("redrive needs SQS_QUEUE_URL")
    found = [letter for letter, _ in await _found(desk, settings, chosen, most=most)]
    sent = 0
    failure: LogfanoutError | None = None
    try:
        async for count in desk.visit.send_back(found, to=desk.source):
            sent += count
    except LogfanoutError as error:
        failure = error
    _tell(json=json, done=sent, of=len(found), name="sent_back", says="sent back to the queue", full=desk.visit.full)
    if failure:
        complain([f"{failure.reason}: {failure}"])
    return FAILED if failure else 0


async def _purge(desk: "Desk", settings: "Settings", chosen: "Chosen", *, most: int, yes: bool, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = await _found(desk, settings, chosen, most=most)
    if found and not yes:
        typer.echo(report.summary([said for _, said in found], full=desk.visit.full), err=True)
        if not typer.confirm("Delete them?", err=True):
            return FAILED
    left = await desk.visit.remove([letter for letter, _ in found])
    gone = len(found) - len(left)
    _tell(json=json, done=gone, of=len(found), name="deleted", says="deleted", full=desk.visit.full)
    if left:
        complain([f"{len(left):,} letters were held for too long and are there still: run it again"])
    return FAILED if left else 0


def _tell(*, json: bool, done: int, of: int, name: str, says: str, full: bool) -> None:
    if json:
        _print_json({name: done, "of": of, "more": full})
    else:
        more = "; there may be more: run it again" if full else ""
        typer.echo(f"{done:,} of {of:,} letters {says}{more}.")


def _print_json(value: object) -> None:
    import orjson  # noqa: PLC0415

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())

"""``logfanout dlq list|show|redrive|purge``: what could not be delivered, and what becomes of it."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from logfanout.cli.answers import Json, answered, asking, print_json
from logfanout.cli.settings import FAILED, WRONG, complain

if TYPE_CHECKING:
    from logfanout.app.letters import Desk
    from logfanout.letters.letter import Chosen

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


@dlq.command("list")
def list_(*, reason: Reasons = None, tenant: Tenants = None, most: Most = 10_000, json: Json = False) -> None:
    """List dead letters, oldest first, and leave them as they are.

    While they are looked at, for seconds, nobody else sees them: SQS has no other way to look.
    """
    _visited(partial(_list, chosen=_chosen(reason, tenant), most=most, json=json))


@dlq.command()
def show(ids: Ids, *, most: Most = 10_000, json: Json = False) -> None:
    """Show all that letters say, the notification in them too. Exits with 1 if one is not there."""
    _visited(partial(_show, chosen=_chosen(ids=ids), most=most, json=json))


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
    chosen = _some(_chosen(reason, tenant, id), all_=all)
    _visited(partial(_list if dry_run else _redrive, chosen=chosen, most=most, json=json), needs=("SQS_QUEUE_URL",))


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
    chosen = _some(_chosen(reason, tenant, id), all_=all)
    if not (yes or dry_run or sys.stdin.isatty()):
        complain(["purge asks before it deletes; where nobody can answer it needs --yes"])
        raise typer.Exit(WRONG)
    _visited(partial(_list if dry_run else partial(_purge, ask=not yes), chosen=chosen, most=most, json=json))


def _chosen(
    reasons: list[str] | None = None, tenants: list[str] | None = None, ids: list[str] | None = None
) -> "Chosen":
    from logfanout.letters.letter import Chosen  # noqa: PLC0415

    return Chosen(reasons=frozenset(reasons or ()), tenants=frozenset(tenants or ()), ids=frozenset(ids or ()))


def _some(chosen: "Chosen", *, all_: bool) -> "Chosen":
    """Return *chosen*; exit with 2 if it leaves nothing out and *all_* does not say so, or the other way round."""
    if all_ != chosen.everything:
        complain(["say which letters are meant: by --reason, --tenant or --id, or else --all"])
        raise typer.Exit(WRONG)
    return chosen


def _visited(work: "Callable[[Desk], Awaitable[int]]", *, needs: tuple[str, ...] = ()) -> None:
    """Do *work* at the dead-letter queue and exit with the code it returns."""
    from logfanout.app.letters import visiting  # noqa: PLC0415

    settings = asking(needs=needs)

    async def worked() -> int:
        async with visiting(settings) as desk:
            if desk.onward:
                count = desk.onward.max_receive_count
                complain([f"this queue has a redrive policy itself: what was looked at {count} times leaves it"])
            return await work(desk)

    raise typer.Exit(answered(worked()))


async def _list(desk: "Desk", *, chosen: "Chosen", most: int, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = await desk.visit.find(chosen, most=most)
    if json:
        print_json([report.row(each) for each in found])
    else:
        typer.echo("\n".join([*map(report.line, found), report.summary(found, full=desk.visit.full)]))
    return 0


async def _show(desk: "Desk", *, chosen: "Chosen", most: int, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = await desk.visit.find(chosen, most=most)
    if json:
        print_json([report.row(each) | {"body": each.letter.body} for each in found])
    else:
        typer.echo("\n\n".join(map(report.page, found)), nl=bool(found))
    lacking = sorted(chosen.ids - {each.letter.id for each in found})
    complain(f"no letter {each} is there, or somebody else is looking at it" for each in lacking)
    return FAILED if lacking else 0


async def _redrive(desk: "Desk", *, chosen: "Chosen", most: int, json: bool) -> int:
    if desk.source is None:
        raise ValueError("redrive needs SQS_QUEUE_URL")
    found = await desk.visit.find(chosen, most=most)
    sent = await desk.visit.send_back([each.letter for each in found], to=desk.source)
    _tell(desk, done=sent.count, of=len(found), name="sent_back", says="sent back to the queue", json=json)
    if sent.failure:
        complain([str(sent.failure)])
    return FAILED if sent.failure else 0


async def _purge(desk: "Desk", *, chosen: "Chosen", most: int, ask: bool, json: bool) -> int:
    from logfanout.letters import report  # noqa: PLC0415

    found = await desk.visit.find(chosen, most=most)
    if found and ask:
        typer.echo(report.summary(found, full=desk.visit.full), err=True)
        if not typer.confirm("Delete them?", err=True):
            return FAILED
    left = await desk.visit.remove([each.letter for each in found])
    _tell(desk, done=len(found) - len(left), of=len(found), name="deleted", says="deleted", json=json)
    if left:
        complain([f"{len(left):,} letters were held for too long and are there still: run it again"])
    return FAILED if left else 0


def _tell(desk: "Desk", *, done: int, of: int, name: str, says: str, json: bool) -> None:
    if json:
        print_json({name: done, "of": of, "more": desk.visit.full})
    else:
        more = "; there may be more: run it again" if desk.visit.full else ""
        typer.echo(f"{done:,} of {of:,} letters {says}{more}.")

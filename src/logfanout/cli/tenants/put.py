"""``logfanout tenants put NAME --type TYPE``: what shall a tenant's row say?"""

import re
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logfanout.cli.answers import Json, answered, asking, print_json
from logfanout.cli.settings import FAILED, WRONG, complain
from logfanout.cli.tenants.answers import Name, Type, require_name, tell

if TYPE_CHECKING:
    from logfanout.roster.changes import Change
    from logfanout.settings import Settings

_LATEST_SECONDS = 253_402_300_799  # the end of the year 9999: what is later was meant in milliseconds

TypeOption = Annotated[Type, typer.Option("--type", help="What the row's tenant is delivered to.")]
Role = Annotated[str | None, typer.Option(metavar="ARN", help="cloudwatch: the role in the tenant's account.")]
Group = Annotated[str | None, typer.Option(metavar="NAME", help="cloudwatch: the log group.")]
ExternalId = Annotated[
    str | None, typer.Option(metavar="ID", help="cloudwatch: what the role asks for. Not given: as it is.")
]
NoExternalId = Annotated[bool, typer.Option("--no-external-id", help="cloudwatch: the fleet's, from now on.")]
Days = Annotated[int | None, typer.Option(metavar="DAYS", help="cloudwatch: retention of a group the fleet makes.")]
Tags = Annotated[bool | None, typer.Option(help="cloudwatch: whether sessions carry the tag tenant.")]
Bucket = Annotated[str | None, typer.Option(metavar="NAME", help="s3: the bucket.")]
Prefix = Annotated[str | None, typer.Option(help="s3: what copies lie below. Not given: ROSA/cluster-logs/.")]
Owner = Annotated[str | None, typer.Option(metavar="ACCOUNT", help="s3: the account the bucket must belong to.")]
Region = Annotated[str | None, typer.Option(help="Where it lies. Not given: the worker's region.")]
Logs = Annotated[
    list[str] | None,
    typer.Option(metavar="APPLICATION", help="Deliver this one, * for any text; may be repeated. Not given: all."),
]
Groups = Annotated[
    list[str] | None, typer.Option(metavar="SET", help="Deliver this set of applications too; may be repeated.")
]
Ttl = Annotated[str | None, typer.Option(metavar="TIME", help="When the row ends: a time, or epoch seconds.")]
Enabled = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Not given: as it is, a new row enabled.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be written, and write nothing.")]


def put(
    name: Name,
    *,
    type_: TypeOption,
    role_arn: Role = None,
    log_group: Group = None,
    external_id: ExternalId = None,
    no_external_id: NoExternalId = False,
    retention_days: Days = None,
    session_tags: Tags = None,
    bucket: Bucket = None,
    prefix: Prefix = None,
    bucket_owner: Owner = None,
    region: Region = None,
    desired_logs: Logs = None,
    groups: Groups = None,
    ttl: Ttl = None,
    enabled: Enabled = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Create or replace the row of a tenant and type: what no option says, it says no more.

    Left as they are: whether it is enabled, its external id, created_at, and fields that are not logfanout's.
    Exits with 1 when the table cannot be written to, with 2 when the fleet would refuse the row: nothing is written.
    """
    settings = asking()
    require_name(name)
    options = {
        "--role-arn": role_arn,
        "--log-group": log_group,
        "--external-id": external_id,
        "--no-external-id": no_external_id or None,
        "--retention-days": retention_days,
        "--session-tags": session_tags,
        "--bucket": bucket,
        "--prefix": prefix,
        "--bucket-owner": bucket_owner,
        "--region": region,
        "--desired-logs": desired_logs or None,
        "--groups": groups or None,
        "--ttl": ttl,
        "--enabled": enabled,
    }
    given = {option: value for option, value in options.items() if value is not None}
    change = _change(name, type_, given, heartbeat_tenant=settings.heartbeat_tenant)
    (_foresee if dry_run else _write)(settings, change, json=json)


_FIELDS = {
    "--role-arn": "log_distribution_role_arn",
    "--log-group": "log_group_name",
    "--external-id": "external_id",
    "--no-external-id": "external_id",
    "--retention-days": "log_retention_days",
    "--session-tags": "session_tags",
    "--bucket": "bucket_name",
    "--prefix": "bucket_prefix",
    "--bucket-owner": "bucket_owner",
    "--region": "target_region",
    "--desired-logs": "desired_logs",
    "--groups": "groups",
    "--ttl": "ttl",
    "--enabled": "enabled",
}


def _change(name: str, type_: Type, given: dict[str, Any], *, heartbeat_tenant: str) -> "Change":
    """Return what the options *given* ask for; exit with 2 after saying all that is wrong with them."""
    from logfanout.roster.changes import OF_ONE_TYPE, replacing  # noqa: PLC0415

    problems = [
        f"{option}: is of rows of type {other}"
        for other, theirs in OF_ONE_TYPE.items()
        for option in given
        if other != type_ and _FIELDS[option] in theirs
    ]
    if {"--external-id", "--no-external-id"} <= given.keys():
        problems.append("--no-external-id: contradicts --external-id")
    if name == heartbeat_tenant:
        problems.append(f"NAME {name!r}: is where collectors' heartbeats go (LOGFANOUT_HEARTBEAT_TENANT)")
    fields = {_FIELDS[option]: value for option, value in given.items() if option != "--no-external-id"}
    try:
        if "ttl" in fields:
            fields["ttl"] = _epoch_seconds(fields["ttl"])
    except ValueError as error:
        problems.append(f"--ttl: {error}")
    if problems:
        complain(problems)
        raise typer.Exit(WRONG)
    removes = ["external_id"] if "--no-external-id" in given else []
    return replacing(name, type_, fields, removes=removes, now_ms=time.time_ns() // 1_000_000)


def _epoch_seconds(text: str) -> int:
    """Return when a row ends.

    Raises:
        ValueError: *text* is no time; it says what one is.
    """
    from logfanout.moments import time_ms  # noqa: PLC0415

    is_epoch = re.fullmatch(r"\d{9,15}", text, re.ASCII)  # shorter ones are dates without their hyphens
    seconds = int(text) if is_epoch else time_ms(text) // 1000
    if seconds > _LATEST_SECONDS:
        raise ValueError(f"{text} is after the year 9999: it must be in seconds")
    return seconds


def _foresee(settings: "Settings", change: "Change", *, json: bool) -> None:
    from logfanout.app.rosters import foreseen  # noqa: PLC0415
    from logfanout.roster import report  # noqa: PLC0415

    entry = answered(foreseen(settings, change))
    if json:
        print_json(report.plan_row(change, entry))
    else:
        typer.echo(report.plan(change, entry))


def _write(settings: "Settings", change: "Change", *, json: bool) -> None:
    from logfanout.app.rosters import put as write  # noqa: PLC0415
    from logfanout.roster.entries import State  # noqa: PLC0415

    changed = answered(write(settings, change))
    tell([changed], settings, json=json)
    if changed.entry.state is State.REFUSED:
        complain(["the fleet refuses the row for a field that was left as it is"])
        raise typer.Exit(FAILED)

"""What may an operator turn, and to what is it turned now?

    environment ──► read ──► Settings          or every wrong, missing and unknown variable at once

Nothing else reads the environment for settings of ours; components are given values, never this object's source.
Variables of AWS's own (``AWS_*``) are botocore's to read; they are only shown here.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from logfanout.moments import moment_ms
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.s3_places import BUCKET, S3Place
from logfanout.sweeping.reach import Reach

PREFIX = "LOGFANOUT_"
AWS_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT")


class SettingsWrong(Exception):
    """At least one variable cannot be used; *problems* holds a sentence for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+/\S+", value):
        raise ValueError("must be the queue's URL, https://sqs.<region>.amazonaws.com/<account>/<name>")
    return value


def _role_arn(value: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", value):
        raise ValueError("must be a role's ARN, arn:aws:iam::<12 digits>:role/<name>")
    return value


def _external_id(value: str) -> str:
    if not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", value, re.ASCII):  # AssumeRole, "ExternalId"
        raise ValueError("must be 2 to 1,224 of letters, digits and _+=,.@:/-")
    return value


def _layout(value: str) -> str:
    KeyLayout.parse(value)
    return value


def _stream_name(value: str) -> str:
    StreamNaming.parse(value)
    return value


def _present(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("is not a file that can be read")
    return value


def _quarantine(value: str) -> str:
    S3Place.parse_below_a_prefix(value)
    return value


def _bucket(value: str) -> str:
    if not BUCKET.fullmatch(value):
        raise ValueError("must be a bucket's name; what comes below it is LOGFANOUT_SOURCE_PREFIX")
    return value


def _source_prefix(value: str) -> str:
    Reach.parse(f"s3://any-bucket/{value}")
    return value


def _moment(value: str) -> str:
    moment_ms(value, now_ms=0)
    return value


def _variable(field: str) -> str:
    return _FOREIGN_NAMES.get(field, PREFIX + field.upper())


# Names that the existing processors of this pipeline use; all others are LOGFANOUT_<FIELD>.
_FOREIGN_NAMES = {
    "sqs_queue_url": "SQS_QUEUE_URL",
    "tenant_config_table": "TENANT_CONFIG_TABLE",
    "central_role_arn": "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN",
    "execution_mode": "EXECUTION_MODE",
    "source_bucket": "SOURCE_BUCKET",
    "scan_interval": "SCAN_INTERVAL",
    "log_level": "LOG_LEVEL",
    "ecs_agent_uri": "ECS_AGENT_URI",
    "lambda_memory_mebibytes": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
}


class Settings(BaseModel):
    """Every variable as a value; durations in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_variable)

    sqs_queue_url: Annotated[str, AfterValidator(_url)] | None = None
    tenant_config_table: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{3,255}$")] = "tenant-configurations"
    central_role_arn: Annotated[str, AfterValidator(_role_arn)] | None = None
    execution_mode: Literal["sqs", "lambda", "manual", "scan"] = "sqs"
    source_bucket: Annotated[str, AfterValidator(_bucket)] | None = None
    scan_interval: Annotated[float, Field(gt=0)] = 10.0
    # The existing processors take any case.
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"

    source_prefix: Annotated[str, AfterValidator(_source_prefix)] | None = None
    # An age is reckoned anew at each round; text, since what "now" is belongs to whoever asks.
    scan_since: Annotated[str, AfterValidator(_moment)] | None = None
    list_page_size: Annotated[int, Field(ge=1, le=1000)] = 1000  # ListObjectsV2's most
    tenants_file: Annotated[Path, AfterValidator(_present)] | None = None
    external_id: Annotated[str, AfterValidator(_external_id)] | None = None
    key_layout: Annotated[str, AfterValidator(_layout)] = "{tenant}/{cluster}/{application}/{pod}/"
    stream_name: Annotated[str, AfterValidator(_stream_name)] = "{application}-{pod}-{date}"
    unknown_tenant: Literal["dlq", "drop"] = "dlq"
    # As the collectors write it (k8s/base/vector/heartbeat.vrl); no tenant of their making begins with an underscore.
    heartbeat_tenant: Annotated[str, Field(pattern=r"^[^/\s]+$")] = "_heartbeat"
    quarantine_uri: Annotated[str, AfterValidator(_quarantine)] | None = None
    dlq_url: Annotated[str, AfterValidator(_url)] | None = None
    ledger_table: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{3,255}$")] | None = None
    # A write for each object, so that a duplicate notification is kept from every worker and not from one only.
    ledger_completions: bool = False
    # SQS allows 12 h in all; the lease is extended at a third of this, so a lost call or two does no harm.
    visibility_seconds: Annotated[int, Field(ge=10, le=43_200)] = 120
    give_back_seconds: Annotated[int, Field(ge=0, le=900)] = 30
    drain_seconds: Annotated[float, Field(gt=0, le=3600)] = 25.0  # below the task's stopTimeout, 30 s
    processes: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = 1
    http_port: Annotated[int, Field(ge=0, le=65_535)] = 9090
    http_host: str = "0.0.0.0"  # noqa: S104  Prometheus and the health check come from outside the container
    # Messages in hand at once: at 1 to 4 MiB each, well inside the smallest Fargate task's 512 MiB.
    slots: Annotated[int, Field(ge=1, le=1000)] = 32
    receivers: Annotated[int, Field(ge=1, le=64)] = 4  # four long polls of ten keep every slot busy
    max_inflated_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    tenant_cache_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    metric_tenants: Annotated[int, Field(ge=0)] = 500
    memory_bytes: Annotated[int, Field(ge=64 * 1024**2)] | None = None  # None: the container's limit
    ecs_agent_uri: str | None = None  # ECS sets it, for the task's protection from scale-in
    lambda_memory_mebibytes: Annotated[int, Field(ge=128)] | None = None  # Lambda sets it; the machine has more
    log_format: Literal["auto", "json", "console"] = "auto"

    @property
    def memory_limit_bytes(self) -> int | None:
        """What this process may use, as far as the environment says; ``None``: the container's limit."""
        if self.memory_bytes is None and self.lambda_memory_mebibytes is not None:
            return self.lambda_memory_mebibytes * 1024**2
        return self.memory_bytes

    @property
    def process_count(self) -> int:
        """Worker processes to start; ``auto`` is one a vCPU that this container may use."""
        return len(os.sched_getaffinity(0)) if self.processes == "auto" else self.processes


def read(environ: Mapping[str, str], *, needs: Iterable[str] = ()) -> Settings:
    """Return the settings in *environ*; an empty variable counts as unset.

    *needs* names the variables this command cannot do without.

    Raises:
        SettingsWrong: with every problem there is, not only the first.
    """
    known = {_variable(name) for name in Settings.model_fields}
    given = {k: v for k, v in environ.items() if v and (k in known or k.startswith(PREFIX))}
    missing = [f"{name}: is required and not set" for name in needs if name not in given]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as wrong:
        raise SettingsWrong([*missing, *_sentences(wrong.errors(), known)]) from None
    if missing:
        raise SettingsWrong(missing)
    return settings


def _sentences(errors: Iterable[ErrorDetails], known: set[str]) -> list[str]:
    """Return one sentence a variable: a union reports a line for each of its members."""
    said: dict[str, list[str]] = {}
    for error in errors:
        name = str(error["loc"][0])
        text = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            # Without the prefix, which makes any two of ours look alike.
            stems = {variable.removeprefix(PREFIX): variable for variable in known}
            near = difflib.get_close_matches(name.removeprefix(PREFIX), stems, n=1)
            text = "is not a setting" + (f"; did you mean {stems[near[0]]}?" if near else "")
        said.setdefault(name, []).append(text)
    return [f"{name}: {', or '.join(dict.fromkeys(texts))}" for name, texts in said.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable as ``logfanout settings`` lists it."""

    variable: str
    value: Any
    source: str  # "environment" or "default"
    problem: str = ""  # why the value cannot be used; empty: it can


def survey(environ: Mapping[str, str]) -> list[Setting]:
    """Return what ``listing`` does though some variables are wrong: these carry their problem."""
    try:
        return listing(read(environ), environ)
    except SettingsWrong as wrong:
        problems = dict(problem.split(": ", 1) for problem in wrong.problems)
    rest = {name: value for name, value in environ.items() if name not in problems}
    ours = [
        replace(each, value=environ[each.variable], source="environment", problem=problems.pop(each.variable))
        if each.variable in problems
        else each
        for each in listing(read(rest), rest)
    ]
    # A name that is no setting may be anything, a secret too: its value is not shown.
    return ours + [Setting(variable=n, value=None, source="environment", problem=p) for n, p in problems.items()]


def listing(settings: Settings, environ: Mapping[str, str]) -> list[Setting]:
    """Return every variable of ours, then those AWS variables that are set; credentials are not among them."""
    ours = [
        Setting(
            variable=_variable(name),
            value=getattr(settings, name),
            source="environment" if environ.get(_variable(name)) else "default",
        )
        for name in Settings.model_fields
    ]
    shown = [name for name in environ if name in AWS_VARIABLES or name.startswith("AWS_ENDPOINT_URL")]
    return ours + [Setting(variable=n, value=environ[n], source="environment") for n in sorted(shown)]

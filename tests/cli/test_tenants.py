"""``logfanout tenants``, as whole processes: from a file, and on the table of an embedded AWS."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_commands import said

from logfanout.demo.emulator import lasting_emulator

pytestmark = pytest.mark.process

REGION, TABLE, ACCOUNT = "eu-west-1", "tenants", "999999999999"
ROLE = "arn:aws:iam::111122223333:role/CustomerLogDistribution-acme"
SECRET = "chosen-id"
GROUP = "log group /platform/acme of account 111122223333 in eu-west-1"
AS_CLOUDWATCH = ("--type", "cloudwatch", "--role-arn", ROLE, "--log-group", "/platform/acme")
ROWS = f"""
tenants:
  - tenant_id: meadow
    type: s3
    bucket_name: Not A Bucket
  - tenant_id: acme
    type: cloudwatch
    log_distribution_role_arn: {ROLE}
    log_group_name: /platform/acme
    external_id: {SECRET}
    created_at: 2026-01-01T00:00:00Z
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file of tenants."""
    path = tmp_path / "tenants.yaml"
    path.write_text(ROWS)
    return str(path)


def test_a_file_is_listed_without_credentials(file: str) -> None:
    """In order, with the reason of a refused row; its exit code is a list's."""
    answer = said("tenants", "list", LOGFANOUT_TENANTS_FILE=file, AWS_REGION=REGION)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        f"acme    cloudwatch  enabled   {GROUP}",
        "meadow  s3          refused: tenant 'meadow', row 's3': bucket_name must be a bucket's name",
    ]
    listed = json.loads(
        said("tenants", "list", "--json", LOGFANOUT_TENANTS_FILE=file, AWS_DEFAULT_REGION=REGION).stdout
    )
    assert [(each["tenant"], each["state"]) for each in listed] == [("acme", "enabled"), ("meadow", "refused")]


def test_a_tenant_of_a_file_is_shown_but_for_its_external_id(file: str) -> None:
    """And nobody's name is a failure."""
    answer = said("tenants", "show", "acme", LOGFANOUT_TENANTS_FILE=file, AWS_REGION=REGION)
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[0] == f"acme  cloudwatch  enabled  {GROUP}"
    assert "  external_id                set" in answer.stdout.splitlines()
    assert SECRET not in answer.stdout
    nobody = said("tenants", "show", "nobody", LOGFANOUT_TENANTS_FILE=file, AWS_REGION=REGION)
    assert (nobody.returncode, nobody.stdout, nobody.stderr) == (1, "", "logfanout: no row names 'nobody'\n")


@pytest.mark.parametrize(
    "arguments", [("put", "acme", *AS_CLOUDWATCH, "--dry-run"), ("disable", "acme"), ("enable", "acme")]
)
def test_a_file_is_edited_and_not_written(arguments: tuple[str, ...], file: str) -> None:
    """That is what the exit code 2 says."""
    answer = said("tenants", *arguments, LOGFANOUT_TENANTS_FILE=file, AWS_REGION=REGION)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "edit that file" in answer.stderr


def test_a_file_that_cannot_be_read_is_a_failure(file: str) -> None:
    """As a table that does not answer."""
    Path(file).write_text("tenants: [")
    answer = said("tenants", "list", LOGFANOUT_TENANTS_FILE=file, AWS_REGION=REGION)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "cannot be read" in answer.stderr


@pytest.mark.parametrize("command", ["show", "disable", "enable", "put"])
def test_a_name_no_key_can_have_is_wrong_usage(command: str) -> None:
    """It would be a row that the fleet never asks for."""
    more = AS_CLOUDWATCH if command == "put" else ()
    answer = said("tenants", command, "a/b", *more, AWS_REGION=REGION)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "no key can name it" in answer.stderr


def test_a_dry_run_needs_no_credentials_and_hides_the_external_id() -> None:
    """It asks nobody."""
    arguments = ("put", "acme", *AS_CLOUDWATCH, "--external-id", SECRET, "--ttl", "2040-01-01", "--dry-run")
    answer = said("tenants", *arguments, AWS_REGION=REGION)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines()[0] == f"acme  cloudwatch  enabled  {GROUP}"
    assert "2208988800" in answer.stdout
    assert SECRET not in answer.stdout
    told = json.loads(said("tenants", *arguments, "--json", AWS_REGION=REGION).stdout)
    assert told["would_set"]["external_id"] == "set"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ((*AS_CLOUDWATCH, "--bucket", "b"), "--bucket: is of rows of type s3"),
        (("--type", "s3", "--bucket", "b", "--no-external-id"), "--no-external-id: is of rows of type cloudwatch"),
        ((*AS_CLOUDWATCH, "--external-id", "x1", "--no-external-id"), "contradicts"),
        ((*AS_CLOUDWATCH, "--ttl", "36h ago"), "--ttl: '36h ago' is no time"),
        ((*AS_CLOUDWATCH, "--ttl", "36h"), "--ttl: '36h' is no time"),
        ((*AS_CLOUDWATCH, "--ttl", "1893456000000"), "must be in seconds"),
        ((*AS_CLOUDWATCH, "--ttl", "2020-01-01"), "ttl must not be past"),
        ((*AS_CLOUDWATCH, "--region", "moon"), "target_region must be"),
        ((*AS_CLOUDWATCH, "--retention-days", "2"), "log_retention_days must be one of"),
        ((*AS_CLOUDWATCH, "--groups", "x"), "groups names 'x'"),
        (("--type", "s3", "--bucket", "acme-archive", "--bucket-owner", "1"), "bucket_owner must be"),
        (("--type", "cloudwatch", "--log-group", "/g"), "log_distribution_role_arn must be"),
    ],
)
def test_what_the_fleet_would_refuse_is_refused_here(arguments: tuple[str, ...], wrong: str) -> None:
    """With exit code 2 and the reason, before anybody is asked."""
    answer = said("tenants", "put", "acme", *arguments, "--dry-run", AWS_REGION=REGION)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert wrong in answer.stderr


def test_nobody_is_called_as_the_heartbeats_are() -> None:
    """Nothing would be delivered to it."""
    answer = said("tenants", "put", "_heartbeat", *AS_CLOUDWATCH, "--dry-run", AWS_REGION=REGION)
    assert (answer.returncode, "heartbeats" in answer.stderr) == (2, True)


@pytest.fixture
def table() -> Iterator[dict[str, Any]]:
    """An embedded AWS with an empty table, as the environment of who asks it."""
    with lasting_emulator() as emulator:

        async def make() -> None:
            async with emulator.client("dynamodb", account=ACCOUNT, region=REGION) as dynamodb:
                await dynamodb.create_table(
                    TableName=TABLE,
                    BillingMode="PAY_PER_REQUEST",
                    KeySchema=[
                        {"AttributeName": "tenant_id", "KeyType": "HASH"},
                        {"AttributeName": "type", "KeyType": "RANGE"},
                    ],
                    AttributeDefinitions=[
                        {"AttributeName": name, "AttributeType": "S"} for name in ("tenant_id", "type")
                    ],
                )

        asyncio.run(make())
        yield {
            "TENANT_CONFIG_TABLE": TABLE,
            "AWS_ENDPOINT_URL": emulator.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@pytest.mark.emulator
def test_a_tenant_is_put_listed_disabled_and_enabled(table: dict[str, Any]) -> None:
    """On a real table, by one command each; and each change says when the fleet will know."""

    def told(*arguments: str, code: int = 0) -> Any:
        answer = said("tenants", *arguments, "--json", **table)
        assert answer.returncode == code, answer.stderr
        return json.loads(answer.stdout) if code == 0 else answer.stderr

    nothing = said("tenants", "list", **table)
    assert (nothing.returncode, nothing.stdout) == (0, "There is no tenant.\n")
    assert "no row names 'acme'" in told("disable", "acme", code=1)
    [made] = told("put", "acme", *AS_CLOUDWATCH, "--external-id", SECRET, "--desired-logs", "web", "--groups", "API")
    assert (made["created"], made["state"], made["to"], made["seen_within_seconds"]) == (True, "enabled", GROUP, 72)
    assert "no row of type s3" in told("enable", "acme", "--type", "s3", code=1)
    told("put", "acme", "--type", "s3", "--bucket", "acme-archive", "--prefix", "", "--bucket-owner", "111122223333")
    told("put", "acme", "--type", "s3", "--bucket", "Not A Bucket", code=2)

    off = said("tenants", "disable", "acme", **table)
    assert off.stdout.splitlines() == [
        f"acme  cloudwatch  changed (enabled); now disabled  {GROUP}",
        "acme  s3  changed (enabled); now disabled  bucket acme-archive in eu-west-1 under /",
        "The fleet sees it within 72 s (LOGFANOUT_TENANT_CACHE_SECONDS, 60 here, and a fifth).",
    ]
    told("enable", "acme", "--type", "s3")
    assert [(each["type"], each["state"]) for each in told("list")] == [("cloudwatch", "disabled"), ("s3", "enabled")]

    [changed] = told("put", "acme", *AS_CLOUDWATCH, "--enabled")
    assert changed["changed"] == ["desired_logs", "enabled", "groups"]
    group, bucket = (each["fields"] for each in told("show", "acme"))
    assert (group["external_id"], group["enabled"], bucket["bucket_prefix"]) == ("set", True, "")
    assert group["created_at"] <= group["updated_at"]


@pytest.mark.emulator
def test_a_table_that_is_not_there_is_a_failure(table: dict[str, Any]) -> None:
    """Never an empty list."""
    answer = said("tenants", "list", **(table | {"TENANT_CONFIG_TABLE": "another"}))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("logfanout: Scan another: ResourceNotFoundException")

"""A file of tenants says what a table would."""

import os
from pathlib import Path

import pytest

from logfanout.errors import Unavailable
from logfanout.tenants.file import FileRows, parse
from logfanout.testing import virtual_time

TOML = """
[[tenants]]
tenant_id = "acme"
type = "cloudwatch"
log_group_name = "/acme"
desired_logs = ["web", "api-*"]
enabled = true

[[tenants]]
tenant_id = "acme"
type = "s3"
bucket_name = "logs"

[[tenants]]
tenant_id = "other"
type = "cloudwatch"
ttl = 1772452800
"""
YAML = """
tenants:
  - {tenant_id: acme, type: cloudwatch, log_group_name: /acme, desired_logs: [web, api-*], enabled: true}
  - tenant_id: acme
    type: s3
    bucket_name: logs
  - {tenant_id: other, type: cloudwatch, ttl: 1772452800}
"""


@pytest.mark.parametrize(("text", "suffix"), [(TOML, ".toml"), (YAML, ".yaml"), (YAML, ".yml")])
def test_both_forms_say_the_same(text: str, suffix: str) -> None:
    """TOML and YAML hold rows as the table would have them, by tenant."""
    assert parse(text, suffix=suffix) == {
        "acme": [
            {
                "tenant_id": "acme",
                "type": "cloudwatch",
                "log_group_name": "/acme",
                "desired_logs": ["web", "api-*"],
                "enabled": True,
            },
            {"tenant_id": "acme", "type": "s3", "bucket_name": "logs"},
        ],
        "other": [{"tenant_id": "other", "type": "cloudwatch", "ttl": 1_772_452_800}],
    }


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("", ".yaml"),
        ("[]", ".yaml"),
        ("tenants: {}", ".yaml"),
        ("tenants: [acme]", ".yaml"),
        ("tenants: [{type: cloudwatch}]", ".yaml"),
        ("tenants: [{tenant_id: 1, type: cloudwatch}]", ".yaml"),
        ("tenants: [", ".yaml"),
        ("tenants: !!python/object/apply:os.system [true]", ".yaml"),
        ("tenants = 1", ".toml"),
        ("[[tenants]", ".toml"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, suffix: str) -> None:
    """With a reason, and never by running what is in it."""
    with pytest.raises(ValueError, match=r"."):
        parse(text, suffix=suffix)


def test_a_row_of_no_type_is_its_tenants_trouble_alone() -> None:
    """It is refused when the tenant's rows are read; everybody else is served."""
    rows = parse("tenants: [{tenant_id: acme}, {tenant_id: other, type: s3}]", suffix=".yaml")
    assert rows == {"acme": [{"tenant_id": "acme"}], "other": [{"tenant_id": "other", "type": "s3"}]}


@virtual_time
async def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """Operators edit it while the worker runs."""
    path = tmp_path / "tenants.yaml"
    path.write_text(YAML)
    rows = FileRows(path)
    assert [row["type"] for row in await rows.of("acme")] == ["cloudwatch", "s3"]
    assert await rows.of("newcomer") == []
    path.write_text(YAML.replace("other", "newcomer"))
    os.utime(path, ns=(1, 1))
    assert len(await rows.of("newcomer")) == 1
    assert await rows.of("other") == []
    assert repr(rows).endswith("2 tenants>")


@pytest.mark.parametrize("content", [None, b"tenants: [", b"\xff\xfe"])
@virtual_time
async def test_a_file_that_cannot_be_read_is_a_table_that_is_down(tmp_path: Path, content: bytes | None) -> None:
    """Nobody becomes unknown by a slip of the editor; it is read again once it is well."""
    path = tmp_path / "tenants.yaml"
    path.write_text(YAML)
    rows = FileRows(path)
    await rows.of("acme")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
    with pytest.raises(Unavailable, match=r"tenants\.yaml"):
        await rows.of("acme")
    path.write_text(YAML)
    os.utime(path, ns=(2, 2))
    assert len(await rows.of("acme")) == 2

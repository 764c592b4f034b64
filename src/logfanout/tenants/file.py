"""What does a file say of the tenants?

    LOGFANOUT_TENANTS_FILE (TOML or YAML) ──► FileRows.of, .all ──► rows, as the table would have them

A list ``tenants`` of tables, each with the fields of a row. The file is read again when it changes.
"""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from logfanout.errors import Unavailable
from logfanout.ports import Row


class FileRows:
    """``TenantRows`` over a file; a file that cannot be read is like a table that does not answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_ns = -1  # the file's mtime when it was read
        self._rows: dict[str, list[Row]] = {}

    def __repr__(self) -> str:
        return f"<FileRows {self.path}, {len(self._rows)} tenants>"

    async def of(self, tenant: str) -> Sequence[Row]:
        """Return the rows of *tenant*; none for an unknown one."""
        return (await asyncio.to_thread(self._read)).get(tenant, [])

    async def all(self) -> Sequence[Row]:
        """Return every row, in the file's order of tenants."""
        return [row for rows in (await asyncio.to_thread(self._read)).values() for row in rows]

    async def count(self) -> int:
        """Return how many tenants the file names."""
        return len(await asyncio.to_thread(self._read))

    def _read(self) -> Mapping[str, list[Row]]:
        try:
            changed_ns = self.path.stat().st_mtime_ns
            if changed_ns != self._read_ns:
                self._rows = parse(self.path.read_text(encoding="utf-8"), suffix=self.path.suffix)
                self._read_ns = changed_ns
        except (OSError, ValueError) as error:
            raise Unavailable(f"the file of tenants {self.path} cannot be read: {error}") from None
        return self._rows


def parse(text: str, *, suffix: str) -> dict[str, list[Row]]:
    """Return the rows in *text* by tenant; *suffix* tells TOML (``.toml``) from YAML (any other).

    Raises:
        ValueError: *text* is no such file.
    """
    try:
        content: Any = tomllib.loads(text) if suffix == ".toml" else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    match content:
        case {"tenants": [*rows]}:
            pass
        case _:
            raise ValueError("it must hold a list called tenants")
    by_tenant: dict[str, list[Row]] = {}
    for at, row in enumerate(rows):
        match row:
            case {"tenant_id": str(tenant)}:  # whatever else is wrong with it is its tenant's trouble alone
                by_tenant.setdefault(tenant, []).append(dict(row))
            case _:
                raise ValueError(f"entry {at} of tenants must have a tenant_id")
    return by_tenant

"""Settings that are right each by itself may still not fit together."""

from typing import Any

import pytest

from logfanout.doctoring import machine
from logfanout.doctoring.findings import Outcome
from logfanout.testing import World, healthy, virtual_time

GIB = 1024**3


@virtual_time
async def test_what_fits_is_said() -> None:
    """With the numbers it comes to."""
    case = healthy(World())
    found = await machine.memory(case)
    assert (found.outcome, found.said) == (Outcome.OK, "1,024 MiB; 256 MiB may be in hand in each process")
    assert (await machine.processes(case)).said == "1 of ours on 1 vCPU"
    assert "unfinished objects in ledger" in (await machine.completions(case)).said


@pytest.mark.parametrize(
    ("check", "changes", "todo"),
    [
        (machine.memory, {"memory_bytes": 2 * GIB}, "LOGFANOUT_MEMORY_BYTES"),
        (machine.memory, {"memory_bytes": GIB // 8, "processes": 8}, "LOGFANOUT_PROCESSES"),
        (machine.processes, {"processes": 2}, "auto"),
        (machine.completions, {"ledger_completions": True, "ledger_table": ""}, "LOGFANOUT_LEDGER_TABLE"),
    ],
    ids=("more than the container's", "less than the least for each", "more than vCPUs", "no table to write to"),
)
@virtual_time
async def test_what_does_not_fit_is_a_warning(check: Any, changes: dict[str, Any], todo: str) -> None:
    """The fleet works all the same."""
    found = await check(healthy(World(), **changes))
    assert found.outcome == Outcome.WARNING
    assert todo in found.todo


@virtual_time
async def test_no_ledger_is_fine() -> None:
    """It is asked for by who wants it."""
    assert (await machine.completions(healthy(World(), ledger_table=""))).outcome == Outcome.OK

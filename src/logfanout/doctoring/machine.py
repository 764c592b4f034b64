"""Do the settings fit together, and the machine?

Setup ──► memory · processes · what the ledger is told

Pure, and asks nobody. What a single variable may be, the settings have checked.
"""

from logfanout.doctoring.findings import Finding, ok, warning
from logfanout.doctoring.surroundings import Case
from logfanout.memory import LEAST_BUDGET_BYTES, SHARE, budget_bytes

MEBIBYTE = 1024**2


async def memory(case: Case) -> Finding:
    """Say what bounds the bytes in hand."""
    setup = case.setup
    budget = budget_bytes(setup.memory_bytes, processes=setup.processes)
    said = f"{_mib(setup.memory_bytes)}; {_mib(budget)} may be in hand in each process"
    if setup.memory_bytes > setup.container_bytes:
        return warning(
            f"{said}, but the container has {_mib(setup.container_bytes)}",
            todo="take LOGFANOUT_MEMORY_BYTES away, or the kernel ends the process before its gate shuts",
        )
    if setup.memory_bytes * SHARE < LEAST_BUDGET_BYTES * setup.processes:
        return warning(
            f"{said}, the least there is, and all together more than a quarter of the memory",
            todo="give the task more memory, or set LOGFANOUT_PROCESSES lower",
        )
    return ok(said)


async def processes(case: Case) -> Finding:
    """Say whether each process has a vCPU."""
    setup = case.setup
    said = f"{setup.processes} of ours on {setup.vcpus} vCPU"
    if setup.processes > setup.vcpus:
        return warning(said, todo="set LOGFANOUT_PROCESSES to auto: more than one a vCPU only divide the memory")
    return ok(said)


async def completions(case: Case) -> Finding:
    """Say what the fleet remembers."""
    setup = case.setup
    if setup.ledger_completions and not setup.ledger_table:
        return warning(
            "LOGFANOUT_LEDGER_COMPLETIONS is set, and there is no ledger to write to",
            todo="set LOGFANOUT_LEDGER_TABLE: without it, duplicates are kept from each worker by itself only",
        )
    if not setup.ledger_table:
        return ok("LOGFANOUT_LEDGER_TABLE is unset: each worker remembers for itself")
    what = "unfinished and finished objects" if setup.ledger_completions else "unfinished objects"
    return ok(f"the fleet remembers {what} in {setup.ledger_table}")


def _mib(size_bytes: int) -> str:
    return f"{size_bytes // MEBIBYTE:,} MiB"

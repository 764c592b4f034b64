"""On what was it measured?

/proc, the interpreter, the packages ──► Machine     (no names, no paths: results are published)
"""

import os
import platform
import re
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("aiobotocore", "httptools", "isal", "msgspec", "uvloop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What figures depend on besides the code."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    # Whether it says that it was built with --enable-optimizations; a distribution may optimise in another way.
    optimised: bool
    packages: dict[str, str]
    load_before: float  # mean number of others' running processes in the minute before


def here() -> Machine:
    """Return this machine."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cpu=_cpu(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(pages * page_bytes / 1e9, 1),
        kernel=platform.release(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        optimised="--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        packages={name: version(name) for name in PACKAGES},
        load_before=round(os.getloadavg()[0], 1),
    )


def _cpu(text: str) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()

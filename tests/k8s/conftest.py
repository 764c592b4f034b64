"""These tests need the group ``k8s`` and two programs; `make check-k8s` brings the one and fails without the other.

`make test` makes do with the group ``dev`` and leaves them out. Asked for by name they are all there is, so that a
missing group is an error there and never a check passed over.
"""

import shutil
from importlib.util import find_spec

import pytest

if find_spec("vrl_python") is None:
    collect_ignore_glob = ["*"]


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"there is no {name} on the PATH; it comes with {package}")
    return found


@pytest.fixture(scope="session")
def kubectl() -> str:
    """The path of kubectl, whose ``kustomize`` needs no cluster."""
    return _program("kubectl", "Kubernetes's client, 1.31 or later")


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of promtool."""
    return _program("promtool", "Debian's package prometheus")

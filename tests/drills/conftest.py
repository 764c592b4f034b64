"""The stage of every drill, and the table of how they went."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.results import Result, rewrite
from logfanout.testing.drills.stage import Drill, drill

NOTE = "drill"  # the property of a test's report that holds its result, also between processes


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drill-table", type=Path, help="the page whose table of drills to write anew")


def pytest_configure(config: pytest.Config) -> None:
    page: Path | None = config.getoption("--drill-table", default=None)
    if page is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Table(page), "drill table")


class Table:
    """Collects how every drill went, those too that came to no end."""

    def __init__(self, page: Path) -> None:
        self._page = page
        self._results: list[Result] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a drill's result from its report."""
        if "drill" not in report.keywords or (report.when != "call" and report.passed):
            return
        told = dict(report.user_properties).get(NOTE)
        result = Result(**told) if isinstance(told, dict) else Result(drill=spoken(report.nodeid.rpartition("::")[2]))
        self._results.append(replace(result, held=report.passed, seconds=result.seconds or report.duration))

    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        rewrite(self._page, self._results)


def spoken(name: str) -> str:
    """Return a test's name as the table has it."""
    return name.removeprefix("test_").replace("_", " ")


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One embedded AWS for all drills."""
    with lasting_emulator() as running:
        yield running


@pytest.fixture
async def stage(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Drill]:
    """Three tenants in two regions."""
    await emulator.reset()
    async with drill(emulator, tenants=3, folder=tmp_path) as set_up:
        yield set_up


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Judge:
    """Whoever calls it at the end of a drill."""

    def note(result: Result) -> None:
        request.node.user_properties.append((NOTE, asdict(result)))

    return Judge(drill=spoken(request.node.name), note=note)

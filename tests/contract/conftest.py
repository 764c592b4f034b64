"""Every port twice: the fake in memory, and the real adapter against the embedded AWS.

    test ──► stage: the port, and what a test does behind its back ◄── world (fake) | cloud (real adapter)

Each module here is one port's contract and builds its two stages. Names are fresh in each test, so that one emulator
serves them all.
"""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from logfanout.aws import Aws, open_aws
from logfanout.demo.emulator import Emulator, lasting_emulator
from logfanout.testing import World
from logfanout.testing.tokens import CENTRAL_ACCOUNT

REGION = "eu-west-1"
FAKE_AND_AWS = ["fake", pytest.param("aws", marks=pytest.mark.emulator)]
NAMES = (f"n{n}" for n in itertools.count())


@pytest.fixture
def name() -> str:
    """A name no other test uses."""
    return next(NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The embedded AWS, seen by the adapters as the central account, and by the test as any."""

    aws: Aws
    emulator: Emulator
    account: str = CENTRAL_ACCOUNT
    region: str = REGION

    def client(self, service: str, *, account: str = CENTRAL_ACCOUNT, region: str = REGION) -> Any:
        """Return a client that acts as the root of *account*."""
        return self.emulator.client(service, account=account, region=region)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One embedded AWS for all contract tests."""
    with lasting_emulator() as running:
        yield running


@pytest.fixture
async def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    """AWS, opened as the worker opens it."""
    for variable in [each for each in os.environ if each.startswith("AWS_") or each.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    set_up = {
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "AWS_ACCESS_KEY_ID": CENTRAL_ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for variable, value in set_up.items():
        monkeypatch.setenv(variable, value)
    async with open_aws() as aws:
        yield Cloud(aws=aws, emulator=emulator)


@pytest.fixture(params=FAKE_AND_AWS)
def side(request: pytest.FixtureRequest) -> Any:
    """The fake world, then the embedded AWS; a module's own fixture makes its stage of it."""
    return World(max_receive_count=2) if request.param == "fake" else request.getfixturevalue("cloud")

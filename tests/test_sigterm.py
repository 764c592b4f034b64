"""A real worker is asked to stop in the middle of its work, as ECS asks, and another one takes over."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from logfanout.demo import audit, backlog, fleet, writing
from logfanout.demo.emulator import Emulator, emulator
from logfanout.demo.readback import everything
from logfanout.demo.region import Region, provision
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, REGIONS, roster

OBJECTS = 40
EVENTS = 500

pytestmark = [pytest.mark.emulator, pytest.mark.process]


async def environment(aws: Emulator, region: Region) -> dict[str, str]:
    """Return what a slow worker is told: one poll at a time and two objects in hand."""
    session = await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)
    told = fleet.environment(
        region, endpoint_url=aws.endpoint_url, session=session, processes="1", caller=dict(os.environ)
    )
    return told | {"LOGFANOUT_SLOTS": "2", "LOGFANOUT_RECEIVERS": "1"}


async def write_all(aws: Emulator, region: Region) -> dict[str, audit.Expectation]:
    """Write every object before any worker runs; return what each tenant must get."""
    expected = writing.expectations(region.tenants)
    speak = writing.speaker((), most=OBJECTS * EVENTS)
    objects = writing.objects(region.tenants, count=OBJECTS, events=EVENTS, rng=Random(7), speak=speak)
    async with aclosing(writing.write(aws, region, objects, into=expected)) as puts:
        async for _ in puts:
            pass
    return expected


async def left(sqs: Any, region: Region) -> int:
    """Return how many messages nobody has settled yet."""
    now = await backlog.depth(sqs, region)
    return now.waiting + now.in_hand


async def until_fewer_than(count: int, sqs: Any, region: Region) -> None:
    """Return once fewer than *count* messages are left; the worker's own process decides when."""
    async with asyncio.timeout(60):
        # A poll: another process decides when, and has no event to wait for.
        while await left(sqs, region) >= count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_sigterm_in_the_middle_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    """The first worker ends with 0 in time and leaves work behind; the second does it; every event is there once."""
    async with emulator() as aws:
        region = await provision(aws, roster(3))
        expected = await write_all(aws, region)
        async with aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION) as sqs:
            announced = (await backlog.depth(sqs, region)).announced
            async with fleet.fleet(await environment(aws, region), tmp_path / "first.log") as first:
                await until_fewer_than(announced - 5, sqs, region)
                exit_code = await first.stop()
            assert exit_code == 0, (tmp_path / "first.log").read_text()
            assert "drain_finished" in (tmp_path / "first.log").read_text()
            after_first = await backlog.depth(sqs, region)
            assert after_first.in_hand == 0, "what was in hand must be finished or visible again"
            assert after_first.waiting > 0, "the first worker was to be stopped in the middle"
            async with fleet.fleet(await environment(aws, region), tmp_path / "second.log") as second:
                await until_fewer_than(1, sqs, region)
                assert await second.stop() == 0
            assert (await backlog.depth(sqs, region)).dead == 0
        accounts = [PLATFORM_ACCOUNT, *(tenant.account for tenant in region.tenants)]
        report = audit.compare(tuple(expected.values()), await everything(aws, accounts=accounts, regions=REGIONS))
    assert report.clean, report

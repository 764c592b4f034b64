"""A collector's heartbeat goes all the way, to a worker's metrics; the table of tenants knows nothing of it."""

import asyncio
import os
import re
import time
from pathlib import Path
from random import Random
from uuid import uuid4

import aiohttp
import pytest

from logfanout.demo import pods, vector
from logfanout.demo.emulator import Emulator
from logfanout.demo.fleet import environment, fleet
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT


def written(tenant: str, application: str, pod: str) -> vector.LogObject:
    """Return an object as the collector's sink writes it, under whatever key."""
    of = pods.pod("harbor", number=0, rng=Random(0))
    made = vector.log_object(
        of, [pods.Line(time.time_ns(), "logfanout heartbeat")], framing=vector.Framing.NEWLINE, unique=uuid4()
    )
    key = f"{tenant}/kind/{application}/{pod}/{made.key.rpartition('/')[2]}"
    return vector.LogObject(tenant=tenant, application=application, key=key, body=made.body, events=made.events)


async def figures(url: str) -> dict[str, float]:
    """Return what the worker shows."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        lines = re.findall(r"^(logfanout_\S+) (\S+)$", await answer.text(), re.MULTILINE)
    return {name: float(value) for name, value in lines}


@pytest.mark.emulator
@pytest.mark.process
async def test_a_heartbeat_arrives_and_is_nobodys(aws: Emulator, region: Region, tmp_path: Path) -> None:
    """Two nodes' heartbeats are counted and timed; a tenant nobody knows would have become a dead letter."""
    shipper = await aws.assume(region.shipper_role_arn, using=PLATFORM_ACCOUNT)
    before = time.time()
    async with aws.client_of(shipper, "s3", region=HOME_REGION) as s3:
        for node in ("n1", "n2"):
            await vector.put(s3, region.bucket, written("_heartbeat", "collector", node))
        await vector.put(s3, region.bucket, written("_unidentified", "web", "p1"))
    task = await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)
    told = environment(region, endpoint_url=aws.endpoint_url, session=task, processes=None, caller=os.environ)
    async with fleet(told, tmp_path / "worker.log") as running, asyncio.timeout(30):
        shown: dict[str, float] = {}
        while sum(n for name, n in shown.items() if name.startswith("logfanout_messages_settled_total")) < 3:
            await asyncio.sleep(0.1)
            shown = await figures(running.console_url)
    assert shown['logfanout_heartbeats_total{cluster="kind"}'] == 2
    # S3 counts in whole seconds here.
    assert before - 2 <= shown['logfanout_heartbeat_timestamp_seconds{cluster="kind"}'] <= time.time() + 1
    assert shown['logfanout_objects_total{outcome="heartbeat"}'] == 2
    assert shown['logfanout_dead_letters_total{reason="unknown_tenant"}'] == 1
    assert not any(name.startswith("logfanout_put_log_events_total") and n for name, n in shown.items())

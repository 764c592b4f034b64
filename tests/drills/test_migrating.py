"""The older processors of this pipeline are replaced in place: their environment, their rows, their messages."""

import asyncio
import json
import sys

import pytest

from logfanout.testing.drills import buckets
from logfanout.testing.drills.judge import Judge
from logfanout.testing.drills.stage import Drill

pytestmark = [pytest.mark.process, pytest.mark.emulator]

# All that the older processors read ("Environment Variables" of their documentation); we read no more than these.
OLDER = {
    "EXECUTION_MODE": "sqs",
    "LOG_LEVEL": "info",
    "MAX_BATCH_SIZE": "1000",
    "RETRY_ATTEMPTS": "3",
    "SOURCE_BUCKET": "",
    "SCAN_INTERVAL": "10",
}
THEIR_NAMES = {*OLDER, "SQS_QUEUE_URL", "TENANT_CONFIG_TABLE", "CENTRAL_LOG_DISTRIBUTION_ROLE_ARN"}
# Several workers share this machine, where a container has an address of its own.
OF_THE_MACHINE = ("LOGFANOUT_HTTP_HOST", "LOGFANOUT_HTTP_PORT")


async def older_environment(stage: Drill) -> dict[str, str]:
    """Return the environment of an older processor's container on *stage*."""
    told = await stage.bare_environment() | OLDER
    ours = [name for name in told if name.startswith("LOGFANOUT_") and name not in OF_THE_MACHINE]
    for name in ours:
        del told[name]
    assert set(told) >= THEIR_NAMES
    return told


@pytest.mark.drill
async def test_older_environment(stage: Drill, judge: Judge) -> None:
    """The image, told what the older one was told, delivers to rows as the older one's operators wrote them."""
    await buckets.enrol(stage, *stage.tenants)
    async with stage.container(await older_environment(stage)):
        written = await stage.write(9)
        await stage.settled()
    for tenant in stage.tenants:
        assert await buckets.held(stage, tenant) == buckets.due(tenant, written)
    judge(stage, "the older processors' environment, rows and messages, unchanged; log groups and buckets")


@pytest.mark.drill
@pytest.mark.long
async def test_cut_over(stage: Drill, judge: Judge) -> None:
    """The cut-over of docs/migrating.md: what waited through it is delivered once, by the new fleet alone."""
    await stage.delay(seconds=5)
    await stage.write(6)
    assert (await stage.depth()).in_hand == 0  # the older fleet, idle by now, is stopped here
    async with stage.container(await older_environment(stage)):
        await stage.delay(seconds=0)
        await stage.write(6)
        await stage.settled()
    judge(stage, "new messages delayed while the older fleet finishes and is replaced")


async def test_manual_shows_what_would_be_sent(stage: Drill) -> None:
    """``manual --to stdout``, with the older environment and a message from the queue: lines, and no put."""
    await stage.write(1, events=5)
    [body] = await stage.notices()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "logfanout", "manual", "--to", "stdout"),
        env=await older_environment(stage),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate(body.encode())
    assert process.returncode == 0
    lines = [json.loads(line) for line in printed.splitlines()]
    tenant = stage.tenants[0]
    assert {(line["tenant"], line["account"], line["log_group"]) for line in lines} == {
        (tenant.name, tenant.account, tenant.log_group)
    }
    shown = [(line["timestamp"], line["message"]) for line in lines]
    assert sorted(shown) == sorted((event.at_ms, event.text) for event in stage.expected[tenant.name].put_ms)
    assert stage.strict.holdings.puts == []

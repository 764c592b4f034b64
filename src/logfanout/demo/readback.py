"""What lies in every account's CloudWatch?

    every account, every region ──► every group ──► every stream ──► every page ──► Finding

Reads as each account's root, and looks everywhere, not only where something is expected.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from logfanout.demo.audit import Finding, Place, Sighting
from logfanout.demo.emulator import Emulator
from logfanout.demo.pods import Event

AT_ONCE = 4  # streams read at the same time: the emulator is one process, more would only queue there


async def everything(aws: Emulator, *, accounts: Sequence[str], regions: Sequence[str]) -> tuple[Finding, ...]:
    """Return what the log groups of *accounts* hold in *regions*; empty groups are among them."""
    found: list[Finding] = []
    for account in accounts:
        for region in regions:
            async with aws.client("logs", account=account, region=region) as logs:
                found += [await _group(logs, Place(account, region, name)) async for name in _groups(logs)]
    return tuple(found)


async def _groups(logs: Any) -> AsyncIterator[str]:
    async for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            yield str(group["logGroupName"])


async def _group(logs: Any, place: Place) -> Finding:
    slots = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as reading:
        tasks = [
            reading.create_task(_stream(logs, place.group, name, slots), name=f"read {place.group} {name}")
            async for name in _streams(logs, place.group)
        ]
    return Finding(place=place, sightings=[sighting for task in tasks for sighting in task.result()])


async def _streams(logs: Any, group: str) -> AsyncIterator[str]:
    async for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for stream in page["logStreams"]:
            yield str(stream["logStreamName"])


async def _stream(logs: Any, group: str, stream: str, slots: asyncio.Semaphore) -> list[Sighting]:
    """Read one stream from its start; at its end GetLogEvents hands back the token it was given."""
    read: list[Sighting] = []
    asked: dict[str, str] = {}
    async with slots:
        while True:
            page = await logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **asked)
            read += [
                Sighting(Event(event["timestamp"], event["message"]), event["ingestionTime"])
                for event in page["events"]
            ]
            if page["nextForwardToken"] == asked.get("nextToken"):
                return read
            asked = {"nextToken": page["nextForwardToken"]}

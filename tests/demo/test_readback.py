"""Nothing that lies in any account is overlooked."""

import pytest

from logfanout.demo.audit import Place, Sighting
from logfanout.demo.emulator import Emulator
from logfanout.demo.pods import Event
from logfanout.demo.readback import everything
from logfanout.demo.roster import REGIONS

pytestmark = pytest.mark.emulator

ACCOUNTS = ("111111111111", "222222222222")


async def write(aws: Emulator, place: Place, stream: str, count: int) -> None:
    """Put *count* events, in batches as large as PutLogEvents takes."""
    async with aws.client("logs", account=place.account, region=place.region) as logs:
        groups = (await logs.describe_log_groups(logGroupNamePrefix=place.group))["logGroups"]
        if not groups:
            await logs.create_log_group(logGroupName=place.group)
        await logs.create_log_stream(logGroupName=place.group, logStreamName=stream)
        for start in range(0, count, 10_000):
            batch = [{"timestamp": n, "message": f"m{n}"} for n in range(start, min(count, start + 10_000))]
            await logs.put_log_events(logGroupName=place.group, logStreamName=stream, logEvents=batch)


async def test_every_account_and_region_is_read(aws: Emulator) -> None:
    """Groups that nobody expects are found as well, empty ones among them."""
    places = [Place(account, region, f"/{region}") for account in ACCOUNTS for region in REGIONS]
    for number, place in enumerate(places):
        await write(aws, place, "s", number)
    found = await everything(aws, accounts=ACCOUNTS, regions=REGIONS)
    assert {one.place: len(one.sightings) for one in found} == {place: n for n, place in enumerate(places)}


async def test_a_stream_of_many_pages_is_read_to_its_end(aws: Emulator) -> None:
    """GetLogEvents hands out at most 10,000 events at a time."""
    place = Place(ACCOUNTS[0], REGIONS[0], "/many")
    await write(aws, place, "long", 20_001)
    await write(aws, place, "short", 1)
    (found,) = await everything(aws, accounts=ACCOUNTS[:1], regions=REGIONS)
    told = sorted(sighting.event.at_ms for sighting in found.sightings)
    assert told == sorted([*range(20_001), 0])


async def test_streams_of_many_pages_are_all_read(aws: Emulator) -> None:
    """DescribeLogStreams names at most 50 at a time."""
    place = Place(ACCOUNTS[0], REGIONS[0], "/wide")
    for number in range(60):
        await write(aws, place, f"s{number}", 1)
    (found,) = await everything(aws, accounts=ACCOUNTS[:1], regions=REGIONS)
    assert len(found.sightings) == 60


async def test_a_sighting_says_when_it_was_ingested(aws: Emulator) -> None:
    """Time and message as written; the time of ingestion is CloudWatch's."""
    await write(aws, Place(ACCOUNTS[0], REGIONS[0], "/one"), "s", 1)
    (found,) = await everything(aws, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    ((event, ingested_ms),) = found.sightings
    assert event == Event(0, "m0")
    assert ingested_ms > 1_700_000_000_000
    assert isinstance(found.sightings[0], Sighting)

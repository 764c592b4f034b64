"""What may a worker rely on when it remembers how far it got?"""

import asyncio
from typing import Any

import pytest

from logfanout.ledger.memory import WorkerLedger
from logfanout.ledger.ranges import Ranges
from logfanout.ports import Ledger, Memory
from logfanout.testing import LoopClock, World

DESTINATION = "arn:aws:iam::111122223333:role/r eu-west-1 /platform/lögs"


@pytest.fixture(params=["worker", "fake", pytest.param("aws", marks=pytest.mark.emulator)])
def keeper(request: pytest.FixtureRequest) -> Any:
    """The three that keep the promise: one worker's, the fake of the fleet's, the fleet's."""
    match request.param:
        case "worker":
            return WorkerLedger(clock=LoopClock())
        case "fake":
            return World().ledger
        case _:
            return request.getfixturevalue("cloud")


@pytest.fixture
async def ledger(keeper: Any, name: str) -> Ledger:
    return await real(keeper, name) if hasattr(keeper, "aws") else keeper


async def real(cloud: Any, name: str) -> Ledger:
    table = f"ledger-{name}"
    async with cloud.client("dynamodb") as dynamodb:
        await dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "object_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "object_id", "AttributeType": "S"}],
        )
        await dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
    found: Ledger = cloud.aws.ledger(table)
    return found


def progress(*positions: int, to: str = DESTINATION) -> Memory:
    return Memory(taken={to: Ranges.of(positions)})


async def test_nothing_is_known_of_a_new_object(ledger: Ledger) -> None:
    """Which is an answer, not an error."""
    assert await ledger.recall("0a") == Memory()


async def test_progress_is_recalled(ledger: Ledger) -> None:
    """For each destination its own."""
    memory = Memory(taken={DESTINATION: Ranges.of([0, 1, 2, 9]), "other": Ranges.of([3])})
    await ledger.remember("0a", memory)
    assert await ledger.recall("0a") == memory
    assert await ledger.recall("0b") == Memory()


async def test_progress_adds_up(ledger: Ledger) -> None:
    """What another attempt, or another destination, remembered stays."""
    await ledger.remember("0a", progress(0, 1))
    await ledger.remember("0a", progress(1, 2))
    await ledger.remember("0a", progress(7, to="other"))
    assert (await ledger.recall("0a")).taken == {DESTINATION: Ranges.of([0, 1, 2]), "other": Ranges.of([7])}


async def test_finished_stays_finished(ledger: Ledger) -> None:
    """A worker that comes late with its progress changes nothing."""
    await ledger.remember("0a", progress(0))
    await ledger.remember("0a", Memory(finished=True))
    await ledger.remember("0a", progress(1))
    assert (await ledger.recall("0a")).finished


async def test_an_empty_memory_changes_nothing(ledger: Ledger) -> None:
    """A failure before the first batch has nothing to tell."""
    await ledger.remember("0a", Memory())
    assert await ledger.recall("0a") == Memory()
    await ledger.remember("0a", progress(1))
    await ledger.remember("0a", Memory(taken={"other": Ranges()}))
    assert await ledger.recall("0a") == progress(1)


async def test_workers_side_by_side_lose_nothing(ledger: Ledger) -> None:
    """Each adds to what the others did a moment before."""
    await asyncio.gather(*(ledger.remember("0a", progress(2 * n)) for n in range(5)))
    assert await ledger.recall("0a") == progress(0, 2, 4, 6, 8)


async def test_a_thousand_ranges_are_fine(ledger: Ledger) -> None:
    """Beyond that the largest are kept."""
    await ledger.remember("0a", progress(*range(0, 2000, 2)))
    assert await ledger.recall("0a") == progress(*range(0, 2000, 2))
    await ledger.remember("0a", progress(5000, 5001, 6000))
    kept = (await ledger.recall("0a")).taken[DESTINATION]
    assert len(kept.spans) == 1000
    assert 5001 in kept

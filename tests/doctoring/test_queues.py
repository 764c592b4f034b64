"""The queue is looked at from outside: no message of it is touched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from logfanout.doctoring import queues
from logfanout.doctoring.findings import Outcome
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused, Unavailable
from logfanout.ports import Received, Refusal
from logfanout.testing import FakeInspection, World, healthy, virtual_time
from logfanout.testing.surroundings import DAY_SECONDS, DEAD_LETTERS_URL, QUEUE_URL, facts


async def looked_at(world: World, inspection: FakeInspection | None = None, **changes: Any) -> Case:
    """Return a case whose queue's attributes are known."""
    case = healthy(world, inspection=inspection, **changes)
    await queues.attributes(case)
    return case


class SaysYes:
    """A queue, or something in front of one, that takes any receipt."""

    async def receive(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Received]:
        raise AssertionError("the doctor receives nothing")

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        return []

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        return []


@virtual_time
async def test_a_queue_is_described() -> None:
    """What waits, and for how long it is kept."""
    inspection = FakeInspection()
    case = healthy(World(), inspection=inspection)
    inspection.put_queue(QUEUE_URL, facts(QUEUE_URL, waiting=1200, visibility_seconds=30))
    found = await queues.attributes(case)
    assert found.outcome == Outcome.OK
    for part in ("waiting 1,200", "kept for 14 days", "is 30 s, each receive asks for 120 s"):
        assert part in found.said


@virtual_time
async def test_a_queue_that_is_not_there_is_an_error() -> None:
    """In SQS's words."""
    inspection = FakeInspection()
    case = healthy(World(), inspection=inspection)
    inspection.remove_queue(QUEUE_URL)
    with pytest.raises(Unavailable, match="QueueDoesNotExist"):
        await queues.attributes(case)


@virtual_time
async def test_attributes_that_may_not_be_read_are_done_without() -> None:
    """By the fleet; what they would have told is not known here."""
    inspection = FakeInspection()
    inspection.fail_next(1, AccessRefused("AccessDenied"), on="queue")
    case = healthy(World(), inspection=inspection)
    found = await queues.attributes(case)
    assert (found.outcome, found.said) == (Outcome.WARNING, "AccessDenied")
    assert "sqs:GetQueueAttributes" in found.todo
    for check in (queues.redrive, queues.dead_letters, queues.sending):
        assert (await check(case)).outcome == Outcome.NOT_TRIED


@virtual_time
async def test_with_lambda_a_queue_may_be_unknown() -> None:
    """Its events name it."""
    case = healthy(World(), mode="lambda", queue_url="")
    found = await queues.attributes(case)
    assert (found.outcome, "SQS_QUEUE_URL" in found.todo) == (Outcome.NOT_TRIED, True)


@virtual_time
async def test_what_is_allowed_is_told_by_a_receipt_that_cannot_exist() -> None:
    """No message is touched, and none is received."""
    world = World()
    world.queue.send("m")
    found = await queues.settling(healthy(world))
    assert found.outcome == Outcome.OK
    assert (world.queue.bodies(), set(world.queue.receive_counts().values())) == (["m"], {0})
    assert world.queue.calls == {"delete": 1, "hide": 1}


@virtual_time
async def test_what_is_not_allowed_is_an_error() -> None:
    """In SQS's words."""
    world = World()
    world.queue.fail_next(1, AccessRefused("ChangeMessageVisibilityBatch: AccessDenied"), on="hide")
    with pytest.raises(AccessRefused):
        await queues.settling(healthy(world))


@virtual_time
async def test_with_lambda_hiding_is_done_without() -> None:
    """What failed then waits for the queue's own time; deleting is a must, since Lambda does it in our name."""
    world = World()
    world.queue.fail_next(1, AccessRefused("ChangeMessageVisibilityBatch: AccessDenied"), on="hide")
    assert (await queues.settling(healthy(world, mode="lambda"))).outcome == Outcome.WARNING
    world.queue.fail_next(1, AccessRefused("DeleteMessageBatch: AccessDenied"), on="delete")
    with pytest.raises(AccessRefused):
        await queues.settling(healthy(world, mode="lambda"))


@virtual_time
async def test_an_answer_nobody_expects_proves_nothing() -> None:
    """Neither that we may nor that we may not."""
    case = healthy(World())
    case.around = replace(case.around, queue=SaysYes())
    found = await queues.settling(case)
    assert found.outcome == Outcome.NOT_TRIED
    assert "DeleteMessage: no refusal" in found.said


@virtual_time
async def test_nothing_is_received_or_sent() -> None:
    """It is said how to find out."""
    case = await looked_at(World())
    receive, send = await queues.receiving(case), await queues.sending(case)
    assert (receive.outcome, send.outcome) == (Outcome.NOT_TRIED, Outcome.NOT_TRIED)
    assert "sqs:ReceiveMessage --resource-arns arn:aws:sqs:us-east-1:999999999999:notices" in receive.todo
    assert "sqs:SendMessage --resource-arns arn:aws:sqs:us-east-1:999999999999:notices-dead" in send.todo


@pytest.mark.parametrize(
    ("receives", "dead", "named", "outcome"),
    [
        (20, DEAD_LETTERS_URL, "", Outcome.OK),
        (19, DEAD_LETTERS_URL, "", Outcome.WARNING),
        (0, "", DEAD_LETTERS_URL, Outcome.WARNING),
        (0, "", "", Outcome.FAILED),
    ],
    ids=("enough", "few", "none, but ours", "none at all"),
)
@virtual_time
async def test_a_message_is_given_up_late_and_kept(receives: int, dead: str, named: str, outcome: Outcome) -> None:
    """Early makes dead letters of a slow tenant's messages; never loses what cannot be delivered."""
    inspection = FakeInspection()
    case = healthy(World(), inspection=inspection, dlq_url=named)
    inspection.put_queue(QUEUE_URL, facts(QUEUE_URL, dead_letters_url=dead, max_receive_count=receives))
    await queues.attributes(case)
    found = await queues.redrive(case)
    assert (found.outcome, bool(found.todo)) == (outcome, outcome != Outcome.OK)


@pytest.mark.parametrize(
    ("letters", "outcome", "todo"),
    [
        ({}, Outcome.OK, ""),
        ({"retention_seconds": 4 * DAY_SECONDS}, Outcome.WARNING, "keep letters for 14 days or longer"),
        ({"waiting": 3}, Outcome.WARNING, "dlq list"),
        ({"arn": "arn:aws:sqs:us-east-1:999999999999:dead.fifo"}, Outcome.WARNING, "standard queue"),
    ],
    ids=("as long as the queue", "shorter", "letters lie there", "FIFO"),
)
@virtual_time
async def test_letters_are_kept_for_long_enough(letters: dict[str, Any], outcome: Outcome, todo: str) -> None:
    """SQS counts from when the message first came, not from when it was moved."""
    inspection = FakeInspection()
    case = await looked_at(World(), inspection)
    inspection.put_queue(DEAD_LETTERS_URL, facts(DEAD_LETTERS_URL, **letters))
    found = await queues.dead_letters(case)
    assert found.outcome == outcome
    assert todo in found.todo


@virtual_time
async def test_a_dead_letter_queue_that_is_not_there_is_an_error() -> None:
    """One that may not be looked at is not: the fleet only sends there."""
    inspection = FakeInspection()
    case = await looked_at(World(), inspection)
    inspection.fail_next(1, AccessRefused("AccessDenied"), where=DEAD_LETTERS_URL)
    assert (await queues.dead_letters(case)).outcome == Outcome.NOT_TRIED
    inspection.remove_queue(DEAD_LETTERS_URL)
    with pytest.raises(Unavailable):
        await queues.dead_letters(case)


@virtual_time
async def test_a_scan_may_have_dead_letters_and_no_queue() -> None:
    """Those that LOGFANOUT_DLQ_URL names."""
    found = await queues.dead_letters(healthy(World(), mode="scan", queue_url="", dlq_url=DEAD_LETTERS_URL))
    assert found.outcome == Outcome.OK

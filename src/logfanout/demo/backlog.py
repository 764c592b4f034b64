"""Is the fleet done?

    the queues' depths, again and again ──► Depth ──► settled, or not by the deadline

What S3 has announced is counted by a second subscriber of the topic, so that nobody has to believe the fleet.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from logfanout.demo.region import Region

POLL_SECONDS = 0.25
POLL_EVERY_OBJECTS = 20  # while objects are still written
QUIET_POLLS = 3  # depths are approximate: believe an empty queue when it stays empty

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Where the notices are at one moment."""

    announced: int  # ever sent by S3, its test event included
    waiting: int  # visible or delayed
    in_hand: int
    dead: int

    @property
    def settled(self) -> int:
        """How many the fleet is done with, one way or the other."""
        return self.announced - self.waiting - self.in_hand

    def is_empty(self, *, after: int) -> bool:
        """Whether at least *after* notices were announced and none is left."""
        return self.announced >= after and self.waiting == self.in_hand == 0


async def depth(sqs: Any, region: Region) -> Depth:
    """Ask once."""
    queue = await _counts(sqs, region.queue_url)
    tally = await _counts(sqs, region.tally_url)
    dead = await _counts(sqs, region.dead_letters_url)
    return Depth(announced=sum(tally), waiting=queue[0] + queue[2], in_hand=queue[1], dead=sum(dead))


async def _counts(sqs: Any, url: str) -> tuple[int, int, int]:
    """Visible, in flight, delayed."""
    attributes = (await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS)))["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in COUNTS)
    return visible, in_flight, delayed


async def until_empty(sqs: Any, region: Region, *, announced: int, seen: Callable[[Depth], None]) -> Depth:
    """Return the last depth once *announced* notices have come and gone; *seen* is told of every poll."""
    quiet = 0
    while True:
        now = await depth(sqs, region)
        seen(now)
        quiet = quiet + 1 if now.is_empty(after=announced) else 0
        if quiet == QUIET_POLLS:
            return now
        await asyncio.sleep(POLL_SECONDS)


async def reasons(sqs: Any, region: Region) -> list[str]:
    """Return why some of the dead letters died, by their own attributes, at most ten."""
    answer = await sqs.receive_message(
        QueueUrl=region.dead_letters_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return [_reason(message.get("MessageAttributes", {})) for message in answer.get("Messages", [])]


def _reason(attributes: dict[str, Any]) -> str:
    told = [attributes.get(f"logfanout.{name}", {}).get("StringValue", "") for name in ("reason", "detail", "object")]
    return " · ".join(filter(None, told)) or "given up by SQS after too many receives"

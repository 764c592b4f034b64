"""How do the parts become a visit to the dead-letter queue?

Settings ──► AWS, opened ──► which queue ──► Visit, and the queue its letters came from
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from logfanout.app.parts import opened_aws
from logfanout.aws import Aws, Redrive
from logfanout.letters.visit import Visit
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import DeadLetters
from logfanout.settings import Settings, SettingsWrong


@dataclass(frozen=True, slots=True)
class Desk:
    """A visit that is under way, and what its reader should know."""

    visit: Visit
    source: DeadLetters | None  # takes a letter's notification back; None: nothing says where it came from
    onward: Redrive | None  # where the dead-letter queue itself sends what is looked at too often


@asynccontextmanager
async def visiting(settings: Settings) -> AsyncIterator[Desk]:
    """Open the dead-letter queue of the queue of notices.

    Raises:
        LogfanoutError: a queue is not there, or we may not look at it.
        SettingsWrong: nothing says which queue it is; there is no region, or there are no credentials.
    """
    async with opened_aws() as aws:
        url = settings.dlq_url or await _target_of(settings.sqs_queue_url, aws)
        source = aws.dead_letters(settings.sqs_queue_url) if settings.sqs_queue_url else None
        async with Visit(aws.letters(url), aws.queue(url), layout=KeyLayout.parse(settings.key_layout)) as visit:
            yield Desk(visit, source, await aws.redrive(url))


async def _target_of(queue_url: str | None, aws: Aws) -> str:
    if queue_url is None:
        raise SettingsWrong(["SQS_QUEUE_URL: is not set, and neither is LOGFANOUT_DLQ_URL: one must be"])
    redrive = await aws.redrive(queue_url)
    if redrive is None:
        raise SettingsWrong(
            ["LOGFANOUT_DLQ_URL: is not set, and the queue's redrive policy names none, or we may not read it"]
        )
    return redrive.url

"""How do the parts become a Lambda function?

Parts ──► Function, for as long as the environment lives      queue's ARN ──► Source
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from logfanout.app.parts import opened
from logfanout.aws import Aws
from logfanout.errors import AccessRefused
from logfanout.function.invocations import Function, Source
from logfanout.function.invocations import Terms as FunctionTerms
from logfanout.settings import Settings


@asynccontextmanager
async def open_function(settings: Settings) -> AsyncIterator[Function]:
    """Open what a Lambda environment keeps from one invocation to the next."""
    async with opened(settings) as parts:
        yield Function(
            parts.courier,
            gate=parts.gate,
            terms=FunctionTerms(slots=settings.slots, give_back_seconds=settings.give_back_seconds),
            find=partial(_source, settings, parts.aws),
        )


async def _source(settings: Settings, aws: Aws, queue_arn: str) -> Source:
    """Return what can be known of the queue that events come from; what may not be asked is done without."""
    dead_letters = settings.dlq_url
    url = settings.sqs_queue_url
    if url is None or url.rpartition("/")[2] != queue_arn.rpartition(":")[2]:
        try:
            url = await aws.queue_url(queue_arn)
        except AccessRefused:
            return Source(dead_letters=aws.dead_letters(dead_letters) if dead_letters else None)
    redrive = await aws.redrive(url)
    if redrive and not redrive.url.endswith(".fifo"):  # whose letters would want a group: SQS's own redrive has one
        dead_letters = dead_letters or redrive.url
    return Source(
        queue=aws.queue(url),
        dead_letters=aws.dead_letters(dead_letters) if dead_letters else None,
        max_receives=redrive.max_receive_count if redrive and dead_letters else None,
    )

"""What can be known of the queue that Lambda's events come from, and what is done without."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from logfanout.app.function import _source
from logfanout.aws import Aws
from logfanout.errors import Unavailable
from logfanout.settings import Settings, read
from logfanout.testing.site import Answer, Request, Site

ARN = "arn:aws:sqs:eu-west-1:111122223333:notices"
URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/notices"


def sqs(dead: str = "dead", **refusals: str) -> Callable[[Request], Answer]:
    """Answer as SQS does; *refusals* are error codes by action."""

    def answer(request: Request) -> Answer:
        action = request.headers["x-amz-target"].rpartition(".")[2]
        if action in refusals:
            return Answer(status=400, body=json.dumps({"__type": refusals[action], "message": "no"}).encode())
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:eu-west-1:111122223333:{dead}", "maxReceiveCount": 7}
        body: Any = (
            {"QueueUrl": URL} if action == "GetQueueUrl" else {"Attributes": {"RedrivePolicy": json.dumps(policy)}}
        )
        return Answer(body=json.dumps(body).encode())

    return answer


def asked(site: Site) -> list[str]:
    return [request.headers["x-amz-target"].rpartition(".")[2] for request in site.requests]


@pytest.mark.parametrize(
    ("environ", "actions"),
    [
        ({}, ["GetQueueUrl", "GetQueueAttributes"]),
        ({"SQS_QUEUE_URL": URL}, ["GetQueueAttributes"]),
        ({"SQS_QUEUE_URL": f"{URL}-other"}, ["GetQueueUrl", "GetQueueAttributes"]),
    ],
)
async def test_the_url_is_looked_up_unless_it_is_told(
    aws: Aws, site: Site, environ: dict[str, str], actions: list[str]
) -> None:
    """A setting that names another queue is not this one's."""
    site.rule(sqs())
    source = await _source(read(environ), aws, ARN)
    assert asked(site) == actions
    assert repr(source.queue) == f"<SqsQueue {URL}>"
    assert repr(source.dead_letters) == f"<SqsDeadLetters {URL.replace('notices', 'dead')}>"
    assert source.max_receives == 7


async def test_who_may_not_ask_delivers_all_the_same(aws: Aws, site: Site) -> None:
    """Without changing visibility; with dead letters only where a setting says so."""
    site.rule(sqs(GetQueueUrl="AccessDeniedException"))
    source = await _source(Settings(), aws, ARN)
    assert (source.queue, source.dead_letters, source.max_receives) == (None, None, None)
    source = await _source(read({"LOGFANOUT_DLQ_URL": URL}), aws, ARN)
    assert source.dead_letters is not None


async def test_a_queue_in_trouble_is_asked_again(aws: Aws, site: Site) -> None:
    """Nothing is known of it, and nothing is remembered."""
    site.rule(sqs(GetQueueUrl="QueueDoesNotExist"))
    with pytest.raises(Unavailable):
        await _source(Settings(), aws, ARN)


async def test_a_fifo_queues_letters_are_its_own(aws: Aws, site: Site) -> None:
    """A letter there would need a message group; SQS's redrive keeps the one the message has."""
    site.rule(sqs(dead="dead.fifo"))
    source = await _source(Settings(), aws, f"{ARN}.fifo")
    assert source.queue is not None
    assert (source.dead_letters, source.max_receives) == (None, None)

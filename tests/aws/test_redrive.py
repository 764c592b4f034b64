"""Do we know when SQS gives up on a message, and where it then goes?"""

import json
from typing import Any

import pytest

from logfanout.aws import Aws, Redrive
from logfanout.aws.queue import MOST_RECEIVES
from logfanout.testing.site import Site

URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/notices"
DEAD = "https://sqs.eu-west-1.amazonaws.com/111122223333/dead"
ARN = "arn:aws:sqs:eu-west-1:111122223333:dead"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"deadLetterTargetArn": ARN, "maxReceiveCount": 5}, Redrive(url=DEAD, max_receive_count=5)),
        ({"deadLetterTargetArn": ARN, "maxReceiveCount": "5"}, Redrive(url=DEAD, max_receive_count=5)),
        ({"deadLetterTargetArn": ARN}, Redrive(url=DEAD, max_receive_count=MOST_RECEIVES)),
        ({"deadLetterTargetArn": ARN, "maxReceiveCount": None}, Redrive(url=DEAD, max_receive_count=MOST_RECEIVES)),
        ({}, None),
    ],
)
async def test_the_policy_says_where_and_when(aws: Aws, site: Site, policy: Any, expected: Redrive | None) -> None:
    """The count comes as it was set: some write it in quotes."""
    site.json({"Attributes": {"RedrivePolicy": json.dumps(policy)}} if policy else {})
    assert await aws.redrive(URL) == expected


async def test_who_may_not_ask_knows_nothing(aws: Aws, site: Site) -> None:
    """The permission is not one a worker needs."""
    site.json({"__type": "AccessDeniedException", "message": "no"}, status=400)
    assert await aws.redrive(URL) is None


async def test_the_other_queue_is_at_the_same_address(aws: Aws, site: Site) -> None:
    """An override's too."""
    site.json({"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN, "maxReceiveCount": 5})}})
    found = await aws.redrive("http://localhost:4566/prefix/111122223333/notices")
    assert found == Redrive(url="http://localhost:4566/prefix/111122223333/dead", max_receive_count=5)

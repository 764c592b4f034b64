"""Who are we to AWS, and how are a queue and a table set up?

    GetCallerIdentity ──► Caller, and by the answer's Date how far our clock is off
    GetQueueAttributes ──► QueueFacts          DescribeTimeToLive ──► the attribute items expire by

For ``logfanout doctor``: asked once, and through the SDK. Nothing here changes anything.
"""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from logfanout.aws.faults import as_ours
from logfanout.aws.queue import SQS_FAULTS, redrive_in
from logfanout.aws.tenant_table import DYNAMODB_FAULTS
from logfanout.doctoring.surroundings import Caller, QueueFacts

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
ATTRIBUTES = (
    "QueueArn",
    "MessageRetentionPeriod",
    "VisibilityTimeout",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "RedrivePolicy",
)


class StsIdentity:
    """The doctor's ``Identity`` over STS."""

    def __init__(self, client: Any, *, now_seconds: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now_seconds = now_seconds

    def __repr__(self) -> str:
        return "<StsIdentity>"

    async def caller(self) -> Caller:
        """Return who we are; it needs no permission."""
        with as_ours({}, "GetCallerIdentity"):
            answer = await self._client.get_caller_identity()
        return Caller(account=str(answer["Account"]), arn=str(answer["Arn"]))

    async def clock_ahead_seconds(self) -> float | None:
        """Return how far this machine's clock is ahead of STS's; ``None`` where its answer has no date."""
        before = self._now_seconds()
        with as_ours({}, "GetCallerIdentity"):
            try:
                answer: Mapping[str, Any] = await self._client.get_caller_identity()
            except ClientError as error:  # an answer too, with the time on it
                answer = error.response
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        said = _epoch_seconds(headers.get("date", ""))
        return None if said is None else round((before + self._now_seconds()) / 2 - said)


class AwsInspection:
    """The doctor's ``Inspection`` over SQS and DynamoDB."""

    def __init__(self, *, sqs: Any, dynamodb: Any) -> None:
        self._sqs = sqs
        self._dynamodb = dynamodb

    def __repr__(self) -> str:
        return "<AwsInspection>"

    async def queue(self, url: str) -> QueueFacts:
        """Return what SQS says of the queue at *url*."""
        with as_ours(SQS_FAULTS, f"GetQueueAttributes {url}"):
            answer = await self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(ATTRIBUTES))
        said: Mapping[str, str] = answer.get("Attributes", {})
        redrive = redrive_in(said.get("RedrivePolicy", ""), beside=url)
        return QueueFacts(
            arn=said.get("QueueArn", ""),
            retention_seconds=int(said.get("MessageRetentionPeriod", 0)),
            visibility_seconds=int(said.get("VisibilityTimeout", 0)),
            waiting=int(said.get("ApproximateNumberOfMessages", 0)),
            in_flight=int(said.get("ApproximateNumberOfMessagesNotVisible", 0)),
            delayed=int(said.get("ApproximateNumberOfMessagesDelayed", 0)),
            dead_letters_url=redrive.url if redrive else "",
            max_receive_count=redrive.max_receive_count if redrive else 0,
        )

    async def expiry_attribute(self, table: str) -> str:
        """Return by which attribute DynamoDB deletes items of *table*; empty: it deletes none."""
        with as_ours(DYNAMODB_FAULTS, f"DescribeTimeToLive {table}"):
            answer = await self._dynamodb.describe_time_to_live(TableName=table)
        match answer.get("TimeToLiveDescription"):
            case {"TimeToLiveStatus": "ENABLED" | "ENABLING", "AttributeName": str(name)}:
                return name
            case _:
                return ""


def _epoch_seconds(date: str) -> float | None:
    """Return the time in an HTTP date; ``None`` for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None

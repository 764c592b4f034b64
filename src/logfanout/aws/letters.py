"""What do letters say that lie in a dead-letter queue?

    ReceiveMessage, with all attributes ──► Letter

By the SDK: it is asked when a person looks. Letters are deleted and shown again by ``SqsQueue``, as any message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from logfanout.aws.faults import as_ours
from logfanout.aws.queue import SQS_FAULTS
from logfanout.letters.letter import Letter


class SqsLetters:
    """The ``Letters`` of one SQS queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def __repr__(self) -> str:
        return f"<SqsLetters {self._url}>"

    async def take(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Letter]:
        """Return up to *most* letters, hidden for *hide_seconds*; after *wait_seconds* possibly none."""
        with as_ours(SQS_FAULTS, f"ReceiveMessage {self._url}"):
            answer = await self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=hide_seconds,
                AttributeNames=["SentTimestamp"],  # the older name, as in ``SqsQueue.receive``
                MessageAttributeNames=["All"],
            )
        return [_letter(message) for message in answer.get("Messages", ())]


def _letter(message: Mapping[str, Any]) -> Letter:
    return Letter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes={
            name: value.get("StringValue", "")  # a binary one is none of ours
            for name, value in message.get("MessageAttributes", {}).items()
        },
        sent_ms=int(message.get("Attributes", {}).get("SentTimestamp", 0)),
    )

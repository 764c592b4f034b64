"""Which messages does a Lambda event bring?

    event of an SQS event source mapping ──► read ──► SqsEvent: the queue, its messages

Pure. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html shows the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logfanout.ports import Received


class EventUnreadable(Exception):
    """The event is none of an SQS event source mapping, or a record in it cannot even be named as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsEvent:
    """What one invocation brings."""

    queue_arn: str  # empty if and only if there is no message
    messages: tuple[Received, ...]
    unreadable: tuple[str, ...] = ()  # ids of records that lack a body or a receipt
    nameless: int = 0  # records without an id: Lambda cannot be told that these failed


def read(event: object) -> SqsEvent:
    """Return what *event* brings, in its order.

    Raises:
        EventUnreadable: it is not an event of SQS, or one of several queues, which no mapping sends.
    """
    match event:
        case {"Records": [*records]}:
            pass
        case _:
            raise EventUnreadable("the event has no Records: only an SQS event source mapping may invoke this function")
    messages: list[Received] = []
    unreadable: list[str] = []
    queues: set[str] = set()
    nameless = 0
    for record in records:
        match record:
            case {"eventSource": "aws:sqs", "eventSourceARN": str(arn), "messageId": str(message_id), **rest} if (
                message_id and arn.count(":") == 5
            ):
                queues.add(arn)
                if (message := _message(message_id, rest)) is None:
                    unreadable.append(message_id)
                else:
                    messages.append(message)
            case {"eventSource": "aws:sqs"}:
                nameless += 1
            case _:
                raise EventUnreadable("a record of the event is not SQS's: only a queue may be this function's source")
    if len(queues) > 1:
        raise EventUnreadable(f"the event is of {len(queues)} queues, and a mapping has one")
    return SqsEvent(
        queue_arn=next(iter(queues), ""), messages=tuple(messages), unreadable=tuple(unreadable), nameless=nameless
    )


def _message(message_id: str, record: Mapping[Any, Any]) -> Received | None:
    match record:
        case {"receiptHandle": str(receipt), "body": str(body), **rest} if receipt:
            attributes = rest.get("attributes")
            said: Mapping[Any, Any] = attributes if isinstance(attributes, dict) else {}
            return Received(
                id=message_id,
                receipt=receipt,
                body=body,
                # Without it not the first: somebody may have been at it, and a ledger is asked.
                receive_count=_number(said.get("ApproximateReceiveCount"), otherwise=2),
                sent_ms=_number(said.get("SentTimestamp"), otherwise=0),
            )
        case _:
            return None


def _number(text: object, *, otherwise: int) -> int:
    """Return a count or a time, which the event holds as text."""
    said = str(text)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 20 else otherwise

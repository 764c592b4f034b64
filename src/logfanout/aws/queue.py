"""How do notices come off SQS, and how do dead letters go on?

    ReceiveMessage ──► Received ──► DeleteMessageBatch, ChangeMessageVisibilityBatch ──► Refusals
    DeadLetter ──► SendMessage          ARN ──► GetQueueUrl ──► GetQueueAttributes ──► Redrive

A batch call succeeds even if SQS refused some of its entries: those come back as values, not as errors. The first three
are hand-signed: the SDK took a fifth of the processor time of small objects for them. Letters are rare, and its.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Table, as_ours, error_of
from logfanout.aws.http import Http
from logfanout.aws.json_requests import JsonRequests, refused
from logfanout.errors import AccessRefused, Unavailable
from logfanout.ports import Credentials, DeadLetter, Received, Refusal

Answer = TypeVar("Answer")

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and each action's errors
SQS_FAULTS: Table = {
    # A wrong URL, or a queue deleted and made again, which takes a minute: an operator sees to it.
    "NonExistentQueue": Unavailable,
    "QueueDoesNotExist": Unavailable,
    "QueueDeletedRecently": Unavailable,
}
LOST = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight"})
# "Amazon SQS message quotas": body and attributes together.
MOST_MESSAGE_BYTES = 1_048_576
MOST_RECEIVES = 1000  # SetQueueAttributes, "maxReceiveCount"
MOST_ATTRIBUTE_BYTES = 2048  # of one value; ours are sentences and keys
# The same page: all that XML 1.0 cannot hold is refused.
UNSENDABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Attributes(msgspec.Struct):
    receive_count: str = msgspec.field(default="1", name="ApproximateReceiveCount")
    sent_ms: str = msgspec.field(default="0", name="SentTimestamp")


class _Message(msgspec.Struct, rename="pascal"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _Messages(msgspec.Struct, rename="pascal"):
    messages: list[_Message] | None = None


class _FailedEntry(msgspec.Struct, rename="pascal"):
    id: str
    code: str | None = None
    message: str | None = None


class _BatchAnswer(msgspec.Struct, rename="pascal"):
    failed: list[_FailedEntry] | None = None


_encode = msgspec.json.Encoder().encode
_messages = msgspec.json.Decoder(_Messages)
_batch_answer = msgspec.json.Decoder(_BatchAnswer)


class SqsQueue:
    """The ``Queue`` port over one SQS queue."""

    def __init__(
        self,
        http: Http,
        url: str,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
    ) -> None:
        self._requests = JsonRequests(
            http, service="sqs", target="AmazonSQS", version="1.0", endpoints=endpoints, repeatable=True
        )
        self._region = endpoints.region
        self._credentials = credentials
        self._url = url

    def __repr__(self) -> str:
        return f"<SqsQueue {self._url}>"

    async def receive(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Received]:
        """Return up to *most* messages, after *wait_seconds* possibly none."""
        asked = {
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": wait_seconds,
            "VisibilityTimeout": hide_seconds,
            # The older of two names for the same list: emulators do not know the newer one yet.
            "AttributeNames": ["ApproximateReceiveCount", "SentTimestamp"],
        }
        answer = await self._call("ReceiveMessage", asked, _messages)
        return [_received(message) for message in answer.messages or ()]

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        """Delete up to ten messages; return those SQS refused."""
        if not receipts:
            return []
        entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
        return _refusals(await self._call("DeleteMessageBatch", {"Entries": entries}, _batch_answer), receipts)

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        """Make up to ten messages invisible for *seconds* from now; return those refused."""
        if not receipts:
            return []
        entries = [
            {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": seconds} for n, receipt in enumerate(receipts)
        ]
        answer = await self._call("ChangeMessageVisibilityBatch", {"Entries": entries}, _batch_answer)
        return _refusals(answer, receipts)

    async def _call(self, operation: str, asked: Mapping[str, Any], answers: "msgspec.json.Decoder[Answer]") -> Answer:
        said = f"{operation} {self._url}"
        with as_ours(SQS_FAULTS, said):
            body = _encode({"QueueUrl": self._url, **asked})
            reply = await self._requests.send(operation, body, region=self._region, by=await self._credentials())
        if reply.status != 200:
            raise error_of(refused(reply), SQS_FAULTS, said)
        try:
            return answers.decode(reply.body or b"{}")
        except msgspec.DecodeError as error:
            raise Unavailable(f"{said}: the answer is not SQS's ({error})") from None


class SqsDeadLetters:
    """The ``DeadLetters`` port over one SQS queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def __repr__(self) -> str:
        return f"<SqsDeadLetters {self._url}>"

    async def put(self, letter: DeadLetter) -> None:
        """Return once SQS has the letter, its attributes shortened to what SQS can hold."""
        body = UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", letter.body)  # it stays the same JSON
        with as_ours(SQS_FAULTS, f"SendMessage {self._url}"):
            await self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageAttributes=_attributes(letter.attributes, body)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """What a queue does with a message that was received too often."""

    url: str  # of the dead-letter queue
    max_receive_count: int  # 1 to 1,000: received more often than this, the message is moved


async def redrive(client: Any, url: str) -> Redrive | None:
    """Return what the redrive policy of the queue at *url* says.

    ``None`` where it has none, and where we may not ask.
    """
    try:
        with as_ours(SQS_FAULTS, f"GetQueueAttributes {url}"):
            answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    except AccessRefused:
        return None
    return redrive_in(answer.get("Attributes", {}).get("RedrivePolicy", ""), beside=url)


def redrive_in(policy: str, *, beside: str) -> Redrive | None:
    """Return what the redrive *policy* of the queue at *beside* says; ``None`` for an empty one."""
    match json.loads(policy or "{}"):
        case {"deadLetterTargetArn": str(arn), **rest}:
            return Redrive(url=_sibling(beside, arn), max_receive_count=_count(rest.get("maxReceiveCount")))
        case _:
            return None


async def queue_url(client: Any, arn: str) -> str:
    """Return the URL of the queue *arn*.

    Raises:
        AccessRefused: we may not ask.
        Unavailable: it is not there, or for now.
    """
    account, name = arn.split(":")[4:6]
    with as_ours(SQS_FAULTS, f"GetQueueUrl {arn}"):
        answer = await client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
    return str(answer["QueueUrl"])


def _count(value: object) -> int:
    """Return a policy's count, which SQS keeps as it was set: a number, or one in quotes; without one its most."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else MOST_RECEIVES


def _sibling(url: str, arn: str) -> str:
    """Return the URL of the queue *arn*, at the same address as the queue at *url*.

    SQS wants both in one account and region, so only the last two segments of the path differ. Not asked of SQS by
    GetQueueUrl: that needs one permission more, and emulators answer with an address of their own.
    """
    account, name = arn.split(":")[4:6]
    parts = urlsplit(url)
    base = parts.path.rstrip("/").rsplit("/", 2)[0]
    return urlunsplit(parts._replace(path=f"{base}/{account}/{name}"))


def _received(message: _Message) -> Received:
    return Received(
        id=message.message_id,
        receipt=message.receipt_handle,
        body=message.body,
        receive_count=int(message.attributes.receive_count),
        sent_ms=int(message.attributes.sent_ms),
    )


def _refusals(answer: _BatchAnswer, receipts: Sequence[str]) -> list[Refusal]:
    return [
        Refusal(receipt=receipts[int(entry.id)], code=entry.code or "", lost=_is_lost(entry))
        for entry in answer.failed or ()
    ]


def _is_lost(entry: _FailedEntry) -> bool:
    """Whether SQS says that the receipt is no good any more.

    For an expired one it names the parameter in a sentence: "Value … for parameter ReceiptHandle is invalid. Reason:
    The receipt handle has expired." (re:Post, "ReceiptHandleIsInvalid"). The same code for the parameter
    VisibilityTimeout means that the twelve hours are used up, and the receipt still deletes.
    """
    code = (entry.code or "").rpartition(".")[2]
    return code in LOST or (code == "InvalidParameterValue" and "parameter ReceiptHandle" in (entry.message or ""))


def _attributes(attributes: Mapping[str, str], body: str) -> dict[str, dict[str, str]]:
    """Return *attributes* for SendMessage, as many and as long as fit beside *body*."""
    room = MOST_MESSAGE_BYTES - len(body.encode())
    fitting: dict[str, dict[str, str]] = {}
    for name, value in attributes.items():
        room -= len(name) + len("String")
        text = _cut(UNSENDABLE.sub("�", value), most_bytes=min(MOST_ATTRIBUTE_BYTES, room))
        if text:
            fitting[name] = {"DataType": "String", "StringValue": text}
        room -= len(text.encode())
    return fitting


def _cut(text: str, *, most_bytes: int) -> str:
    """Return the beginning of *text* that UTF-8 holds in *most_bytes*, no character halved."""
    return text.encode()[: max(most_bytes, 0)].decode(errors="ignore")

"""What does a queue of S3 notifications do that a list does not?

send ──► visible ──► receive: hidden for a while, counted ──► delete
            ▲                        │ the time runs out, or hide(0)
            └────────────────────────┘ and at last, too often received: the dead-letter queue
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from logfanout.ports import Clock, DeadLetter, Received, Refusal
from logfanout.testing.dead_letters import FakeDeadLetters
from logfanout.testing.line import Line

MOST_A_BATCH = 10  # SQS API reference, ReceiveMessage "MaxNumberOfMessages" and the batch calls
MOST_WAIT_SECONDS = 20  # ReceiveMessage, "WaitTimeSeconds"
MOST_HIDE_SECONDS = 43_200  # ChangeMessageVisibility: 12 hours, counted from the receive


@dataclass(slots=True, kw_only=True)
class _Message:
    id: str
    body: str
    sent_ms: int
    visible_at: float  # loop time
    received_at: float = 0.0
    receive_count: int = 0
    receipt: str = ""  # of the newest receive only


class FakeQueue(Line):
    """A standard queue in memory, in the order things were sent.

    Stricter than SQS's standard queues, like its FIFO ones: a receipt is good for nothing once its time ran
    out. Deleting twice is fine, as there. A message received *max_receive_count* times goes to *redrive_to*
    when it would be received once more.
    """

    def __init__(self, *, clock: Clock, redrive_to: FakeDeadLetters | None = None, max_receive_count: int = 5) -> None:
        super().__init__()
        self._clock = clock
        self._redrive_to = redrive_to
        self._max_receive_count = max_receive_count
        self._messages: dict[str, _Message] = {}
        self._deleted: set[str] = set()  # receipts
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<FakeQueue {self.visible} visible, {self.in_flight} in flight>"

    @property
    def visible(self) -> int:
        """Messages a receive would find."""
        return len(self._messages) - self.in_flight

    @property
    def in_flight(self) -> int:
        """Messages received, neither deleted nor visible again."""
        now = asyncio.get_running_loop().time()
        return sum(message.visible_at > now for message in self._messages.values())

    def bodies(self) -> list[str]:
        """Return the body of every message that is not deleted, hidden ones too."""
        return [message.body for message in self._messages.values()]

    def receive_counts(self) -> dict[str, int]:
        """Return how often each message still there was received, by id."""
        return {message.id: message.receive_count for message in self._messages.values()}

    def send(self, body: str) -> str:
        """Put a message on the queue; return its id."""
        number = f"m-{next(self._numbers)}"
        self._messages[number] = _Message(
            id=number, body=body, sent_ms=self._clock.epoch_ms(), visible_at=asyncio.get_running_loop().time()
        )
        self._changed.set()
        return number

    def show_again(self, *ids: str) -> None:
        """Make *ids* (none: all) visible at once, as if their time had run out or SQS sent them twice."""
        for message in self._messages.values():
            if not ids or message.id in ids:
                message.visible_at = asyncio.get_running_loop().time()
        self._changed.set()

    async def receive(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Received]:
        """Return up to *most* messages; wait for the first one as a long poll does."""
        _require(1 <= most <= MOST_A_BATCH, f"MaxNumberOfMessages {most}")
        _require(0 <= wait_seconds <= MOST_WAIT_SECONDS, f"WaitTimeSeconds {wait_seconds}")
        _require(0 <= hide_seconds <= MOST_HIDE_SECONDS, f"VisibilityTimeout {hide_seconds}")
        async with self._call("receive"):
            deadline = asyncio.get_running_loop().time() + wait_seconds
            while not (found := self._take(most, hide_seconds)) and asyncio.get_running_loop().time() < deadline:
                await self._until_changed(deadline)
            return found

    async def delete(self, receipts: Sequence[str]) -> Sequence[Refusal]:
        """Delete messages; those no longer in flight under this receipt are refused."""
        _require_batch(receipts)
        async with self._call("delete"):
            return [refusal for receipt in receipts if (refusal := self._delete(receipt))]

    async def hide(self, receipts: Sequence[str], *, seconds: int) -> Sequence[Refusal]:
        """Hide messages for *seconds* from now; those no longer in flight under this receipt are refused."""
        _require_batch(receipts)
        _require(0 <= seconds <= MOST_HIDE_SECONDS, f"VisibilityTimeout {seconds}")
        async with self._call("hide"):
            return [refusal for receipt in receipts if (refusal := self._hide(receipt, seconds))]

    def _take(self, most: int, hide_seconds: int) -> list[Received]:
        """Receive what is visible now; redrive what was received too often."""
        now = asyncio.get_running_loop().time()
        found: list[Received] = []
        for message in [message for message in self._messages.values() if message.visible_at <= now]:
            if len(found) == most:
                break
            if self._redrive_to is not None and message.receive_count >= self._max_receive_count:
                del self._messages[message.id]
                self._redrive_to.letters.append(DeadLetter(body=message.body, attributes={}))
                continue
            message.receive_count += 1
            message.received_at = now
            message.visible_at = now + hide_seconds
            message.receipt = f"{message.id}/{message.receive_count}"
            found.append(_handed_out(message))
        return found

    async def _until_changed(self, deadline: float) -> None:
        """Return when a message may have become visible, or at *deadline*."""
        self._changed.clear()
        wake_at = min([deadline, *(message.visible_at for message in self._messages.values())])
        try:
            async with asyncio.timeout_at(wake_at):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _delete(self, receipt: str) -> Refusal | None:
        if receipt in self._deleted:
            return None
        if (message := self._in_flight(receipt)) is None:
            return Refusal(receipt=receipt, code="InvalidParameterValue", lost=True)
        del self._messages[message.id]
        self._deleted.add(receipt)
        return None

    def _hide(self, receipt: str, seconds: int) -> Refusal | None:
        if (message := self._in_flight(receipt)) is None:
            return Refusal(receipt=receipt, code="MessageNotInflight", lost=True)
        until = asyncio.get_running_loop().time() + seconds
        if until > message.received_at + MOST_HIDE_SECONDS:
            return Refusal(receipt=receipt, code="InvalidParameterValue", lost=False)
        message.visible_at = until
        self._changed.set()
        return None

    def _in_flight(self, receipt: str) -> _Message | None:
        """The message *receipt* is the newest receipt of, if its time has not run out."""
        message = self._messages.get(receipt.partition("/")[0])
        if message is None or message.receipt != receipt:
            return None
        return message if message.visible_at > asyncio.get_running_loop().time() else None


def _handed_out(message: _Message) -> Received:
    return Received(
        id=message.id,
        receipt=message.receipt,
        body=message.body,
        receive_count=message.receive_count,
        sent_ms=message.sent_ms,
    )


def _require_batch(receipts: Sequence[str]) -> None:
    _require(0 < len(receipts) <= MOST_A_BATCH, f"a batch of {len(receipts)}")
    _require(len(set(receipts)) == len(receipts), "a receipt twice in one batch")


def _require(holds: bool, what: str) -> None:
    """What SQS would answer with a 400 is a bug of the caller's."""
    if not holds:
        raise ValueError(f"SQS would refuse {what}")

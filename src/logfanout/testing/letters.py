"""What does a dead-letter queue do that a list does not?

post, with what is said of it ──► take: hidden for a while ──► delete │ hide(0), as any queue's
"""

from collections.abc import Mapping, Sequence

from logfanout.letters.letter import Letter
from logfanout.ports import Clock
from logfanout.testing.queue import FakeQueue


class FakeLetters(FakeQueue):
    """A dead-letter queue to look through; ``testing.FakeDeadLetters`` is one to write to."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._attributes: dict[str, Mapping[str, str]] = {}  # by id

    def __repr__(self) -> str:
        return f"<FakeLetters {self.visible} visible, {self.in_flight} held>"

    def post(self, body: str, **said: str) -> str:
        """Leave a letter, *said* as its ``logfanout.`` attributes (none: SQS moved it itself); return its id."""
        id_ = self.send(body)
        self._attributes[id_] = {f"logfanout.{name}": value for name, value in said.items()}
        return id_

    async def take(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Letter]:
        """Return up to *most* letters, hidden for *hide_seconds*; after *wait_seconds* possibly none."""
        return [
            Letter(
                id=each.id,
                receipt=each.receipt,
                body=each.body,
                attributes=self._attributes[each.id],
                sent_ms=each.sent_ms,
            )
            for each in await self.receive(most=most, wait_seconds=wait_seconds, hide_seconds=hide_seconds)
        ]

"""What is in the dead-letter queue?

put ──► letters ◄── redrive, where the queue's receives ran out
"""

from logfanout.ports import DeadLetter
from logfanout.testing.line import Line

# SendMessage: up to 10 attributes; Amazon SQS message quotas: 1 MiB, attributes included.
MOST_ATTRIBUTES = 10
MOST_BYTES = 1_048_576


class FakeDeadLetters(Line):
    """A DLQ to read in tests. Letters that SQS moved here by itself have no attributes, as on AWS."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[DeadLetter] = []

    def __repr__(self) -> str:
        return f"<FakeDeadLetters {len(self.letters)} letters>"

    async def put(self, letter: DeadLetter) -> None:
        """Return once SQS has the letter."""
        _require_sendable(letter)
        async with self._call("put"):
            self.letters.append(letter)

    def reasons(self) -> list[str]:
        """Return each letter's ``logfanout.reason``, in order; empty for those SQS moved by itself."""
        return [letter.attributes.get("logfanout.reason", "") for letter in self.letters]


def _require_sendable(letter: DeadLetter) -> None:
    """What SQS would answer with a 400 is a bug of the caller's."""
    if not letter.body:
        raise ValueError("SendMessage: the body is empty")
    if len(letter.attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"SendMessage: {len(letter.attributes)} attributes, {MOST_ATTRIBUTES} are allowed")
    if not all(letter.attributes.values()):
        raise ValueError("SendMessage: an attribute is empty")

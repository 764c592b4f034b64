"""How is a dead-letter queue looked through, and left as it was found?

    take, hidden from others ──► each letter once ──► sent back and removed │ removed │ shown again at the end

SQS has no listing: to look is to receive. What was received is hidden meanwhile, so that each letter comes once, and
shown again when the visit ends; should it end unheard of, in ``HOLD_SECONDS``.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, Self

from logfanout.errors import LogfanoutError
from logfanout.letters.letter import Chosen, Letter, Told, told
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import DeadLetter, DeadLetters, Queue
from logfanout.retrying import patiently

# Long enough for ten thousand letters and for somebody to think about a question.
HOLD_SECONDS = 900
# A long poll asks all of SQS's servers, so that an empty answer means an empty queue ("Amazon SQS short and long
# polling").
WAIT_SECONDS = 2
_AT_ONCE = 10  # what one call of SQS's takes

_PATIENTLY = patiently()


class Letters(Protocol):
    """A dead-letter queue with what its letters say. Errors: ``Unavailable``, ``AccessRefused``."""

    async def take(self, *, most: int, wait_seconds: int, hide_seconds: int) -> Sequence[Letter]:
        """Return up to *most* (1 to 10) letters, hidden for *hide_seconds*; after *wait_seconds* possibly none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBack:
    """What came of sending letters back."""

    count: int  # of notifications that are on the queue by now
    failure: LogfanoutError | None  # why no more were


class Visit:
    """One look through a dead-letter queue, an ``async with`` block.

    Raises:
        LogfanoutError: from every method, when SQS refuses or does not answer for long.
    """

    def __init__(self, letters: Letters, queue: Queue, *, layout: KeyLayout) -> None:
        """*letters* and *queue* are the same queue's, the dead-letter queue; *layout* tells whose a key is."""
        self._letters = letters
        self._queue = queue
        self._layout = layout
        self._held: dict[str, str] = {}  # receipts by id
        self.full = False  # whether the look ended because it had seen as many as it was to

    def __repr__(self) -> str:
        return f"<Visit, {len(self._held)} letters held>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: Any) -> None:
        """Show what is left at once; what cannot be shown comes back by itself."""
        for some in _in_tens(self._held.values()):
            try:
                await _PATIENTLY(self._queue.hide, some, seconds=0)
            except LogfanoutError:
                return
        self._held.clear()

    async def find(self, chosen: Chosen, *, most: int) -> list[Told]:
        """Return the *chosen* of up to *most* letters, oldest first."""
        found = [told(letter, layout=self._layout) async for letter in self.look(most=most)]
        return sorted(filter(chosen.takes, found), key=lambda each: each.letter.sent_ms)

    async def look(self, *, most: int) -> AsyncIterator[Letter]:
        """Yield each letter once, no more than *most*."""
        seen: set[str] = set()
        while len(seen) < most:
            found = await _PATIENTLY(
                self._letters.take,
                most=min(_AT_ONCE, most - len(seen)),
                wait_seconds=WAIT_SECONDS,
                hide_seconds=HOLD_SECONDS,
            )
            self._held |= {letter.id: letter.receipt for letter in found}
            new = [letter for letter in found if letter.id not in seen]
            if not new:  # what comes back by now was hidden for as long as it could be
                return
            for letter in new:
                seen.add(letter.id)
                yield letter
        self.full = True

    async def remove(self, letters: Sequence[Letter]) -> Sequence[Letter]:
        """Delete *letters*; return those that are still there, as they were held for too long."""
        left: list[Letter] = []
        for some in _in_tens(letters):
            refused = {each.receipt for each in await _PATIENTLY(self._queue.delete, [each.receipt for each in some])}
            left += [letter for letter in some if letter.receipt in refused]
            for letter in some:
                self._held.pop(letter.id, None)
        return left

    async def send_back(self, letters: Sequence[Letter], *, to: DeadLetters) -> SentBack:
        """Send the notification in each of *letters* to the queue it came from, and delete the letter then.

        A letter whose deletion fails has been sent all the same: what it announces is then delivered once by it and
        suppressed, as far as it is remembered, when it is sent again.
        """
        count = 0
        for some in _in_tens(letters):
            outcomes = await asyncio.gather(*(_sent(letter, to) for letter in some))
            sent = [letter for letter, failure in zip(some, outcomes, strict=True) if failure is None]
            count += len(sent)
            try:
                await self.remove(sent)
            except LogfanoutError as error:
                outcomes.append(error)
            if failure := next(filter(None, outcomes), None):
                return SentBack(count=count, failure=failure)
        return SentBack(count=count, failure=None)


async def _sent(letter: Letter, to: DeadLetters) -> LogfanoutError | None:
    """Send *letter* back without what was said of it, since it is a notification again; return why that failed."""
    try:
        await _PATIENTLY(to.put, DeadLetter(body=letter.body, attributes={}))
    except LogfanoutError as error:
        return error
    return None


def _in_tens(things: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(things)
    while some := list(islice(rest, _AT_ONCE)):
        yield some

"""What does the stub's queue hold, and who waits for it?

    announce ──► visible ──► receive (a long poll may wait) ──► in hand ──► delete, or hide and visible again

Pure but for the callbacks of those who wait. Leases do not run out by themselves: no run lasts as long as one.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.load import Notice


@dataclass(slots=True)
class Message:
    """One announcement in the queue."""

    notice: Notice
    announced_seconds: float
    receives: int = 0


Handed = Sequence[Message]
Tell = Callable[[Handed], None]


@dataclass(eq=False, slots=True)
class Poll:
    """One ReceiveMessage that waits."""

    most: int
    tell: Tell


class Queue:
    """The queue under test's other end."""

    def __init__(self) -> None:
        self._visible: deque[Message] = deque()
        self._in_hand: dict[int, Message] = {}  # by serial, which is also the receipt
        self._polls: deque[Poll] = deque()
        self.deleted = 0

    def __repr__(self) -> str:
        return f"<Queue {len(self._visible)} visible, {len(self._in_hand)} in hand, {self.deleted} deleted>"

    def announce(self, notice: Notice, *, at_seconds: float) -> None:
        """Put *notice* into the queue; a poll that waits gets it at once."""
        self._show(Message(notice, at_seconds))

    def receive(self, most: int, tell: Tell) -> Poll | None:
        """Hand up to *most* messages to *tell* now; or return a poll that waits for one."""
        if self._visible:
            tell(self._taken(most))
            return None
        poll = Poll(most, tell)
        self._polls.append(poll)
        return poll

    def end(self, poll: Poll) -> None:
        """Answer *poll* with nothing, if it still waits: its time is over."""
        if self.forget(poll):
            poll.tell(())

    def forget(self, poll: Poll) -> bool:
        """Forget *poll*, whose caller is gone; return whether it still waited."""
        if poll not in self._polls:
            return False
        self._polls.remove(poll)
        return True

    def delete(self, serial: int) -> None:
        """Delete a message in hand; one deleted before counts once."""
        if self._in_hand.pop(serial, None) is not None:
            self.deleted += 1

    def give_back(self, serial: int) -> Callable[[], None]:
        """Return what shows a message in hand again, for when its time has come; nothing if it is deleted by then."""

        def show() -> None:
            if (message := self._in_hand.pop(serial, None)) is not None:
                self._show(message)

        return show

    def _show(self, message: Message) -> None:
        self._visible.append(message)
        if self._polls:
            poll = self._polls.popleft()
            poll.tell(self._taken(poll.most))

    def _taken(self, most: int) -> Handed:
        taken = [self._visible.popleft() for _ in range(min(most, len(self._visible)))]
        for message in taken:
            message.receives += 1
            self._in_hand[message.notice.serial] = message
        return taken

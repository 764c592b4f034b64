"""Does the stub's queue hand out each message until it is deleted, and let polls wait?"""

from collections.abc import Callable

from bench.load import Notice
from bench.sqs import Handed, Queue


def serials(handed: Handed) -> list[int]:
    """Return which were handed out."""
    return [message.notice.serial for message in handed]


def filled(count: int) -> Queue:
    """Return a queue of so many messages."""
    queue = Queue()
    for serial in range(count):
        queue.announce(Notice(serial, 0, 0), at_seconds=0.0)
    return queue


def test_a_poll_gets_what_is_there_and_no_more_than_it_asks() -> None:
    """In the order they were announced."""
    queue = filled(5)
    seen: list[list[int]] = []
    assert queue.receive(3, lambda handed: seen.append(serials(handed))) is None
    assert queue.receive(3, lambda handed: seen.append(serials(handed))) is None
    assert seen == [[0, 1, 2], [3, 4]]


def test_a_poll_that_waits_gets_the_next_one_at_once() -> None:
    """The one that waits longest; one that is over gets nothing, and one that is gone is forgotten."""
    queue = Queue()
    seen: list[tuple[str, list[int]]] = []

    def tell(name: str) -> Callable[[Handed], None]:
        return lambda handed: seen.append((name, serials(handed)))

    polls = {name: queue.receive(1, tell(name)) for name in "abc"}
    assert polls["a"] is not None
    assert polls["b"] is not None
    queue.end(polls["a"])
    queue.end(polls["a"])
    assert queue.forget(polls["b"])
    queue.announce(Notice(9, 0, 0), at_seconds=0.0)
    assert seen == [("a", []), ("c", [9])]


def test_a_message_is_deleted_once() -> None:
    """Deleting it again counts nothing."""
    queue = filled(1)
    queue.receive(1, lambda _: None)
    queue.delete(0)
    queue.delete(0)
    assert queue.deleted == 1


def test_a_message_given_back_is_shown_again_unless_it_was_deleted() -> None:
    """With one receive more."""
    queue = filled(2)
    seen: list[tuple[int, int]] = []
    queue.receive(2, lambda _: None)
    show = [queue.give_back(serial) for serial in (0, 1)]
    queue.delete(1)
    for each in show:
        each()
    queue.receive(10, lambda handed: seen.extend((m.notice.serial, m.receives) for m in handed))
    assert seen == [(0, 2)]

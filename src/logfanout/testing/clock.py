"""How does a test wait an hour in no time?

    nothing is ready ──► the loop's time jumps to the next timer ──► its callback runs

Real sockets, subprocesses and threads have no place here: time would run away from under them. Work given to
an executor is done at once, in the loop's thread.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

NOON_MS = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)  # when a fake world begins, epoch
LOOP_START_SECONDS = 1_000.0  # not 0: code that takes "0" for "never" must not get away with it
# Ten weeks: longer than any story; a poller nobody stops would otherwise spin for ever.
MOST_SECONDS = 70 * 24 * 3600.0


class Deadlock(RuntimeError):
    """Every task waits for another and no timer runs: the test would hang."""


class VirtualTimeExceeded(RuntimeError):
    """The story goes on for longer than any test should: something polls and nobody stops it."""


def run(story: Coroutine[Any, Any, T], *, most_seconds: float = MOST_SECONDS) -> T:
    """Return what *story* returns, run in virtual time.

    Raises:
        Deadlock: nothing can ever happen any more; its text lists who waits where.
        VirtualTimeExceeded: *story* is not done after *most_seconds* of virtual time.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(most_seconds=most_seconds)) as runner:
        return runner.run(story)


def virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make the coroutine function *test* a plain one, run in virtual time: a decorator for tests.

    Async fixtures run in another loop, so a test so decorated takes plain ones only.
    """

    @functools.wraps(test)
    def in_virtual_time(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return in_virtual_time


class LoopClock:
    """The wall clock of a fake world: it began at *start_ms* and goes as the running loop's time goes."""

    def __init__(self, *, start_ms: int = NOON_MS) -> None:
        self._start_ms = start_ms
        self._began: float | None = None  # loop time; known at the first look, as there may be no loop before

    def __repr__(self) -> str:
        return f"<LoopClock since {self._start_ms}>"

    def epoch_ms(self) -> int:
        """Milliseconds since 1970 began, UTC."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = LOOP_START_SECONDS if isinstance(asyncio.get_running_loop(), VirtualLoop) else now
        return self._start_ms + round((now - self._began) * 1000)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never sleeps: when all wait, its time jumps to the next timer."""

    _clock_resolution: float  # asyncio's own

    def __init__(self, *, most_seconds: float = MOST_SECONDS) -> None:
        self._now = LOOP_START_SECONDS
        self._end = LOOP_START_SECONDS + most_seconds
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at *when*.

        asyncio fires timers that are due within the clock's resolution. Who then finds that his time has not quite come
        waits anew: two of them in turn would keep the loop busy, and time would never go on.
        """
        if 0 < when - self._now < self._clock_resolution:
            self._now = when
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run *func* at once: a thread would need real time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  whatever it is belongs to whoever awaits the result
            done.set_exception(error)
        return done

    def _jump(self, seconds: float | None) -> None:
        """Move time to the next timer, *seconds* ahead (``None``: there is none)."""
        if seconds is None:
            raise Deadlock(f"nothing can happen any more; waiting are:\n{_waiting(self)}")
        self._now += seconds
        if self._now > self._end:
            raise VirtualTimeExceeded(f"not done by virtual second {self._now:.0f}; waiting are:\n{_waiting(self)}")


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that asks for a jump in time where others would sleep."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)  # the loop's own wake-up pipe, which signals write to
        if not ready and timeout != 0:
            self._jump(timeout)
        return ready


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    """One line for each task that is not done: its name and where it waits."""
    return "\n".join(f"  {task.get_name()} {_place(task)}" for task in asyncio.all_tasks(loop)) or "  (no task)"


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    return f"in {frames[-1].f_code.co_qualname} line {frames[-1].f_lineno}" if frames else "(not started)"

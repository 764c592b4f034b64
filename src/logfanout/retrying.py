"""How often, and how long apart, is a call tried again?

Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): many workers that failed together must not come
back together. What still fails then goes to SQS, whose delays are longer and which counts the receives.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from logfanout.errors import LogfanoutError, Unavailable

Value = TypeVar("Value")

ATTEMPTS = 8  # waits of up to 0.1, 0.2 … 5 s between them: about 6 s on average, well inside a lease
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0


class Patience:
    """Tries a call again after some errors, and in the end raises the last one.

    The first attempt is made past tenacity, whose bookkeeping of a call that succeeds at once took a twelfth of the
    processor time of a small object.
    """

    __slots__ = ("_attempts", "_kinds")

    def __init__(self, kinds: tuple[type[LogfanoutError], ...], attempts: int) -> None:
        self._kinds = kinds
        self._attempts = attempts

    def __repr__(self) -> str:
        return f"<Patience of {self._attempts} attempts>"

    async def __call__(self, call: Callable[..., Awaitable[Value]], *arguments: Any, **named: Any) -> Value:
        """Return what *call* does with *arguments*, at once or when it is tried again."""
        try:
            return await call(*arguments, **named)
        except self._kinds as error:
            failed = [error]

        async def again() -> Value:
            if failed:
                raise failed.pop()  # the first attempt's: it counts as one
            return await call(*arguments, **named)

        value: Value = await policy(*self._kinds, attempts=self._attempts)(again)
        return value


def patiently(*also: type[LogfanoutError], attempts: int = ATTEMPTS) -> Patience:
    """Return what tries a call again after ``Unavailable`` and *also*."""
    return Patience((Unavailable, *also), attempts)


def policy(*kinds: type[LogfanoutError], attempts: int = ATTEMPTS) -> AsyncRetrying:
    """Return the same for *kinds* alone as tenacity's, for who has more to say about it."""
    return AsyncRetrying(
        retry=retry_if_exception_type(kinds),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        stop=stop_after_attempt(attempts),
        reraise=True,
    )

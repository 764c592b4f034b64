"""What lives in a Lambda environment from one invocation to the next?

    init ──► Host.open ──► (frozen) ──► Host.handle ──► (frozen) ──► Host.handle ──► …

One event loop, with AWS opened in it: clients, connections, sessions and what is remembered are there when the next
event comes. Between two invocations the environment is frozen, and the loop does not turn.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Protocol

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.function.invocations import Function
from logfanout.loops import loop_factory


class Context(Protocol):
    """What Lambda says of one invocation, as far as we ask."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take."""
        ...


class Host:
    """The event loop, and the function in it. *opening* opens the function, which stays open."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Function]]) -> None:
        self._opening = opening
        self._runner = asyncio.Runner(loop_factory=loop_factory())
        self._opened = AsyncExitStack()
        self._function: Function | None = None

    def __repr__(self) -> str:
        return f"<Host of {self._function!r}>"

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close what is open. Lambda never does: it ends the process."""
        self._runner.run(self._opened.aclose())
        self._runner.close()

    def open(self) -> None:
        """Open the function during init, when the processor is lent for nothing; the first event may have to do it.

        Raises:
            SettingsWrong: nothing says which region to work in, or whose credentials to use.
        """
        try:
            self._runner.run(self._open())
        except LogfanoutError as error:
            telemetry.FunctionNotOpened(error=str(error)).emit()

    def handle(self, event: object, context: Context) -> dict[str, Any]:
        """Return Lambda's answer to *event*.

        Raises:
            EventUnreadable: Lambda keeps the whole batch.
            LogfanoutError: AWS cannot be opened, so that nothing was done; Lambda keeps the whole batch.
        """
        answer: dict[str, Any] = self._runner.run(self._handle(event, context))
        return answer

    async def _handle(self, event: object, context: Context) -> dict[str, Any]:
        function = await self._open()
        seconds = context.get_remaining_time_in_millis() / 1000
        return await function.invoke(event, seconds=seconds, request=context.aws_request_id)

    async def _open(self) -> Function:
        if self._function is None:
            began = asyncio.get_running_loop().time()
            self._function = await self._opened.enter_async_context(self._opening())
            telemetry.FunctionOpened(seconds=round(asyncio.get_running_loop().time() - began, 3)).emit()
        return self._function

"""Does ECS keep this task from scale-in?

protect, release ──► protected, until its time is over
"""

from logfanout.ports import Clock
from logfanout.testing.line import Line

MOST_MINUTES = 2880  # UpdateTaskProtection, "expiresInMinutes"


class FakeTaskProtection(Line):
    """ECS's side of the promise."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._until_ms = 0

    def __repr__(self) -> str:
        return f"<FakeTaskProtection {'on' if self.protected else 'off'}>"

    @property
    def protected(self) -> bool:
        """Whether the task is protected at this moment."""
        return self._clock.epoch_ms() < self._until_ms

    async def protect(self, *, minutes: int) -> None:
        """Ask for protection for *minutes* from now."""
        if not 1 <= minutes <= MOST_MINUTES:
            raise ValueError(f"UpdateTaskProtection: {minutes} minutes, 1 to {MOST_MINUTES} are allowed")
        async with self._call("protect"):
            self._until_ms = self._clock.epoch_ms() + minutes * 60_000

    async def release(self) -> None:
        """Give the protection up."""
        async with self._call("release"):
            self._until_ms = 0

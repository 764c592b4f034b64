"""When does the task ask ECS not to scale it in?

    messages in hand, the time ──► Guard.step ──► PROTECT, RELEASE or nothing ──► run: TaskProtection

What a drain finishes needs no protection, so work is protected that goes on for a while; given up is the protection
only after a while without work, so that it does not flap. ECS ends it by itself at its expiry: a worker that died
blocks neither scale-in nor a deployment for long. Whatever ECS says, delivery goes on.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from logfanout import telemetry
from logfanout.errors import LogfanoutError
from logfanout.ports import TaskProtection

LOOK_SECONDS = 1.0  # how often the messages in hand are counted
RELEASE_SECONDS = 2.0  # the last call may take so long: the drain's deadline is near


class Step(Enum):
    """What to do now."""

    NOTHING = "nothing"
    PROTECT = "protect"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long to wait for what."""

    # Long enough to outlive an agent that is down for minutes, short enough to wait for when a worker has died.
    minutes: int = 10
    renew_ahead_seconds: float = 300.0
    # A task with a message now and then is in hand for moments only: it must stay one that can be scaled in.
    busy_seconds: float = 5.0  # well below the drain
    idle_seconds: float = 15.0
    first_retry_seconds: float = 5.0
    longest_retry_seconds: float = 300.0
    # Several processes share one task and its one protection: none may give up what another one needs, so that
    # each renews it while it works, and it expires when none does.
    shared: bool = False


class Guard:
    """Knows whether the task is protected, and says what to do; its clock is the event loop's, in seconds."""

    def __init__(self, terms: Terms, *, chance: Callable[[], float] = random.random) -> None:
        self.terms = terms
        self._chance = chance
        self._working = False
        self._since = 0.0  # when work began or ended
        self._until: float | None = None  # when the protection ends; None: there is none
        self._asked = False  # whether ECS may protect us, for all we know: an answer may be lost
        self._retry_at = float("-inf")
        self._failures = 0

    def __repr__(self) -> str:
        return f"<Guard {'working' if self._working else 'idle'} since {self._since:.0f}, until {self._until}>"

    def step(self, *, in_hand: int, now_seconds: float) -> Step:
        """Return what to do, with *in_hand* messages in hand at *now_seconds*."""
        if (in_hand > 0) != self._working:
            self._working = in_hand > 0
            self._since = now_seconds
        if now_seconds < self._retry_at:
            return Step.NOTHING
        lasted = now_seconds - self._since
        if self._working and self._is_due(lasted, now_seconds):
            self._asked = True
            return Step.PROTECT
        if not self._working and lasted >= self.terms.idle_seconds and self.is_to_be_given_up:
            return Step.RELEASE
        return Step.NOTHING

    def _is_due(self, lasted_seconds: float, now_seconds: float) -> bool:
        """Whether to ask for protection, or for more of it."""
        if self._until is None or self._until <= now_seconds:
            return lasted_seconds >= self.terms.busy_seconds
        return self._until - now_seconds <= self.terms.renew_ahead_seconds

    @property
    def is_to_be_given_up(self) -> bool:
        """Whether ECS may protect us, and it is ours to end that."""
        return self._asked and not self.terms.shared

    def is_held(self, *, now_seconds: float) -> bool:
        """Whether ECS has promised us protection that has not expired."""
        return self._until is not None and now_seconds < self._until

    def protected(self, *, asked_seconds: float) -> None:
        """Note that ECS promised what we asked for at *asked_seconds*."""
        self._until = asked_seconds + self.terms.minutes * 60
        self._done()

    def released(self) -> None:
        """Note that there is no protection any more."""
        self._until = None
        self._asked = False
        self._done()

    def failed(self, *, now_seconds: float) -> None:
        """Note that the call failed: the next one waits longer, with full jitter."""
        longest = min(self.terms.first_retry_seconds * 2**self._failures, self.terms.longest_retry_seconds)
        self._failures = min(self._failures + 1, 16)
        self._retry_at = now_seconds + longest * self._chance()

    def _done(self) -> None:
        self._failures = 0
        self._retry_at = float("-inf")


async def run(
    protection: TaskProtection, *, in_hand: Callable[[], int], stop: asyncio.Event, terms: Terms | None = None
) -> None:
    """Keep the task protected while it works, until *stop*; never raises because of ECS.

    Told to stop it gives the protection up and returns within ``RELEASE_SECONDS``: whoever stops the task has decided,
    and protection would only hold up a deployment.
    """
    guard = Guard(terms or Terms())
    telemetry.TaskProtected(protected=False).emit()
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(_keep(protection, guard, in_hand), name="keep the task protected")
        await stop.wait()
        keeping.cancel()
    if guard.is_to_be_given_up:
        with suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await _take(Step.RELEASE, protection, guard)


async def _keep(protection: TaskProtection, guard: Guard, in_hand: Callable[[], int]) -> None:
    held = False
    while True:
        now = _now()
        if held and not guard.is_held(now_seconds=now):
            telemetry.TaskProtected(protected=False).emit()  # it ran out
        await _take(guard.step(in_hand=in_hand(), now_seconds=now), protection, guard)
        held = guard.is_held(now_seconds=_now())
        await asyncio.sleep(LOOK_SECONDS)


async def _take(step: Step, protection: TaskProtection, guard: Guard) -> None:
    """Do what *step* says, and report it."""
    began, held = _now(), guard.is_held(now_seconds=_now())
    try:
        match step:
            case Step.PROTECT:
                await protection.protect(minutes=guard.terms.minutes)
                guard.protected(asked_seconds=began)
            case Step.RELEASE:
                await protection.release()
                guard.released()
            case Step.NOTHING:
                return
    except LogfanoutError as error:
        guard.failed(now_seconds=_now())
        telemetry.TaskProtected(protected=guard.is_held(now_seconds=_now()), error=str(error)).emit()
        return
    if held != guard.is_held(now_seconds=_now()):
        telemetry.TaskProtected(protected=not held).emit()


def _now() -> float:
    return asyncio.get_running_loop().time()

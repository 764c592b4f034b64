"""How is what lies in a bucket delivered again, once?

    Asked ──► Sweep.pass_over ──► delivered, tried again some times ──► Totals, and where to go on

Again means again: what a ledger says is finished is delivered all the same, unless it was asked to be skipped.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from logfanout.errors import LogfanoutError
from logfanout.pipeline.routes import KeyLayout
from logfanout.ports import ObjectRef
from logfanout.sweeping.reach import Reach
from logfanout.sweeping.sweep import Done, Sweep

ATTEMPTS = 3  # each tries every call many times; what then fails is told to whoever waits for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be delivered again."""

    reach: Reach
    since_ms: int | None = None  # epoch; objects last modified then or later
    until_ms: int | None = None  # epoch; objects last modified before then
    tenants: Collection[str] = ()  # none: all
    after: str = ""  # a key, behind which to begin
    skip_delivered: bool = False  # what the fleet's ledger knows as finished by an earlier scan or replay

    def wants(self, ref: ObjectRef, *, layout: KeyLayout) -> bool:
        """Whether *ref* is asked for; a key no tenant can be read from is, unless tenants are named."""
        if self.since_ms is not None and ref.event_ms < self.since_ms:
            return False
        if self.until_ms is not None and ref.event_ms >= self.until_ms:
            return False
        return not self.tenants or tenant_of(ref, layout) in self.tenants


def tenant_of(ref: ObjectRef, layout: KeyLayout) -> str:
    """Return the tenant the key of *ref* names; empty if it is not of the *layout*."""
    try:
        return layout.read(ref.key).tenant
    except LogfanoutError:
        return ""


@dataclass(slots=True, kw_only=True)
class Totals:
    """How far a replay has come; at its end, how it went."""

    objects: int = 0  # asked for, as far as the place has been listed
    listed: bool = False  # to its end
    done: int = 0
    failures: list[Done] = field(default_factory=list)
    stopped: bool = False  # before everything was done: told to, or for some trouble
    trouble: str = ""  # why the place could not be listed to its end
    done_up_to: str = ""  # the last key up to which nothing was left undone

    @property
    def clean(self) -> bool:
        """Whether everything asked for was delivered."""
        return self.listed and not self.failures and not self.stopped


class Replay:
    """One replay; *sweep* is to tell ``note`` of every object."""

    def __init__(self, asked: Asked, *, layout: KeyLayout, told: Callable[[Totals], None] | None = None) -> None:
        self.totals = Totals()
        self._asked = asked
        self._layout = layout
        self._told = told

    def __repr__(self) -> str:
        return f"<Replay of {self._asked.reach}: {self.totals}>"

    def wants(self, ref: ObjectRef) -> bool:
        """Whether *ref* is asked for; then it counts."""
        wanted = self._asked.wants(ref, layout=self._layout)
        if wanted:
            self.totals.objects += 1
            self._tell()
        return wanted

    def note(self, done: Done) -> None:
        """Count *done*."""
        if done.reason:
            self.totals.failures.append(done)
        else:
            self.totals.done += 1
        self._tell()

    async def run(self, sweep: Sweep, *, stop: asyncio.Event, drain_seconds: float) -> Totals:
        """Deliver what was asked for, until done or until *stop*; then finish what is in hand in *drain_seconds*.

        A place that cannot be listed stops it, too.
        """
        async with sweep:
            work = asyncio.create_task(self._work(sweep), name="replay")
            stopping = asyncio.create_task(stop.wait(), name="stop")
            try:
                await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
                finished = work.done()
            finally:
                stopping.cancel()
                work.cancel()
                await asyncio.wait({work, stopping})
            if finished:
                await work  # its bugs are ours
            await sweep.drain(seconds=drain_seconds)
            sweep.give_up()  # else one that waits for its next attempt would have all behind it delivered again
            self.totals.stopped = not finished or bool(self.totals.trouble)
            self.totals.done_up_to = sweep.done_up_to
        return self.totals

    async def _work(self, sweep: Sweep) -> None:
        try:
            await sweep.pass_over(after=self._asked.after)
            self.totals.listed = True
        except LogfanoutError as error:
            self.totals.trouble = str(error)
        self._tell()
        await sweep.until_all_are_done()

    def _tell(self) -> None:
        if self._told is not None:
            self._told(self.totals)

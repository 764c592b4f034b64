"""How does a drill stop the world in the middle of an object?

    hold ──► every put waits ──► advance lets go of some ──► strike ──► release

The middle is reached by counting, never by waiting for a while.
"""

from logfanout.testing.drills.stage import Drill
from logfanout.testing.strict_aws import Fault, Hold

STEP = 2  # puts let go at once: so many more than asked for may be answered, less one


def hold(stage: Drill, *, after: bool = False) -> Hold:
    """Hold all puts from now on, accepted already if *after*."""
    gate = Hold()
    stage.faults.add(Fault(on="logs:PutLogEvents", effect=gate, after=after))
    return gate


async def advance(stage: Drill, gate: Hold, *, puts: int, waiting: int) -> None:
    """Let puts go until so many were accepted and answered in all; return when so many others wait."""

    def far_enough() -> bool:
        if answered(stage) < puts:
            gate.let(min(gate.waiting, STEP))
            return False
        return gate.waiting >= waiting

    await stage.until(far_enough, what=f"{puts} puts are answered and {waiting} held")


def answered(stage: Drill) -> int:
    """Count the puts that were accepted and answered."""
    return sum(put.answered for put in stage.strict.holdings.puts)

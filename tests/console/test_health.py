"""When the worker calls itself alive, and when ready."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from logfanout.console.health import STUCK_SECONDS, Health, ProcessSeen, Status, Stop, alive, as_json, ready, seen_here

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WELL = ProcessSeen(process=0, pid=4711, silent_seconds=0.4, receiving=True, credentials=True, restarts=0)


def status(*processes: ProcessSeen, stopping: str = "") -> Status:
    """Return the status of *processes*, a minute after the start."""
    return Status(started=NOON, now=NOON + timedelta(minutes=1), stopping=stopping, processes=processes)


def test_a_worker_at_work_is_alive_and_ready() -> None:
    """Yes is yes without reasons."""
    assert alive(status(WELL)).ok
    assert ready(status(WELL)).ok
    assert ready(status(WELL)).reasons == ()


def test_a_process_that_is_down_makes_the_worker_neither() -> None:
    """One of several is enough, and the reason names it."""
    down = replace(WELL, process=1, pid=None, receiving=False, credentials=False)
    assert alive(status(WELL, down)).reasons == ("process 1 is down",)
    assert ready(status(WELL, down)).reasons == ("process 1 is down",)


def test_a_loop_that_does_not_turn_is_not_alive() -> None:
    """A process that is silent for a minute hangs: its container should be replaced."""
    assert alive(status(replace(WELL, silent_seconds=STUCK_SECONDS - 0.1))).ok
    assert alive(status(replace(WELL, silent_seconds=STUCK_SECONDS))).reasons == ("process 0 has been silent for 60 s",)


def test_who_does_not_receive_is_alive_but_not_ready() -> None:
    """Trouble with AWS is no reason to be replaced: the next container would have it too."""
    idle = replace(WELL, receiving=False, credentials=False)
    assert alive(status(idle)).ok
    assert ready(status(idle)).reasons == ("process 0 has no credentials", "process 0 is not receiving")


def test_who_drains_is_alive_but_not_ready() -> None:
    """Nobody must kill a worker because it does what it was told; processes that are through are not missed."""
    gone = replace(WELL, process=1, pid=None, receiving=False)
    draining = status(WELL, gone, stopping="SIGTERM")
    assert alive(draining).ok
    assert ready(draining).reasons == ("stopping: SIGTERM",)


def test_who_hangs_while_draining_is_not_alive() -> None:
    """The deadline of the drain will end it; until then the truth is told."""
    assert not alive(status(replace(WELL, silent_seconds=90), stopping="SIGTERM")).ok


@pytest.mark.parametrize(("receiving", "credentials"), [(True, False), (False, True), (True, True)])
def test_a_worker_on_its_own_is_seen_as_one_process(receiving: bool, credentials: bool) -> None:
    """Without a supervisor the same questions are answered from what the worker knows of itself."""
    here = seen_here(Health(receiving=receiving, credentials=credentials), Stop(), started=NOON)
    assert alive(here).ok
    assert ready(here).ok == (receiving and credentials)


def test_a_worker_on_its_own_that_was_told_to_stop_is_not_ready() -> None:
    """The signal is the reason."""
    stop = Stop()
    stop.ask("SIGTERM")
    told = seen_here(Health(receiving=True, credentials=True), stop, started=NOON)
    assert (alive(told).ok, ready(told).reasons) == (True, ("stopping: SIGTERM",))
    assert stop.is_set()


def test_the_status_for_programs_holds_the_same_facts() -> None:
    """It is plain JSON, with units in its names."""
    found = orjson.loads(orjson.dumps(as_json(status(replace(WELL, receiving=False)))))
    assert found["uptime_seconds"] == 60
    assert found["stopping"] is None
    assert found["alive"] == {"ok": True, "reasons": []}
    assert found["ready"] == {"ok": False, "reasons": ["process 0 is not receiving"]}
    assert found["processes"][0]["pid"] == 4711

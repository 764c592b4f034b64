"""A call is tried again while it may help, each time a little later, and in the end the error comes out."""

import asyncio
from itertools import pairwise

import pytest

from logfanout.errors import AccessRefused, CredentialsExpired, ObjectGone, StreamMissing, Throttled, Unavailable
from logfanout.retrying import ATTEMPTS, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, patiently
from logfanout.testing import virtual_time


class Call:
    """Something that fails some times before it succeeds."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self.error = error
        self.left = times
        self.at: list[float] = []

    async def __call__(self, answer: str = "done") -> str:
        self.at.append(asyncio.get_running_loop().time())
        if self.left:
            self.left -= 1
            raise self.error
        return answer


@pytest.mark.parametrize("error", [Unavailable("503"), Throttled("slow down"), CredentialsExpired("expired")])
@virtual_time
async def test_what_passes_is_tried_again(error: Exception) -> None:
    """Up to the last attempt, with the arguments it was given."""
    call = Call(error, times=ATTEMPTS - 1)
    assert await patiently()(call, "answer") == "answer"
    assert len(call.at) == ATTEMPTS


@pytest.mark.parametrize("error", [AccessRefused("no"), ObjectGone("gone"), StreamMissing("none"), KeyError("bug")])
@virtual_time
async def test_what_does_not_pass_comes_out_at_once(error: Exception) -> None:
    """Seconds change nothing about it."""
    call = Call(error, times=1)
    with pytest.raises(type(error)):
        await patiently()(call)
    assert len(call.at) == 1


@virtual_time
async def test_a_call_may_be_patient_with_more() -> None:
    """A put is tried again after the stream it missed was made."""
    assert await patiently(StreamMissing)(Call(StreamMissing("none"), times=2)) == "done"


@virtual_time
async def test_in_the_end_the_last_error_comes_out() -> None:
    """As itself, after as many attempts as were allowed."""
    for attempts in (1, 3, ATTEMPTS):
        call = Call(Throttled("slow down"), times=99)
        with pytest.raises(Throttled, match="slow down"):
            await patiently(attempts=attempts)(call)
        assert len(call.at) == attempts


@virtual_time
async def test_waits_are_jittered_in_full() -> None:
    """Each is anything up to its bound, and the bounds double: those who failed together come back apart."""
    waits: list[list[float]] = []
    for _ in range(60):
        call = Call(Throttled("slow down"), times=ATTEMPTS - 1)
        await patiently()(call)
        waits.append([after - before for before, after in pairwise(call.at)])
    for n, column in enumerate(zip(*waits, strict=True)):
        longest = min(FIRST_WAIT_SECONDS * 2**n, LONGEST_WAIT_SECONDS)
        assert 0 <= min(column) < longest / 2 < max(column) <= longest * 1.001
    assert max(map(sum, waits)) < 20  # well inside a lease

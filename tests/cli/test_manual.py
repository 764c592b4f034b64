"""What ``manual`` makes of a verdict."""

import pytest

from logfanout.cli.manual import Deliver, outcome
from logfanout.errors import ObjectGone, Throttled, Verdict
from logfanout.settings import Settings


def delivering(verdict: Verdict | Exception) -> Deliver:
    """Return a pipeline whose every delivery ends with *verdict*."""

    async def deliver(_settings: Settings, body: str) -> Verdict:
        assert body == "a notification"
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    return deliver


def test_all_delivered_is_success(capsys: pytest.CaptureFixture[str]) -> None:
    """And success is quiet."""
    assert outcome(Settings(), "a notification", delivering(Verdict.DELETE)) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (Verdict.SET_ASIDE, "can never be"),
        (Verdict.KEEP, "try again later"),
        (ObjectGone("s3://bucket/key"), "object_gone: s3://bucket/key"),
        (Throttled("slow down"), "slow down"),
    ],
)
def test_anything_less_is_failure_with_a_reason(
    verdict: Verdict | Exception, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a queue nobody tries again but the one who reads stderr."""
    assert outcome(Settings(), "a notification", delivering(verdict)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert why in printed.err

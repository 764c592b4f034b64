"""Letters are told in full to programs, in a line to people, and none moves the cursor of the one who reads."""

from logfanout.letters import report
from logfanout.letters.letter import NO_REASON, Letter, Told
from logfanout.testing.clock import NOON_MS


def letter(id_: str, body: str = '{"Records": []}', *, sent_ms: int = 0) -> Letter:
    return Letter(id=id_, receipt="r", body=body, attributes={}, sent_ms=sent_ms)


TOLD = Told(
    letter=letter("m-1", sent_ms=NOON_MS),
    reason="access_denied",
    detail="PutLogEvents: no",
    tenant="acme",
    objects=("s3://logs/acme/a.gz", "s3://logs/acme/b.gz"),
    receive_count="5",
)
HOSTILE = Told(
    letter=letter("m-2", "\x1b[2J\n"),
    reason="\x1b[2J",
    detail="",
    tenant="\x1b]0;",
    objects=("s3://logs/\r",),
    receive_count="many",
)
BARE = Told(letter=letter("m-3"), reason=NO_REASON, detail="", tenant="", objects=(), receive_count="")


def test_a_line_for_people() -> None:
    """When, why, whose, which, and what of."""
    assert report.line(TOLD).split() == (
        ["2026-03-02T12:00:00Z", "access_denied", "acme", "m-1", "s3://logs/acme/a.gz", "and", "1", "more"]
    )
    assert report.line(BARE).endswith("-                    m-3  (its body cannot be read)")


def test_a_row_for_programs() -> None:
    """What is not known is null."""
    assert report.row(TOLD) == {
        "id": "m-1",
        "sent": "2026-03-02T12:00:00Z",
        "reason": "access_denied",
        "detail": "PutLogEvents: no",
        "tenant": "acme",
        "objects": ["s3://logs/acme/a.gz", "s3://logs/acme/b.gz"],
        "receive_count": 5,
    }
    assert report.row(BARE) | {"sent": ""} == {
        "id": "m-3",
        "sent": "",
        "reason": "none",
        "detail": None,
        "tenant": None,
        "objects": [],
        "receive_count": None,
    }
    assert report.row(HOSTILE)["receive_count"] is None


def test_a_page_says_all_of_one() -> None:
    """And leaves out what is not known."""
    lines = report.page(TOLD).splitlines()
    assert [line.split()[0] for line in lines] == (
        ["id", "sent", "reason", "detail", "tenant", "receives", "owed", "owed", "body"]
    )
    assert [line.split()[0] for line in report.page(BARE).splitlines()] == ["id", "sent", "reason", "body"]


def test_a_summary_counts_kinds() -> None:
    """The largest first; that there may be more is said."""
    assert report.summary([], full=False) == "0 letters."
    assert report.summary([TOLD], full=False) == "1 letter: access_denied of acme 1."
    said = report.summary([BARE, TOLD, TOLD], full=True)
    assert said.startswith("3 letters: access_denied of acme 2, none of no tenant 1; there may be more")


def test_no_letter_moves_the_cursor() -> None:
    """Whoever may write to a queue may write anything."""
    for said in (
        report.line(HOSTILE),
        report.summary([HOSTILE], full=False),
        *report.page(HOSTILE).split("\n"),
    ):
        assert said.isprintable()

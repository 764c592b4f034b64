"""Is an object that breaks in the middle read on behind its last byte, and never mixed with another?"""

import re
from collections.abc import Callable
from contextlib import closing

import pytest

from logfanout.aws.bucket import MOST_RESUMES, RESUME_ATTEMPTS, S3Bucket
from logfanout.aws.http import Http
from logfanout.errors import AccessRefused, LogfanoutError, ObjectGone, Unavailable
from logfanout.ports import Credentials, ObjectRef
from logfanout.testing.site import Answer, Request, Site

from .conftest import SiteEndpoints

STORED = bytes(range(256)) * 400
REF = ObjectRef(bucket="b-1", key="k", size_bytes=len(STORED))
ETAG = '"0123"'


@pytest.fixture
def waited() -> list[float]:
    """The pauses that were made, none of which took any time."""
    return []


@pytest.fixture
def bucket(http: Http, site: Site, waited: list[float]) -> S3Bucket:
    async def task() -> Credentials:
        return Credentials(access_key="AKIDTASK", secret_key="task-secret", token="", expires_ms=0)

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    return S3Bucket(http, endpoints=SiteEndpoints(site), credentials=task, pause=pause)


def whole(*, cut_after: int | None = None, etag: str = ETAG, body: bytes = STORED) -> Answer:
    return Answer(body=body, headers={"ETag": etag}, cut_after=cut_after)


def rest(start: int, *, cut_after: int | None = None, total: str = str(len(STORED))) -> Answer:
    headers = {"ETag": ETAG, "Content-Range": f"bytes {start}-{len(STORED) - 1}/{total}"}
    return Answer(status=206, body=STORED[start:], headers=headers, cut_after=cut_after)


def error(status: int, code: str) -> Answer:
    return Answer(status=status, body=f"<Error><Code>{code}</Code></Error>".encode())


async def read(bucket: S3Bucket, ref: ObjectRef = REF) -> bytes:
    with closing(await bucket.open(ref)) as body:
        return b"".join([chunk async for chunk in body.chunks])


def s3_that_cuts(after: int) -> Callable[[Request], Answer]:
    """Return a rule that answers like S3, but sends no more than *after* bytes at a time."""

    def answer(request: Request) -> Answer:
        start = int(re.findall(r"\d+", request.headers.get("range", "0"))[0])
        cut = after if len(STORED) - start > after else None
        return rest(start, cut_after=cut) if "range" in request.headers else whole(cut_after=cut)

    return answer


async def test_the_rest_is_asked_for_behind_the_last_byte(bucket: S3Bucket, site: Site) -> None:
    """Of the same object only, and signed so."""
    site.play(whole(cut_after=50_000), rest(50_000))
    assert await read(bucket) == STORED
    first, second = site.requests
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-match"]) == ("bytes=50000-", ETAG)
    assert "if-match" in second.headers["authorization"]


async def test_a_connection_that_breaks_again_is_followed_again(
    bucket: S3Bucket, site: Site, waited: list[float]
) -> None:
    """At once, as long as there are new bytes each time."""
    site.rule(s3_that_cuts(10_000))
    assert await read(bucket) == STORED
    assert len(site.requests) == 11
    assert waited == []


async def test_an_answer_cut_before_its_first_byte_is_asked_for_again(bucket: S3Bucket, site: Site) -> None:
    """From the beginning, and still of the same object."""
    site.play(whole(cut_after=0), rest(0))
    assert await read(bucket) == STORED
    assert site.requests[1].headers["range"] == "bytes=0-"


@pytest.mark.parametrize(
    "trouble",
    [
        error(500, "InternalError"),
        error(503, "SlowDown"),
        error(400, "RequestTimeout"),
        error(400, "ExpiredToken"),
        Answer(status=502, body=b"<html>"),
        rest(50_000, cut_after=0),
    ],
)
async def test_trouble_on_the_way_to_the_rest_is_waited_out(
    bucket: S3Bucket, site: Site, waited: list[float], trouble: Answer
) -> None:
    """With full jitter: many objects break together."""
    site.play(whole(cut_after=50_000), trouble, trouble, rest(50_000))
    assert await read(bucket) == STORED
    assert len(waited) == 2
    assert 0 <= waited[0] <= 0.1
    assert 0 <= waited[1] <= 0.2


async def test_patience_ends(bucket: S3Bucket, site: Site) -> None:
    """SQS brings the message again, and the delivery resumes behind what was taken."""
    site.play(whole(cut_after=50_000), Answer(status=503))
    with pytest.raises(Unavailable, match="HTTP 503"):
        await read(bucket)
    assert len(site.requests) == 1 + RESUME_ATTEMPTS


async def test_a_server_that_hangs_up_is_called_again(bucket: S3Bucket, site: Site) -> None:
    """The pool does so once by itself."""
    hung_up = [Answer(reset=True)] * 3
    site.play(whole(cut_after=50_000), *hung_up, rest(50_000))
    assert await read(bucket) == STORED


async def test_an_object_is_not_read_in_crumbs(bucket: S3Bucket, site: Site) -> None:
    """Something cuts every answer: that is for an operator to see."""
    site.rule(s3_that_cuts(1000))
    with pytest.raises(Unavailable, match="17000 of 102400"):
        await read(bucket)
    assert len(site.requests) == 1 + MOST_RESUMES


@pytest.mark.parametrize(
    "other",
    [
        error(412, "PreconditionFailed"),
        Answer(status=412),
        error(416, "InvalidRange"),
        Answer(status=416),
        rest(40_000),
        rest(50_000, total="200000"),
        Answer(status=206, body=b"x"),
        whole(etag='"other"'),
        whole(body=STORED + b"x"),
    ],
)
async def test_another_object_in_its_place_is_never_read_on(
    bucket: S3Bucket, site: Site, waited: list[float], other: Answer
) -> None:
    """It was overwritten meanwhile, or something between us and S3 says so: the next attempt starts anew."""
    site.play(whole(cut_after=50_000), other)
    with pytest.raises(Unavailable):
        await read(bucket)
    assert len(site.requests) == 2
    assert waited == []


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [(error(404, "NoSuchKey"), ObjectGone), (error(403, "AccessDenied"), AccessRefused)],
)
async def test_an_object_that_is_gone_meanwhile_is_gone(
    bucket: S3Bucket, site: Site, refusal: Answer, expected: type[LogfanoutError]
) -> None:
    """And one that we may not read any more is refused."""
    site.play(whole(cut_after=50_000), refusal)
    with pytest.raises(expected):
        await read(bucket)
    assert len(site.requests) == 2


async def test_a_server_without_ranges_sends_what_we_have_again(bucket: S3Bucket, site: Site) -> None:
    """It is left out, however often."""
    site.play(whole(cut_after=50_000), whole(cut_after=80_000), whole(cut_after=10_000), whole())
    assert await read(bucket) == STORED


async def test_a_version_needs_no_etag(bucket: S3Bucket, site: Site) -> None:
    """It never changes."""
    nameless = {"ETag": ""}
    site.play(
        Answer(body=STORED, cut_after=50_000, headers=nameless),
        Answer(
            status=206, body=STORED[50_000:], headers={"Content-Range": f"bytes 50000-{len(STORED) - 1}/{len(STORED)}"}
        ),
    )
    assert await read(bucket, ObjectRef(bucket="b-1", key="k", size_bytes=0, version_id="v1")) == STORED
    assert site.requests[1].target == "/b-1/k?versionId=v1"
    assert "if-match" not in site.requests[1].headers


@pytest.mark.parametrize("version", ["", "null"])
async def test_what_cannot_be_told_from_another_is_not_read_on(bucket: S3Bucket, site: Site, version: str) -> None:
    """Every writing of a key is version null where versions are suspended."""
    site.play(Answer(body=STORED, cut_after=50_000))
    with pytest.raises(Unavailable, match="50000 of 102400"):
        await read(bucket, ObjectRef(bucket="b-1", key="k", size_bytes=0, version_id=version))
    assert len(site.requests) == 1


async def test_an_object_of_unsaid_length_is_read_on(bucket: S3Bucket, site: Site) -> None:
    """Servers that are not S3 send it in chunks; the rest says how long the whole is."""
    chunked = {"ETag": ETAG, "Content-Length": "", "Transfer-Encoding": "chunked"}
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    last = {"ETag": ETAG, "Content-Range": "bytes 5-10/11"}
    site.play(
        Answer(body=body, headers=chunked, cut_after=10),
        Answer(status=206, body=b" world", headers=last, cut_after=3),
        Answer(status=206, body=b"rld", headers={"ETag": ETAG, "Content-Range": "bytes 8-10/11"}),
    )
    assert await read(bucket) == b"hello world"


async def test_leaving_early_closes_the_second_answer_too(bucket: S3Bucket, site: Site) -> None:
    """What was not read is not left in a connection that others get."""
    large = b"x" * 5_000_000
    headers = {"ETag": ETAG, "Content-Range": f"bytes 10-{len(large) - 1}/{len(large)}"}
    site.play(whole(body=large, cut_after=10), Answer(status=206, body=large[10:], headers=headers), whole(body=b"yes"))
    with closing(await bucket.open(REF)) as body:
        assert len(await anext(body.chunks)) == 10
        assert await anext(body.chunks)
    assert await read(bucket) == b"yes"

"""Is an object read whole, or said not to be?"""

from contextlib import closing
from urllib.parse import unquote

import pytest

from logfanout.aws.bucket import S3Bucket
from logfanout.aws.faults import RequestWrong
from logfanout.errors import AccessRefused, LogfanoutError, ObjectGone, ObjectRefused, Throttled, Unavailable
from logfanout.ports import ObjectRef
from logfanout.testing.site import Answer, Site

WHOLE = {"Last-Modified": "Mon, 02 Mar 2026 12:00:00 GMT", "Content-Encoding": "gzip"}
HOSTILE = ["../up", "a/../b", "a//b", "/lead", "trail/", "a+b c", "100%", "%2e%2e/x", "q?x=1#y", "é/日本", "a\nb", "."]


def ref(key: str = "t/c/a/p/o.json.gz", **more: str) -> ObjectRef:
    return ObjectRef(bucket="b-1", key=key, size_bytes=0, **more)  # type: ignore[arg-type]


async def read(bucket: S3Bucket, wanted: ObjectRef) -> bytes:
    with closing(await bucket.open(wanted)) as body:
        return b"".join([chunk async for chunk in body.chunks])


def error(code: str, message: str = "no", extra: str = "") -> bytes:
    return f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message>{extra}</Error>".encode()


async def test_bytes_come_as_they_are_stored(bucket: S3Bucket, site: Site) -> None:
    """Gzip that S3 declares as an encoding is not inflated, and nothing is asked to be."""
    site.play(Answer(body=b"\x1f\x8bstored", headers=WHOLE))
    with closing(await bucket.open(ref())) as body:
        assert body.last_modified_ms == 1_772_452_800_000
        assert b"".join([chunk async for chunk in body.chunks]) == b"\x1f\x8bstored"
    [asked] = site.requests
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.access_key == "AKIDTASK"
    assert "x-amz-security-token" not in asked.headers


@pytest.mark.parametrize("key", HOSTILE)
async def test_a_key_arrives_as_it_is(bucket: S3Bucket, site: Site, key: str) -> None:
    """Nothing between us and S3 tidies up a path."""
    site.play(Answer(body=b"x", headers=WHOLE))
    await read(bucket, ref(key))
    [asked] = site.requests
    assert unquote(asked.target) == f"/b-1/{key}"
    assert "?" not in asked.target


async def test_a_version_is_asked_for(bucket: S3Bucket, site: Site) -> None:
    """The one the notice named."""
    site.play(Answer(body=b"x", headers=WHOLE))
    await read(bucket, ref("k", version_id="3/L4kq+t="))
    assert site.requests[0].target == "/b-1/k?versionId=3%2FL4kq%2Bt%3D"


@pytest.mark.parametrize("key", ["", "\ud800"])
async def test_a_key_that_cannot_be_is_not_asked_for(bucket: S3Bucket, site: Site, key: str) -> None:
    """An empty one would be a request for the bucket."""
    with pytest.raises(ObjectGone):
        await read(bucket, ref(key))
    assert site.requests == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, error("NoSuchKey"), ObjectGone),
        (404, error("NoSuchVersion"), ObjectGone),
        (404, error("NoSuchBucket"), ObjectGone),
        (400, error("InvalidBucketName"), ObjectGone),
        (405, error("MethodNotAllowed"), ObjectGone),
        (400, error("KeyTooLongError"), ObjectGone),
        (404, b"", ObjectGone),
        (403, error("AccessDenied"), AccessRefused),
        (403, error("InvalidObjectState"), ObjectRefused),
        (400, error("KMS.DisabledException"), AccessRefused),
        (503, error("SlowDown"), Throttled),
        (503, error("ServiceUnavailable"), Unavailable),
        (503, b"", Unavailable),
        (502, b"<html>bad gateway</html>", Unavailable),
        (500, error("InternalError"), Unavailable),
        (400, error("RequestTimeout"), Unavailable),
        (307, error("TemporaryRedirect"), Unavailable),
    ],
)
async def test_a_refusal_is_one_of_ours(
    bucket: S3Bucket, site: Site, status: int, body: bytes, expected: type[LogfanoutError]
) -> None:
    """By S3's code; by the status where there is none."""
    site.play(Answer(status=status, body=body))
    with pytest.raises(LogfanoutError, match="GetObject s3://b-1/") as caught:
        await read(bucket, ref())
    assert type(caught.value) is expected


async def test_a_version_that_cannot_be_is_gone(bucket: S3Bucket, site: Site) -> None:
    """A notice may name anything; of an object named without a version the same code says that we asked wrongly."""
    site.play(Answer(status=400, body=error("InvalidArgument")))
    with pytest.raises(ObjectGone, match="InvalidArgument"):
        await read(bucket, ref(version_id="no-version"))
    with pytest.raises(RequestWrong):
        await read(bucket, ref())


async def test_an_expired_key_of_our_own_is_unavailable(bucket: S3Bucket, site: Site) -> None:
    """The next request is signed with whatever the SDK has renewed by then."""
    site.play(Answer(status=400, body=error("ExpiredToken"), headers={"x-amz-bucket-region": "eu-west-1"}))
    with pytest.raises(Unavailable, match="ExpiredToken"):
        await read(bucket, ref())
    assert len(site.requests) == 1


@pytest.mark.parametrize("cut_after", [0, 5, 99_999])
async def test_a_body_cut_short_is_never_an_end(bucket: S3Bucket, site: Site, cut_after: int) -> None:
    """However far it came."""
    site.play(Answer(body=b"x" * 100_000, headers=WHOLE, cut_after=cut_after))
    with pytest.raises(Unavailable, match="of 100000 bytes"):
        await read(bucket, ref())


async def test_a_chunked_body_cut_short_is_never_an_end(bucket: S3Bucket, site: Site) -> None:
    """Servers that are not S3 send no length."""
    chunked = {"Content-Length": "", "Transfer-Encoding": "chunked", **WHOLE}
    site.play(Answer(body=b"5\r\nhello\r\n0\r\n\r\n", headers=chunked))
    assert await read(bucket, ref()) == b"hello"
    site.play(Answer(body=b"5\r\nhello\r\n0\r\n\r\n", headers=chunked, cut_after=10))
    assert await read(bucket, ref()) == b"hello"
    with pytest.raises(Unavailable):
        await read(bucket, ref())


async def test_a_body_of_unsaid_length_is_not_trusted(bucket: S3Bucket, site: Site) -> None:
    """Its end could not be told from a broken connection."""
    site.play(Answer(body=b"hello", headers={"Content-Length": "", **WHOLE}, cut_after=5))
    with pytest.raises(Unavailable, match="does not say how long"):
        await read(bucket, ref())


async def test_no_answer_is_unavailable(bucket: S3Bucket, site: Site) -> None:
    """A connection closed under the request."""
    site.play(Answer(reset=True))
    with pytest.raises(Unavailable):
        await read(bucket, ref())


@pytest.mark.parametrize(("status", "code"), [(301, "PermanentRedirect"), (400, "AuthorizationHeaderMalformed")])
async def test_a_bucket_elsewhere_is_followed_once_and_remembered(
    bucket: S3Bucket, site: Site, status: int, code: str
) -> None:
    """S3 names the region; the next object of the bucket is asked for there at once."""
    site.play(
        Answer(status=status, body=error(code), headers={"x-amz-bucket-region": "us-west-2"}),
        Answer(body=b"x", headers=WHOLE),
    )
    assert await read(bucket, ref()) == b"x"
    # An override names one address for all regions: what changes is what the request is signed for.
    signed_for = [request.headers["authorization"].split("/")[2] for request in site.requests]
    assert signed_for == ["eu-west-1", "us-west-2"]


async def test_a_redirect_in_circles_is_an_error_that_says_so(bucket: S3Bucket, site: Site) -> None:
    """It is not followed for ever."""
    site.play(Answer(status=301, body=error("PermanentRedirect", extra="<Endpoint>e.test</Endpoint>")))
    with pytest.raises(Unavailable, match=r"another region or partition, at e\.test"):
        await read(bucket, ref())
    assert len(site.requests) == 1


async def test_leaving_early_closes_the_connection(bucket: S3Bucket, site: Site) -> None:
    """What was not read is not left in a connection that others get."""
    site.play(Answer(body=b"x" * 5_000_000, headers=WHOLE), Answer(body=b"y", headers=WHOLE))
    with closing(await bucket.open(ref())) as body:
        assert await anext(body.chunks)
    assert await read(bucket, ref()) == b"y"


async def test_the_readers_own_errors_pass_through(bucket: S3Bucket, site: Site) -> None:
    """An OSError of the reader's is not S3's."""
    site.play(Answer(body=b"x", headers=WHOLE))
    with pytest.raises(BlockingIOError), closing(await bucket.open(ref())):
        raise BlockingIOError

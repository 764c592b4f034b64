"""What S3 says of a copy is understood: in words, in a 200 that is none, and part by part."""

import re
from dataclasses import replace

import pytest

from logfanout.aws.copies import MOST_PARTS, S3Copier
from logfanout.aws.http import Http
from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    DestinationUnusable,
    LogfanoutError,
    ObjectGone,
    ObjectRefused,
    Throttled,
    Unavailable,
)
from logfanout.ports import Copy, Credentials, ObjectFacts, ObjectRef
from logfanout.testing.site import Answer, Request, Site

from .conftest import KEY, SiteEndpoints

DONE = Answer(body=b"<CopyObjectResult><ETag>&quot;e&quot;</ETag></CopyObjectResult>")
SOURCE = ObjectRef(bucket="ours", key="acme/c1/a b+é.gz", size_bytes=40, version_id="v/1")
FACTS = ObjectFacts(size_bytes=40, etag='"e1"', content_type="text/x-json", content_encoding="gzip")
WANTED = Copy(
    source=SOURCE, facts=FACTS, bucket="theirs", region="eu-west-1", key="p/a b", metadata={"tenant-id": "acme"}
)


@pytest.fixture
def copier(http: Http, site: Site) -> S3Copier:
    """Copies on the site; what is over 40 bytes goes in parts of 16."""

    async def task() -> Credentials:
        return Credentials(access_key=KEY, secret_key="task-secret", token="", expires_ms=0)

    return S3Copier(http, endpoints=SiteEndpoints(site), credentials=task, most_at_once_bytes=40, part_bytes=16)


async def itself() -> Credentials | None:
    """The task acts in its own name."""
    return None


def error(code: str, status: int) -> Answer:
    return Answer(status=status, body=f"<Error><Code>{code}</Code><Message>said S3</Message></Error>".encode())


async def test_a_copy_says_everything_at_once(copier: S3Copier, site: Site) -> None:
    """Source and version, who is in control, metadata instead of the source's; no tags, which need a permission."""
    site.play(DONE)
    await copier.copy(WANTED, credentials=itself)
    [request] = site.requests
    assert (request.method, request.target, request.body) == ("PUT", "/theirs/p/a%20b", b"")
    said = {name: value for name, value in request.headers.items() if name.startswith(("x-amz-", "content-"))}
    for name in ("x-amz-date", "x-amz-content-sha256", "content-length"):
        said.pop(name, None)
    assert said == {
        "x-amz-copy-source": "/ours/acme/c1/a%20b%2B%C3%A9.gz?versionId=v%2F1",
        "x-amz-copy-source-if-match": '"e1"',
        "x-amz-acl": "bucket-owner-full-control",
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-tagging-directive": "REPLACE",
        "x-amz-meta-tenant-id": "acme",
        "content-type": "text/x-json",
        "content-encoding": "gzip",
    }
    signed = re.search("SignedHeaders=([^,]*)", request.headers["authorization"])
    assert signed
    assert set(said) <= set(signed[1].split(";"))


async def test_names_of_any_form_are_signed_as_s3_reads_them(copier: S3Copier, site: Site) -> None:
    """Spaces of a pod's name or a content type count once in a signature; else the copy would be refused as forged."""
    site.play(DONE)
    facts = ObjectFacts(size_bytes=1, etag="", content_type="text/plain;  charset=utf-8 ")
    await copier.copy(replace(WANTED, facts=facts, metadata={"pod-name": "a  b"}), credentials=itself)
    [request] = site.requests
    assert request.headers["content-type"] == "text/plain; charset=utf-8"
    assert request.headers["x-amz-meta-pod-name"] == "a b"


async def test_the_owner_may_be_asked_for(copier: S3Copier, site: Site) -> None:
    """A bucket that a stranger made under a deleted one's name gets nothing, in one piece or in parts."""
    site.play(DONE)
    await copier.copy(replace(WANTED, owner="111122223333"), credentials=itself)
    site.rule(Uploads())
    await copier.copy(replace(LARGE, owner="111122223333"), credentials=itself)
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in site.requests} == {"111122223333"}


async def test_a_session_signs(copier: S3Copier, site: Site) -> None:
    """The central role's, where there is one."""
    site.play(DONE)

    async def central() -> Credentials:
        return Credentials(access_key="ASIACENTRAL", secret_key="s", token="t", expires_ms=0)

    await copier.copy(WANTED, credentials=central)
    assert site.requests[0].access_key == "ASIACENTRAL"
    assert site.requests[0].headers["x-amz-security-token"] == "t"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error("AccessDenied", 403), AccessRefused),
        (error("NoSuchBucket", 404), AccessRefused),
        (error("KMS.DisabledException", 400), AccessRefused),
        (error("IllegalLocationConstraintException", 400), AccessRefused),
        (error("NoSuchKey", 404), ObjectGone),
        (error("NoSuchVersion", 404), ObjectGone),
        (error("InvalidObjectState", 403), ObjectRefused),
        (error("KeyTooLongError", 400), DestinationUnusable),
        (error("InvalidBucketName", 400), DestinationUnusable),
        (error("SlowDown", 503), Throttled),
        (error("PreconditionFailed", 412), Unavailable),
        (error("ExpiredToken", 400), CredentialsExpired),
        # S3 had begun to answer when it failed.
        (error("InternalError", 200), Unavailable),
        (error("SlowDown", 200), Throttled),
        (Answer(body=b"   "), Unavailable),
        (Answer(body=DONE.body, cut_after=9), Unavailable),
        (Answer(reset=True), Unavailable),
        (Answer(status=503), Unavailable),
    ],
)
async def test_what_s3_says_is_understood(
    copier: S3Copier, site: Site, answer: Answer, expected: type[LogfanoutError]
) -> None:
    """Whether in the status or in the body of a 200."""
    site.play(answer)
    with pytest.raises(expected, match=r"CopyObject s3://ours/.* to s3://theirs/p/a b"):
        await copier.copy(WANTED, credentials=itself)


async def test_a_bucket_elsewhere_is_found(copier: S3Copier, site: Site) -> None:
    """S3 names its region once; it is asked there from then on."""
    site.play(Answer(status=301, headers={"x-amz-bucket-region": "us-west-2"}), DONE)
    await copier.copy(WANTED, credentials=itself)
    await copier.copy(WANTED, credentials=itself)
    regions = [request.headers["authorization"].split("/")[2] for request in site.requests]
    assert regions == ["eu-west-1", "us-west-2", "us-west-2"]


class Uploads:
    """S3 as it takes multipart uploads; *refuses* is answered to the actions it names."""

    def __init__(self, refuses: dict[str, Answer] | None = None) -> None:
        self.refuses = refuses or {}
        self.actions: list[str] = []
        self.ranges: dict[str, str] = {}
        self.completed = b""

    def __call__(self, request: Request) -> Answer:
        query = request.target.partition("?")[2]
        action = {"POST uploads=": "create", "PUT": "part", "DELETE": "abort"}.get(
            f"{request.method} {query}" if query == "uploads=" else request.method, "complete"
        )
        self.actions.append(action)
        if action in self.refuses:
            return self.refuses[action]
        if action == "create":
            assert request.headers["x-amz-acl"] == "bucket-owner-full-control"
            assert request.headers["x-amz-meta-tenant-id"] == "acme"
            assert request.headers["content-encoding"] == "gzip"
            return Answer(body=b"<Initiate><UploadId>up/1</UploadId></Initiate>")
        assert "uploadId=up%2F1" in query
        if action == "part":
            number = query.split("partNumber=")[1].split("&")[0]
            assert request.headers["x-amz-copy-source-if-match"] == '"e1"'
            self.ranges[number] = request.headers["x-amz-copy-source-range"]
            return Answer(body=f"<CopyPartResult><ETag>&quot;p{number}&quot;</ETag></CopyPartResult>".encode())
        if action == "abort":
            return Answer(status=204)
        self.completed = request.body
        return Answer(body=b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")


LARGE = replace(WANTED, facts=replace(FACTS, size_bytes=50))


async def test_above_the_limit_a_copy_is_made_in_parts(copier: S3Copier, site: Site) -> None:
    """Every byte once, of one and the same writing, put together in order."""
    uploads = Uploads()
    site.rule(uploads)
    await copier.copy(LARGE, credentials=itself)
    assert uploads.actions == ["create", "part", "part", "part", "part", "complete"]
    assert uploads.ranges == {"1": "bytes=0-15", "2": "bytes=16-31", "3": "bytes=32-47", "4": "bytes=48-49"}
    numbered = re.findall(rb"<PartNumber>(\d)</PartNumber><ETag>&quot;p(\d)&quot;</ETag>", uploads.completed)
    assert numbered == [(b"1", b"1"), (b"2", b"2"), (b"3", b"3"), (b"4", b"4")]


@pytest.mark.parametrize("action", ["part", "complete"])
async def test_an_upload_that_fails_is_ended(copier: S3Copier, site: Site, action: str) -> None:
    """Its parts would be paid for for ever."""
    uploads = Uploads({action: error("AccessDenied", 403)})
    site.rule(uploads)
    with pytest.raises(AccessRefused):
        await copier.copy(LARGE, credentials=itself)
    assert uploads.actions[-1] == "abort"


async def test_an_upload_that_cannot_be_ended_fails_for_its_own_reason(copier: S3Copier, site: Site) -> None:
    """That the abort is refused too is not what somebody must mend."""
    site.rule(Uploads({"part": error("NoSuchKey", 404), "abort": error("AccessDenied", 403)}))
    with pytest.raises(ObjectGone):
        await copier.copy(LARGE, credentials=itself)


async def test_there_are_never_more_parts_than_s3_takes(copier: S3Copier, site: Site) -> None:
    """Parts grow with the object."""
    uploads = Uploads()
    site.rule(uploads)
    size = MOST_PARTS * 17
    copier_of_one = S3Copier(
        copier._requests._http,
        endpoints=copier._requests._endpoints,
        credentials=copier._requests._credentials,
        most_at_once_bytes=1,
        part_bytes=size // 100 - 1,
    )
    await copier_of_one.copy(replace(LARGE, facts=replace(FACTS, size_bytes=size)), credentials=itself)
    assert len(uploads.ranges) == 101
    assert uploads.ranges["101"].endswith(f"-{size - 1}")

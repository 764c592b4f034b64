"""Does a record reach quarantine under a name that harms nobody?"""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.aws import Aws
from logfanout.aws.quarantine import MOST_NAME_BYTES, SUFFIX, tidied
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.s3_places import S3Place
from logfanout.testing.site import Answer, Site

PLACE = S3Place.parse("s3://central-quarantine/records/")
BODY = b'{"reason": "too_old"}\n'


async def test_a_record_is_put_with_its_checksum(aws: Aws, site: Site) -> None:
    """As NDJSON, signed with the task's own key."""
    site.play(Answer())
    uri = await aws.quarantine(PLACE).put("acme/0a-17.ndjson", BODY)
    assert uri == "s3://central-quarantine/records/acme/0a-17.ndjson"
    [put] = site.requests
    assert (put.method, put.target, put.body) == ("PUT", "/central-quarantine/records/acme/0a-17.ndjson", BODY)
    assert put.headers["content-type"] == "application/x-ndjson"
    assert put.headers["x-amz-content-sha256"] == sha256(BODY).hexdigest()
    assert put.headers["x-amz-checksum-sha256"]
    assert put.access_key == "AKIDTASK"


async def test_a_bucket_elsewhere_is_followed(aws: Aws, site: Site) -> None:
    """With the body sent again."""
    moved = b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"
    site.play(Answer(status=400, body=moved, headers={"x-amz-bucket-region": "us-west-2"}), Answer())
    await aws.quarantine(PLACE).put("a.ndjson", BODY)
    assert [request.body for request in site.requests] == [BODY, BODY]
    assert "us-west-2" in site.requests[1].headers["authorization"]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, "NoSuchBucket", Unavailable),
        (400, "InvalidBucketName", Unavailable),
        (404, "", Unavailable),
        (403, "AccessDenied", AccessRefused),
        (400, "KMS.DisabledException", AccessRefused),
        (503, "SlowDown", Throttled),
        (500, "", Unavailable),
        (301, "PermanentRedirect", Unavailable),
        (400, "BadDigest", Unavailable),
    ],
)
async def test_a_refusal_is_one_of_ours(
    aws: Aws, site: Site, status: int, code: str, expected: type[LogfanoutError]
) -> None:
    """And none that would set the log object aside: it is not its fault."""
    site.play(Answer(status=status, body=f"<Error><Code>{code}</Code></Error>".encode() if code else b""))
    with pytest.raises(LogfanoutError, match=r"PutObject s3://central-quarantine/records/a\.ndjson") as caught:
        await aws.quarantine(PLACE).put("a.ndjson", BODY)
    assert type(caught.value) is expected


async def test_no_answer_is_unavailable(aws: Aws, site: Site) -> None:
    """The record may be there; a second put replaces it."""
    site.play(Answer(reset=True))
    with pytest.raises(Unavailable):
        await aws.quarantine(PLACE).put("a.ndjson", BODY)


@pytest.mark.parametrize("name", ["a.ndjson", "acme/0a-17.ndjson", "A-z_0!/=.ndjson"])
def test_a_harmless_name_stays(name: str) -> None:
    """Whoever looks for it finds it."""
    assert tidied(name) == name


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("t/c/a/p/1.json.gz", "t/c/a/p/1.json.gz-"),
        ("/lead//double/./../up", "_/lead/_/double/_/_/up-"),
        ("a b+c?d#é\n", "a_b_c_d___-"),
        ("", "_-"),
        (".ndjson/", ".ndjson/_-"),
    ],
)
def test_any_other_name_is_made_harmless(name: str, begins: str) -> None:
    """And ends in a digest of what it was, so that no two become one."""
    assert re.fullmatch(re.escape(begins) + r"[0-9a-f]{16}\.ndjson", tidied(name))


@given(st.text(alphabet=st.characters(), max_size=1200), st.text(max_size=30))
def test_names_are_safe_and_stay_apart(one: str, other: str) -> None:
    """For every tool, and for a notification rule on ".json" or ".gz"."""
    name = tidied(one)
    assert re.fullmatch(r"[A-Za-z0-9!_.=/-]+", name)
    assert len(name) <= MOST_NAME_BYTES
    assert name.endswith(SUFFIX)
    assert not {"", ".", ".."} & set(name.split("/"))
    assert (tidied(other) == name) == (other == one)
    assert tidied(name) == name

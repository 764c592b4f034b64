"""Where do single records go that can never be delivered?

    name, NDJSON ──► PutObject, hand-signed ──► its URI

A name is made one that any tool can read, and that no rule on ".json" or ".gz" announces to us again.
"""

import re
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import blake2b, sha256

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import Table, as_ours, error_of
from logfanout.aws.http import Http
from logfanout.aws.s3_requests import S3Request, S3Requests, refused
from logfanout.errors import ObjectGone, Unavailable
from logfanout.ports import Credentials, ObjectRef
from logfanout.s3_places import S3Place

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html; all of it an operator sees to, and messages wait.
QUARANTINE_FAULTS: Table = {
    "NoSuchBucket": Unavailable,
    "InvalidBucketName": Unavailable,
    "404": Unavailable,
    "MethodNotAllowed": Unavailable,
    "TemporaryRedirect": Unavailable,
    "307": Unavailable,
    "PermanentRedirect": Unavailable,
    "301": Unavailable,
    "AuthorizationHeaderMalformed": Unavailable,
    "IllegalLocationConstraintException": Unavailable,
    "BadDigest": Unavailable,  # the body was changed on its way
    "InvalidDigest": Unavailable,
    "XAmzContentSHA256Mismatch": Unavailable,
    "ConditionalRequestConflict": Unavailable,  # somebody writes the same name
}
SUFFIX = ".ndjson"
# "Object key naming guidelines": what needs no handling in any tool, without the quotes and brackets.
UNSAFE = re.compile(r"[^A-Za-z0-9!_.=/-]")
MOST_NAME_BYTES = 480  # with the longest prefix still within a key's 1,024
DIGEST_CHARACTERS = 16


class S3Quarantine:
    """The ``Quarantine`` port over S3."""

    def __init__(
        self,
        http: Http,
        *,
        place: S3Place,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._requests = S3Requests(http, endpoints=endpoints, credentials=credentials, now_seconds=now_seconds)

    def __repr__(self) -> str:
        return f"<S3Quarantine {self._place}>"

    async def put(self, name: str, body: bytes) -> str:
        """Keep *body* under what ``tidied`` makes of *name*, replacing what is there; return its URI."""
        key = self._place.prefix + tidied(name)
        uri = f"s3://{self._place.bucket}/{key}"
        request = S3Request(method="PUT", bucket=self._place.bucket, key=key, headers=_headers(body), body=body)
        with as_ours(QUARANTINE_FAULTS, f"PutObject {uri}"):
            try:
                answer = await self._requests.send(request)
            except ObjectGone as error:  # of the bucket's name: an operator's mistake, and not the log object's fault
                raise Unavailable(f"PutObject {uri}: {error}") from error
            try:
                if answer.status == 200:
                    return uri
                said = await refused(answer)
            finally:
                answer.close()
        raise error_of(said, QUARANTINE_FAULTS, f"PutObject {uri}")

    def holds(self, ref: ObjectRef) -> bool:
        """Whether *ref* lies where quarantined records are kept."""
        return self._place.holds(ref)


def tidied(name: str) -> str:
    """Return *name* as a relative path of harmless characters that ends in ``SUFFIX``.

    Different names stay different: one that had to be changed ends in a digest of what it was.
    """
    segments = UNSAFE.sub("_", name).split("/")
    path = "/".join("_" if segment in ("", ".", "..") else segment for segment in segments)
    path = path.removesuffix(SUFFIX)
    if path + SUFFIX == name and len(name) <= MOST_NAME_BYTES:
        return name
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=DIGEST_CHARACTERS // 2).hexdigest()
    return f"{path[: MOST_NAME_BYTES - DIGEST_CHARACTERS - len(SUFFIX) - 1]}-{digest}{SUFFIX}"


def _headers(body: bytes) -> dict[str, str]:
    return {
        "content-type": "application/x-ndjson",
        # A bucket with Object Lock takes nothing without a checksum.
        "x-amz-checksum-sha256": b64encode(sha256(body).digest()).decode(),
    }

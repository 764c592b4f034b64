"""What lies in a bucket?

    ListObjectsV2 ──► Page of a thousand ──► its token ──► the next

Through the SDK and not hand-signed: one call names a thousand objects. botocore asks for URL-encoded keys and decodes
them, since XML cannot hold all that a key can, and follows a bucket to its region.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ParamValidationError

from logfanout.aws.faults import Table, as_ours
from logfanout.errors import Unavailable
from logfanout.ports import Listed, Page

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html; all of it an operator sees to.
LISTING_FAULTS: Table = {
    "NoSuchBucket": Unavailable,
    "404": Unavailable,
    "TemporaryRedirect": Unavailable,
    "307": Unavailable,
    "PermanentRedirect": Unavailable,
    "301": Unavailable,
    "AuthorizationHeaderMalformed": Unavailable,
    "IllegalLocationConstraintException": Unavailable,
    "InvalidBucketName": Unavailable,
}


class S3Listing:
    """The ``Listing`` port over S3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __repr__(self) -> str:
        return "<S3Listing>"

    async def page(self, bucket: str, *, prefix: str, after: str = "", token: str = "", most: int = 1000) -> Page:
        """Return up to *most* objects whose keys begin with *prefix*."""
        begin = {"ContinuationToken": token} if token else {"StartAfter": after} if after else {}
        asked = f"ListObjectsV2 s3://{bucket}/{prefix}"
        with as_ours(LISTING_FAULTS, asked):
            try:
                answer = await self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=most, **begin)
            except ParamValidationError as error:  # a name no bucket can have
                raise Unavailable(f"{asked}: {error}") from error
        return Page(
            objects=[_listed(entry) for entry in answer.get("Contents", [])],
            token=str(answer.get("NextContinuationToken", "")) if answer.get("IsTruncated") else "",
        )


def _listed(entry: Mapping[str, Any]) -> Listed:
    return Listed(
        key=entry["Key"],
        size_bytes=int(entry.get("Size", 0)),
        etag=str(entry.get("ETag", "")).strip('"'),
        last_modified_ms=int(entry["LastModified"].timestamp()) * 1000,  # S3 knows no more
    )

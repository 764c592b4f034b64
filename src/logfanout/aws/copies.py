"""How is an object copied into a tenant's bucket?

    Copy ──► CopyObject, or above 5 GB UploadPartCopy in parts side by side, hand-signed ──► it lies there

S3 moves the bytes, across regions too; the request goes to where the copy is to lie. The bucket's owner is in full
control, and its default encryption applies. Metadata replaces the source's, and so do no tags: those would need a
permission on the source that nobody has to give.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from html import escape
from math import ceil

from logfanout.aws.endpoints import Endpoints
from logfanout.aws.exchanges import Answer
from logfanout.aws.faults import Table, as_ours, error_of
from logfanout.aws.http import MOST_ERROR_BYTES, Http
from logfanout.aws.s3_requests import S3Request, S3Requests, element, refusal
from logfanout.aws.signing import encoded, encoded_value
from logfanout.errors import AccessRefused, DestinationUnusable, LogfanoutError, ObjectGone, ObjectRefused, Unavailable
from logfanout.ports import Copy, Credentials, SessionOf
from logfanout.retrying import patiently

# "Copying, moving, and renaming objects": a single CopyObject takes up to 5 GB.
MOST_AT_ONCE_BYTES = 5 * 1024**3
# "Amazon S3 multipart upload limits": parts of 5 MiB to 5 GiB, 10,000 of them. A GiB takes S3 some ten seconds.
PART_BYTES = 1024**3
MOST_PARTS = 10_000
PARTS_AT_ONCE = 4

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. Source and destination share the codes: the
# source was just described with the task's own credentials, so that what is refused now is the tenant's bucket.
COPY_FAULTS: Table = {
    "NoSuchKey": ObjectGone,
    "NoSuchVersion": ObjectGone,
    "InvalidObjectState": ObjectRefused,  # archived: somebody must restore it first
    "NoSuchBucket": AccessRefused,
    "404": AccessRefused,
    # The bucket lies where its own redirect does not lead, as in another partition.
    "PermanentRedirect": AccessRefused,
    "301": AccessRefused,
    "AuthorizationHeaderMalformed": AccessRefused,
    "IllegalLocationConstraintException": AccessRefused,
    "AccessControlListNotSupported": AccessRefused,
    "MethodNotAllowed": AccessRefused,
    "InvalidBucketName": DestinationUnusable,
    "KeyTooLongError": DestinationUnusable,
    "MetadataTooLarge": DestinationUnusable,
    "TemporaryRedirect": Unavailable,  # DNS does not know the new bucket's region yet
    "307": Unavailable,
    "PreconditionFailed": Unavailable,  # written again since it was described: the next attempt describes it anew
    "412": Unavailable,
    "ConditionalRequestConflict": Unavailable,
    # Somebody ended the upload, a rule against unfinished ones perhaps: the next attempt begins another.
    "NoSuchUpload": Unavailable,
    "InvalidPart": Unavailable,
}


class S3Copier:
    """The ``Copies`` port over S3."""

    def __init__(
        self,
        http: Http,
        *,
        endpoints: Endpoints,
        credentials: Callable[[], Awaitable[Credentials]],
        now_seconds: Callable[[], float] = time.time,
        most_at_once_bytes: int = MOST_AT_ONCE_BYTES,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._requests = S3Requests(http, endpoints=endpoints, credentials=credentials, now_seconds=now_seconds)
        self._most_at_once_bytes = most_at_once_bytes
        self._part_bytes = part_bytes

    async def copy(self, wanted: Copy, *, credentials: SessionOf) -> None:
        """Return once the copy lies there; each request asks for *credentials*, as a long copy outlives one session.

        Raises:
            ObjectGone: the source is not there any more.
            ObjectRefused: it lies in an archive.
            AccessRefused: the bucket, its policy or its key refuses us, or there is no such bucket where it should be.
            DestinationUnusable: nothing can have this bucket's name or this key.
            Throttled, Unavailable: for now.
            CredentialsExpired: the session has ended before its time.
        """
        if wanted.facts.size_bytes <= self._most_at_once_bytes:
            replaced = {"x-amz-metadata-directive": "REPLACE", "x-amz-tagging-directive": "REPLACE"}
            headers = _source(wanted) | _described(wanted) | replaced
            await self._answered(wanted, "PUT", "CopyObject", credentials, headers=headers, holds="CopyObjectResult")
        else:
            await self._copy_in_parts(wanted, credentials)

    async def _copy_in_parts(self, wanted: Copy, by: SessionOf) -> None:
        """Copy part by part; an upload that cannot be finished is ended, since its parts would be paid for for ever."""
        begun = await self._answered(
            wanted, "POST", "CreateMultipartUpload", by, {"uploads": ""}, headers=_described(wanted), holds="UploadId"
        )
        upload = {"uploadId": element("UploadId", begun)}
        try:
            etags = await self._parts(wanted, upload, by)
            await self._answered(
                wanted,
                "POST",
                "CompleteMultipartUpload",
                by,
                upload,
                body=_completed(etags),
                holds="CompleteMultipartUploadResult",
            )
        except BaseException:
            await self._abort(wanted, upload, by)
            raise

    async def _parts(self, wanted: Copy, upload: Mapping[str, str], by: SessionOf) -> list[str]:
        """Copy every part, some side by side; return their ETags in order."""
        size = wanted.facts.size_bytes
        length = max(self._part_bytes, ceil(size / MOST_PARTS))
        turn = asyncio.Semaphore(PARTS_AT_ONCE)

        async def part(number: int, start: int) -> str:
            copied = {"x-amz-copy-source-range": f"bytes={start}-{min(start + length, size) - 1}"}
            arguments = {"partNumber": str(number), **upload}
            async with turn:
                answer: str = await patiently()(
                    self._answered,
                    wanted,
                    "PUT",
                    f"UploadPartCopy {number}",
                    by,
                    arguments,
                    headers=_source(wanted) | copied,
                    holds="ETag",
                )
            return element("ETag", answer)

        try:
            async with asyncio.TaskGroup() as copying:
                parts = [
                    copying.create_task(part(number, start), name=f"part {number}")
                    for number, start in enumerate(range(0, size, length), 1)
                ]
        except ExceptionGroup as failed:  # no "except*": up to Python 3.11.3 what is raised in one is wrapped again
            bugs = [error for error in failed.exceptions if not isinstance(error, LogfanoutError)]
            raise (bugs or failed.exceptions)[0] from None
        return [done.result() for done in parts]

    async def _abort(self, wanted: Copy, upload: Mapping[str, str], by: SessionOf) -> None:
        """End the upload; if that fails too, the bucket's own rule against unfinished ones has to do it."""
        try:
            await self._answered(wanted, "DELETE", "AbortMultipartUpload", by, upload)
        except LogfanoutError:
            return

    async def _answered(
        self,
        wanted: Copy,
        method: str,
        action: str,
        by: SessionOf,
        arguments: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        holds: str = "",
    ) -> str:
        """Return the whole answer, which must have an element called *holds*.

        S3 may find after it has begun to answer that it cannot: such an error comes with status 200 ("CopyObject").
        """
        asked = f"{action} {wanted.source.uri} to {wanted.uri}"
        with as_ours(COPY_FAULTS, asked):
            try:
                answer = await self._requests.send(_request(wanted, method, arguments, headers, body), by=await by())
            except (ObjectGone, UnicodeEncodeError) as error:
                raise DestinationUnusable(f"{asked}: {error}") from error
            text = await _text(answer)
        if answer.status >= 300 or "<Error>" in text:
            raise error_of(refusal(answer, text), COPY_FAULTS, asked)
        if holds and f"<{holds}" not in text:
            raise Unavailable(f"{asked}: S3's answer ends before it says whether it was done")
        return text


def _request(
    wanted: Copy,
    method: str,
    arguments: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    body: bytes,
) -> S3Request:
    # A bucket that its owner deleted and a stranger made anew has another owner ("Verifying bucket ownership").
    owner = {"x-amz-expected-bucket-owner": wanted.owner} if wanted.owner else {}
    return S3Request(
        method=method,
        bucket=wanted.bucket,
        region=wanted.region,
        key=wanted.key,
        arguments=arguments or {},
        headers={**owner, **(headers or {})},
        body=body,
    )


async def _text(answer: Answer) -> str:
    """Return the whole body; while S3 copies it sends white space now and then, some bytes in all."""
    try:
        text = await (answer.beginning(MOST_ERROR_BYTES) if answer.status >= 300 else answer.whole())
        return text.decode(errors="replace")
    finally:
        answer.close()


def _source(wanted: Copy) -> dict[str, str]:
    """Return the headers that name the source, and that very writing of it."""
    ref = wanted.source
    version = f"?versionId={encoded_value(ref.version_id)}" if ref.version_id else ""
    named = {"x-amz-copy-source": f"/{ref.bucket}/{encoded(ref.key)}{version}"}
    return named | ({"x-amz-copy-source-if-match": wanted.facts.etag} if wanted.facts.etag else {})


def _described(wanted: Copy) -> dict[str, str]:
    """Return the headers that describe the copy; what they do not say S3 would take from nowhere."""
    headers = {"x-amz-acl": "bucket-owner-full-control"}
    headers |= {f"x-amz-meta-{name}": value for name, value in wanted.metadata.items()}
    said = {"content-type": wanted.facts.content_type, "content-encoding": wanted.facts.content_encoding}
    return headers | {name: value for name, value in said.items() if value}


def _completed(etags: Iterable[str]) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()

"""How does S3 copy an object between two accounts?

    CopyObject ──► GetObject, then PutObject, each signed by who asked ──► CopyObjectResult, or why one was refused

A copy asks for both permissions, and so does this. The embedded AWS looks for source and copy in one account only.
"""

import time
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import unquote

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from logfanout.aws.signing import EMPTY_HASH, Scope, Unsigned, encoded, signed
from logfanout.ports import Credentials
from logfanout.testing.strict_aws.answers import Answer
from logfanout.testing.strict_aws.calls import Call
from logfanout.testing.strict_aws.sessions import Session

SOURCE = "x-amz-copy-source"
# What of the request describes the copy; the rest is about the copying.
_KEPT = ("content-type", "content-encoding", "x-amz-acl", "x-amz-meta-")
_RESULT = "<CopyObjectResult><ETag>{etag}</ETag><LastModified>{when}</LastModified></CopyObjectResult>"


class Copying:
    """Copies by the embedded AWS at *upstream*, reading and writing each object as *session*."""

    def __init__(self, http: aiohttp.ClientSession, upstream: str) -> None:
        self._http = http
        self._upstream = URL(upstream)

    async def answer(self, call: Call, headers: Mapping[str, str], session: Session) -> Answer:
        """Return what S3 says to the copy that *call* asks for."""
        source, _, query = headers[SOURCE].partition("?")
        got = await self._sent("GET", f"/{encoded(unquote(source).lstrip('/'))}", call, session, query=query)
        wanted = headers.get(f"{SOURCE}-if-match", "")
        if got.status != 200:
            return got
        if wanted not in ("", got.headers.get("ETag", "")):
            return _refused(412, "PreconditionFailed")
        described = {name.lower(): value for name, value in headers.items() if name.lower().startswith(_KEPT)}
        put = await self._sent("PUT", f"/{encoded(call.resource)}", call, session, headers=described, body=got.body)
        if put.status != 200:
            return put
        when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        return Answer(body=_RESULT.format(etag=put.headers.get("ETag", ""), when=when).encode())

    async def _sent(
        self,
        method: str,
        path: str,
        call: Call,
        session: Session,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        region = call.region
        for _ in range(2):  # the source may lie in another region than the copy
            answer = await self._signed(method, path, region, session, query=query, headers=headers or {}, body=body)
            region = answer.headers.get("x-amz-bucket-region", "")
            if answer.status not in (301, 400) or not region:
                break
        return answer

    async def _signed(
        self,
        method: str,
        path: str,
        region: str,
        session: Session,
        *,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        unsigned = Unsigned(
            method=method,
            host=f"{self._upstream.host}:{self._upstream.port}",
            path=path,
            query=query,
            headers=headers,
            body_hash=sha256(body).hexdigest() if body else EMPTY_HASH,
        )
        by = Credentials(access_key=session.access_key, secret_key=session.secret, token=session.token, expires_ms=0)
        url = URL(f"{self._upstream.origin()}{path}{'?' if query else ''}{query}", encoded=True)
        async with self._http.request(
            method,
            url,
            headers=signed(unsigned, by=by, scope=Scope(region=region, service="s3"), at_seconds=time.time()),
            data=body or None,
            allow_redirects=False,
        ) as answer:
            return Answer(status=answer.status, headers=CIMultiDict(answer.headers), body=await answer.read())


def _refused(status: int, code: str) -> Answer:
    document = f"<Error><Code>{code}</Code><Message>of the copy's source</Message></Error>"
    return Answer(status=status, body=document.encode())

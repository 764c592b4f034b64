"""What does an HTTP request ask of AWS, and who asks?

    method, path, headers, body ──► read ──► Call

Pure. Read from what every AWS request bears: the scope of its signature, its target header or its form's ``Action``;
S3, which has neither, is read from method and path.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, unquote, urlsplit

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/\s]*)/([^/\s]+)/aws4_request")
_TABLE_NAME = re.compile(rb'"TableName"\s*:\s*"([^"]+)"')
_QUEUE_URL = re.compile(rb'"QueueUrl"\s*:\s*"([^"]+)"')
_S3_OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, by AWS's names."""

    service: str  # as signatures name it: "logs", "sqs", "s3"; empty: not signed
    operation: str
    region: str = ""
    access_key: str = ""
    account: str = ""  # whose resources it is about, as far as is known: for AssumeRole the role's
    resource: str = ""  # bucket/key, role's ARN, queue's URL, table; of Logs it is in the body alone

    @property
    def action(self) -> str:
        """Its name as policies write it, such as ``logs:PutLogEvents``."""
        return f"{self.service}:{self.operation}"

    def by(self, account: str) -> "Call":
        """Return the call, now that its caller's *account* is known; of AssumeRole the role's own stays."""
        return replace(self, account=self.account or account)


def read(method: str, raw_path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what the request asks; of S3 *body* is not looked at."""
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    if found is None:
        return Call(service="", operation=method)
    access_key, region, service = found.groups()
    call = Call(service=service, operation=method, region=region, access_key=access_key)
    if target := headers.get("X-Amz-Target", ""):
        return replace(call, operation=target.rpartition(".")[2], resource=_named_in(body))
    if service == "s3":
        return _of_s3(call, method, raw_path, copies="x-amz-copy-source" in headers)
    return _of_form(call, body)


def _named_in(body: bytes) -> str:
    # Log events may be a mebibyte, and name no table.
    found = _TABLE_NAME.search(body, 0, 65_536) or _QUEUE_URL.search(body, 0, 65_536)
    return found[1].decode(errors="replace") if found else ""


def _of_s3(call: Call, method: str, raw_path: str, *, copies: bool) -> Call:
    resource = unquote(urlsplit(raw_path).path).lstrip("/")
    if "/" not in resource.rstrip("/"):
        return replace(call, operation=f"{method.title()}Bucket", resource=resource)
    operation = "CopyObject" if copies else _S3_OPERATIONS.get(method, method)
    return replace(call, operation=operation, resource=resource)


def _of_form(call: Call, body: bytes) -> Call:
    """Read the query protocol, which STS still speaks."""
    form = parse_qs(body.decode(errors="replace"))
    [operation] = form.get("Action", [call.operation])
    [role_arn] = form.get("RoleArn", [""])
    account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
    return replace(call, operation=operation, account=account, resource=role_arn)

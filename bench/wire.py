"""How does the stub read a request and word an answer, with as little work as it can?

    bytes ──► Request.head_of ──► operation, length, caller ──► an answer's bytes, prepared where they can be

Pure. Only what our own worker sends is understood. Answers are AWS's documents with the fields a worker reads.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

import orjson

from bench.load import BUCKET, Stored, account_id, group_name, tenant_id
from bench.sqs import Message

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"x-amz-target: *\S+?\.(\w+)", re.IGNORECASE)
_CALLER = re.compile(rb"Credential=([^/]+)/")
_KEY_END = re.compile(rb"-v(\d+)\.log\.gz")
_ROLE = re.compile(rb"RoleArn=arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole", re.IGNORECASE)
_TENANT = re.compile(rb'"tenant-(\d{5})"')
_PUT = re.compile(rb'\{"logGroupName":"/bench/tenant-(\d{5})","logStreamName":"api-pod(\d+)-')
_EVENT = b'{"timestamp":'  # inside a message its quotes are escaped, so that it counts events and nothing else

CENTRAL_ACCOUNT = "111111111111"
CENTRAL_ROLE = f"arn:aws:iam::{CENTRAL_ACCOUNT}:role/central-log-distribution"
QUEUE_PATH = f"/{CENTRAL_ACCOUNT}/notices"
SESSION_SECONDS = 3600
TOKEN_BYTES = 900  # about as long as STS's are
JSON_1_0, JSON_1_1, XML = b"application/x-amz-json-1.0", b"application/x-amz-json-1.1", b"text/xml"
EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a request's body."""

    operation: str  # AWS's name for it; GetObject and AssumeRole for those whose headers do not say
    variant: int  # of GetObject
    caller: bytes  # access key
    length: int  # of the body


def head_of(head: bytes) -> Head:
    """Return what *head*, all before the empty line, asks for."""
    length = _LENGTH.search(head)
    target = _TARGET.search(head)
    caller = _CALLER.search(head)
    variant = _KEY_END.search(head, 0, head.find(b"\r\n"))
    operation = target[1].decode() if target else "GetObject" if variant else "AssumeRole"
    return Head(
        operation, int(variant[1]) if variant else 0, caller[1] if caller else b"", int(length[1]) if length else 0
    )


@dataclass(frozen=True, slots=True)
class Put:
    """What the stub reads of a PutLogEvents."""

    tenant: int
    serial: int  # of the object its events are from
    events: int


def put_of(body: bytes) -> Put:
    """Return how many events of which object *body* puts into whose group.

    Raises:
        ValueError: it is not a request of our worker's.
    """
    found = _PUT.match(body)
    if found is None:
        raise ValueError(f"not a PutLogEvents of the bench: {body[:120]!r}")
    return Put(int(found[1]), int(found[2]), body.count(_EVENT))


def secret_of(access_key: str) -> str:
    """Return the secret of one of the stub's access keys."""
    return f"secret/{access_key}".ljust(40, "x")


def token_of(access_key: str) -> str:
    """Return the session token that goes with an access key."""
    return f"token/{access_key}/".ljust(TOKEN_BYTES, "y")


def access_key_of(account: str) -> str:
    """Return the access key of every session in *account*: it says whose it is."""
    return f"ASIA{account}"


def answer(body: bytes, kind: bytes, *, status: bytes = b"200 OK") -> bytes:
    """Return a whole answer."""
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nx-amzn-RequestId: r\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        kind,
        len(body),
        body,
    )


ACCEPTED = answer(EMPTY, JSON_1_1)
THROTTLED = answer(b'{"__type":"ThrottlingException","message":"Rate exceeded"}', JSON_1_1, status=b"400 Bad Request")
NO_MESSAGES = answer(EMPTY, JSON_1_0)


def object_head(stored: Stored, *, variant: int) -> bytes:
    """Return what stands before an object's bytes, as S3 says it of an object of Vector's."""
    modified = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    return (
        f'HTTP/1.1 200 OK\r\nx-amz-request-id: r\r\nLast-Modified: {modified}\r\nETag: "variant-{variant}"\r\n'
        f"Accept-Ranges: bytes\r\nContent-Encoding: gzip\r\nContent-Type: text/x-log\r\nServer: AmazonS3\r\n"
        f"Content-Length: {stored.size_bytes}\r\n\r\n"
    ).encode()


def messages(handed: Sequence[Message], sizes: Sequence[int], *, now_ms: int) -> bytes:
    """Return ReceiveMessage's answer; *sizes* are the stored bytes by variant."""
    if not handed:
        return NO_MESSAGES
    document = {
        "Messages": [
            {
                "MessageId": f"00000000-0000-4000-8000-{message.notice.serial:012d}",
                "ReceiptHandle": str(message.notice.serial).ljust(180, "="),
                "MD5OfBody": "d41d8cd98f00b204e9800998ecf8427e",
                "Body": _notification(message, sizes[message.notice.variant], now_ms=now_ms),
                "Attributes": {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": str(now_ms)},
            }
            for message in handed
        ]
    }
    return answer(orjson.dumps(document), JSON_1_0)


def _notification(message: Message, size_bytes: int, *, now_ms: int) -> str:
    """Return S3's event inside SNS's envelope, as AWS documents both."""
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now_ms // 1000)) + f".{now_ms % 1000:03d}Z"
    event = {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-west-1",
                "eventTime": when,
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "AWS:AROAEXAMPLE:vector"},
                "requestParameters": {"sourceIPAddress": "10.0.0.1"},
                "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "notices",
                    "bucket": {
                        "name": BUCKET,
                        "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                        "arn": f"arn:aws:s3:::{BUCKET}",
                    },
                    "object": {
                        "key": quote_plus(message.notice.key, safe="/"),
                        "size": size_bytes,
                        "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                        "sequencer": f"{message.notice.serial:016X}",
                    },
                },
            }
        ]
    }
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": f"arn:aws:sns:eu-west-1:{CENTRAL_ACCOUNT}:notices",
        "Subject": "Amazon S3 Notification",
        "Message": orjson.dumps(event).decode(),
        "Timestamp": when,
        "SignatureVersion": "1",
        "Signature": "EXAMPLE" * 49,
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }
    return orjson.dumps(envelope).decode()


def receipts_of(body: bytes) -> list[tuple[int, float]]:
    """Return the serials in a batch call's entries, each with the seconds it is to be hidden for."""
    entries = orjson.loads(body)["Entries"]
    return [(int(entry["ReceiptHandle"].rstrip("=")), float(entry.get("VisibilityTimeout", 0))) for entry in entries]


def batch_done(count: int) -> bytes:
    """Return what a batch call answers when all its entries are done."""
    return answer(orjson.dumps({"Successful": [{"Id": str(n)} for n in range(count)], "Failed": []}), JSON_1_0)


def asked_of(body: bytes) -> tuple[int, float]:
    """Return the most messages a ReceiveMessage wants, and the seconds it waits."""
    asked = orjson.loads(body)
    return int(asked.get("MaxNumberOfMessages", 1)), float(asked.get("WaitTimeSeconds", 0))


def rows(body: bytes) -> bytes:
    """Return what a Query for a tenant's rows answers."""
    found = _TENANT.search(body)
    if found is None:
        return answer(b'{"Items":[],"Count":0,"ScannedCount":0}', JSON_1_0)
    tenant = int(found[1])
    item = {
        "tenant_id": {"S": tenant_id(tenant)},
        "type": {"S": "cloudwatch"},
        "log_distribution_role_arn": {"S": f"arn:aws:iam::{account_id(tenant)}:role/CustomerLogDistribution"},
        "log_group_name": {"S": group_name(tenant)},
        "created_at": {"S": "2026-01-01T00:00:00Z"},
        "desired_logs": {"L": [{"S": "api"}, {"S": "kube-*"}]},
    }
    return answer(orjson.dumps({"Count": 1, "Items": [item], "ScannedCount": 1}), JSON_1_0)


def role_account(body: bytes) -> str:
    """Return the account of the role that an AssumeRole asks for; empty for another call of STS."""
    found = _ROLE.search(body)
    return found[1].decode() if found else ""


def session(account: str, *, now_seconds: float) -> bytes:
    """Return what AssumeRole answers."""
    key = access_key_of(account)
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_seconds + SESSION_SECONDS))
    return answer(
        (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
            f"<AssumedRoleUser><AssumedRoleId>AROA:logfanout</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/CustomerLogDistribution/logfanout</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret_of(key)}</SecretAccessKey>"
            f"<SessionToken>{token_of(key)}</SessionToken><Expiration>{expires}</Expiration></Credentials>"
            "</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
        ).encode(),
        XML,
    )

"""Does the stub read what our worker sends, and say what the worker can read?"""

import time
from hashlib import sha256

import msgspec
import pytest
from bench.load import Notice, account_id
from bench.sampling import Sampler
from bench.sqs import Message

from bench import wire
from logfanout.aws.logs import put_body as body_of
from logfanout.aws.signing import Scope, Unsigned, signed
from logfanout.pipeline import notices
from logfanout.ports import Credentials, Event, LogEvents, LogStream


def put_body(serial: int, *, tenant: int = 7, messages: tuple[str, ...] = ("a", "b")) -> bytes:
    """Return a PutLogEvents as the worker encodes it."""
    now = 4_000_000_000_000
    events = [Event(now, msgspec.Raw(msgspec.json.encode(message))) for message in messages]
    to = LogStream("eu-west-1", f"/bench/tenant-{tenant:05d}", f"api-pod{serial}-2026-01-01")
    return body_of(to, LogEvents.of(events))


def test_events_are_counted_whatever_they_say() -> None:
    """A message that looks like an event is one event."""
    body = put_body(12, messages=("plain", '{"timestamp":1}', '"{\\"timestamp\\":2}', "\n"))
    assert wire.put_of(body) == wire.Put(tenant=7, serial=12, events=4)


def test_another_request_is_no_put() -> None:
    """A worker of another shape must not be counted as having sent nothing."""
    with pytest.raises(ValueError, match="not a PutLogEvents"):
        wire.put_of(b'{"logStreamName":"api-pod1-","logGroupName":"/bench/tenant-00001"}')


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /bench-logs/t/c/a/p/1-v3.log.gz HTTP/1.1\r\nhost: h", wire.Head("GetObject", 3, b"", 0)),
        (b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: 9",
         wire.Head("ReceiveMessage", 0, b"", 9)),
        (b"POST / HTTP/1.1\r\nx-amz-target: L.PutLogEvents\r\ncontent-length: 12\r\nauthorization: Credential=ASIA1/",
         wire.Head("PutLogEvents", 0, b"ASIA1", 12)),
        (b"POST / HTTP/1.1\r\ncontent-length: 3", wire.Head("AssumeRole", 0, b"", 3)),
    ],
)  # fmt: skip
def test_a_request_is_known_by_its_head(head: bytes, expected: wire.Head) -> None:
    """Whether our own hand wrote it or the SDK's."""
    assert wire.head_of(head) == expected


def test_a_notification_is_one_to_the_worker() -> None:
    """Its key names the object, its size is that of the variant."""
    message = Message(Notice(serial=5, tenant=3, variant=1), announced_seconds=0.0, receives=2)
    head, _, body = wire.messages([message], [10, 20], now_ms=1_767_225_600_123).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    [received] = msgspec.json.decode(body)["Messages"]
    [ref] = notices.parse(received["Body"])
    assert (ref.bucket, ref.key) == ("bench-logs", "tenant-00003/prod/api/pod5/5-v1.log.gz")
    assert (ref.size_bytes, ref.event_ms, ref.sequencer) == (20, 1_767_225_600_123, "0000000000000005")
    assert received["Attributes"]["ApproximateReceiveCount"] == "2"
    entries = {"Entries": [{"Id": "0", "ReceiptHandle": received["ReceiptHandle"], "VisibilityTimeout": 30}]}
    assert wire.receipts_of(msgspec.json.encode(entries)) == [(5, 30.0)]


def head_for(body: bytes, *, account: str, secret: str = "") -> bytes:
    """Return the head of a put signed by the session of *account*."""
    key = wire.access_key_of(account)
    by = Credentials(
        access_key=key, secret_key=secret or wire.secret_of(key), token=wire.token_of(key), expires_ms=0
    )  # fmt: skip
    unsigned = Unsigned(method="POST", host="h", path="/", headers={}, body_hash=sha256(body).hexdigest())
    headers = signed(unsigned, by=by, scope=Scope(region="eu-west-1", service="logs"), at_seconds=time.time())
    return "\r\n".join(["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]).encode()


def test_a_sample_is_judged_by_the_strict_double() -> None:
    """A wrong signature is told, and so is an event CloudWatch would reject; what is not its turn is not looked at."""
    account = account_id(7)
    body = put_body(1)  # in the year 2096
    sampler = Sampler(every=2)
    sampler.see(head_for(body, account=account), body, account=account)
    sampler.see(b"not looked at", b"", account=account)
    sampler.see(head_for(body, account=account, secret="another"), body, account=account)
    assert sampler.looked_at == 2
    assert ["would reject" in sampler.wrong[0], "InvalidSignature" in sampler.wrong[1]] == [True, True]

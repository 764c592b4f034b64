"""Is what the worker sends what AWS would take?

    one PutLogEvents of many ──► its signature, and every limit of CloudWatch ──► what is wrong with it, or nothing

The judges are the strict AWS double's, that the drills use; all puts would be too many for it beside a fast worker.
"""

import msgspec

from bench import wire
from logfanout.testing.strict_aws.answers import Refused
from logfanout.testing.strict_aws.calls import Call
from logfanout.testing.strict_aws.cloudwatch import CloudWatch
from logfanout.testing.strict_aws.holdings import Group, Holdings, Place, Stream
from logfanout.testing.strict_aws.sessions import Session, Sessions, Signed

EVERY = 61  # a prime, so that no pattern of the load falls in step with it


class _Named(msgspec.Struct, rename="camel"):
    log_group_name: str
    log_stream_name: str


_named = msgspec.json.Decoder(_Named)


class Sampler:
    """Looks at one put of ``EVERY``, the first among them."""

    def __init__(self, *, every: int = EVERY) -> None:
        self.looked_at = 0
        self.wrong: list[str] = []
        self._every = every
        self._seen = 0
        self._sessions = Sessions()
        self._known: set[str] = set()

    def __repr__(self) -> str:
        return f"<Sampler {self.looked_at} of {self._seen}, {len(self.wrong)} wrong>"

    def see(self, head: bytes, body: bytes, *, account: str) -> None:
        """Look at a put by a session in *account*, if it is its turn."""
        self._seen += 1
        if (self._seen - 1) % self._every:
            return
        self.looked_at += 1
        try:
            self._require_signature(head, body, account)
            self._require_limits(body, account)
        except Refused as why:
            self.wrong.append(str(why))

    def _require_signature(self, head: bytes, body: bytes, account: str) -> None:
        key = wire.access_key_of(account)
        if key not in self._known:
            self._known.add(key)
            secret, token = wire.secret_of(key), wire.token_of(key)
            self._sessions.add(Session(access_key=key, account=account, arn="", secret=secret, token=token))
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        method, path, _ = first.split(" ")
        self._sessions.caller(Signed(method=method, raw_path=path, headers=headers, body=body))

    def _require_limits(self, body: bytes, account: str) -> None:
        named = _named.decode(body)
        holdings = Holdings(keep_events=False)
        place = Place(account, "eu-west-1", named.log_group_name)
        holdings.groups[place] = Group(created_ms=0, streams={named.log_stream_name: Stream(created_ms=0)})
        call = Call(service="logs", operation="PutLogEvents", region="eu-west-1", account=account)
        _, put = CloudWatch(holdings).answer(call, body)
        if put is not None and put.rejected != type(put.rejected)():
            self.wrong.append(f"CloudWatch would reject some of {named.log_stream_name}'s events: {put.rejected}")

"""What is in everybody's CloudWatch Logs?

    put ──► whose credentials? ──► does the stream exist? ──► judge ──► stored, in the order of arrival

One object is CloudWatch of all accounts and regions; credentials tell whose is meant, as on AWS.
"""

from dataclasses import dataclass, field

from logfanout.errors import AccessRefused, StreamMissing
from logfanout.ports import Clock, Credentials, LogEvents, LogStream, Rejections
from logfanout.testing.line import Line
from logfanout.testing.log_limits import judge
from logfanout.testing.tokens import FakeTokens

REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One PutLogEvents that CloudWatch took, as tests look at it."""

    account: str
    to: LogStream
    at_ms: int  # epoch
    events: tuple[tuple[int, str], ...]  # stored ones
    rejections: Rejections


@dataclass(slots=True)
class _Group:
    retention_days: int | None = None
    streams: set[str] = field(default_factory=set)


class FakeLogs(Line):
    """CloudWatch Logs in memory, strict in every limit. Its calls are told apart by the account."""

    def __init__(self, *, clock: Clock, tokens: FakeTokens) -> None:
        super().__init__()
        self.puts: list[Put] = []  # in order of arrival
        self._clock = clock
        self._tokens = tokens
        self._groups: dict[tuple[str, str, str], _Group] = {}  # by account, region, group
        self._forbidden: set[tuple[str, str, str]] = set()  # account, method, group ("": any)

    def __repr__(self) -> str:
        return f"<FakeLogs {len(self._groups)} groups, {len(self.puts)} puts>"

    # What a test sets up.

    def add_group(self, account: str, group: str, *, region: str = REGION, retention_days: int | None = None) -> None:
        """Make a group, as its owner would."""
        self._groups.setdefault((account, region, group), _Group(retention_days))

    def remove_group(self, account: str, group: str, *, region: str = REGION) -> None:
        """Delete a group and its streams; what arrived stays readable for the test."""
        del self._groups[account, region, group]

    def forbid(self, account: str, *methods: str, group: str = "") -> None:
        """Refuse *methods* (``"put"``, ``"create_stream"``, ``"create_group"``; none: all) in one account."""
        for method in methods or ("put", "create_stream", "create_group"):
            self._forbidden.add((account, method, group))

    def allow(self, account: str) -> None:
        """Take every ``forbid`` of *account* back."""
        self._forbidden = {rule for rule in self._forbidden if rule[0] != account}

    # What a test reads.

    def events(
        self, account: str, group: str, *, stream: str | None = None, region: str | None = None
    ) -> list[tuple[int, str]]:
        """Return what *group* holds as (epoch ms, message), in order of arrival; of all streams or one."""
        return [
            event
            for put in self.puts
            if (put.account, put.to.group) == (account, group)
            and stream in (None, put.to.stream)
            and region in (None, put.to.region)
            for event in put.events
        ]

    def messages(self, account: str, group: str, *, stream: str | None = None) -> list[str]:
        """Return ``events`` without their times."""
        return [message for _, message in self.events(account, group, stream=stream)]

    def streams(self, account: str, group: str, *, region: str = REGION) -> list[str]:
        """Return the names of the group's streams, sorted; none if there is no such group."""
        found = self._groups.get((account, region, group))
        return sorted(found.streams) if found else []

    def has_group(self, account: str, group: str, *, region: str = REGION) -> bool:
        """Whether the group exists."""
        return (account, region, group) in self._groups

    def retention_days(self, account: str, group: str, *, region: str = REGION) -> int | None:
        """Return the group's retention; ``None`` is for ever."""
        return self._groups[account, region, group].retention_days

    # The port.

    async def put(self, to: LogStream, events: LogEvents, *, credentials: Credentials) -> Rejections:
        """Write *events*, if they obey every limit; return what was not stored."""
        account = self._tokens.session_of(credentials).account
        async with self._call("put", account):
            self._require_allowed(account, "put", to.group)
            group = self._group(account, to)
            if to.stream not in group.streams:
                raise StreamMissing(f"{to.group}: ResourceNotFoundException: The specified log stream does not exist.")
            now_ms = self._clock.epoch_ms()
            kept, rejections = judge(events.decoded(), now_ms=now_ms, retention_days=group.retention_days)
            self.puts.append(Put(account=account, to=to, at_ms=now_ms, events=tuple(kept), rejections=rejections))
            return rejections

    async def create_stream(self, to: LogStream, *, credentials: Credentials) -> None:
        """Make the stream; one that exists is fine."""
        account = self._tokens.session_of(credentials).account
        async with self._call("create_stream", account):
            self._require_allowed(account, "create_stream", to.group)
            self._group(account, to).streams.add(to.stream)

    async def create_group(self, to: LogStream, *, retention_days: int | None, credentials: Credentials) -> None:
        """Make the group; one that exists is fine and stays as it is."""
        account = self._tokens.session_of(credentials).account
        async with self._call("create_group", account):
            self._require_allowed(account, "create_group", to.group)
            self.add_group(account, to.group, region=to.region, retention_days=retention_days)

    def _group(self, account: str, to: LogStream) -> _Group:
        group = self._groups.get((account, to.region, to.group))
        if group is None:
            raise StreamMissing(f"{to.group}: ResourceNotFoundException: The specified log group does not exist.")
        return group

    def _require_allowed(self, account: str, method: str, group: str) -> None:
        if self._forbidden & {(account, method, ""), (account, method, group)}:
            raise AccessRefused(f"{method} {group}: AccessDeniedException: not authorized in {account}")

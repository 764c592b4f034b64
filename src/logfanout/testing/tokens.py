"""Who may become whom, and for how long?

trust ──► assume ──► Credentials ──► session_of: what the fake logs ask to learn the caller's account
"""

import itertools
import re
from dataclasses import dataclass, replace

from logfanout.errors import AccessRefused, CredentialsExpired
from logfanout.ports import Assumption, Clock, Credentials
from logfanout.testing.line import Line

CENTRAL_ACCOUNT = "999999999999"
TASK_ROLE = f"arn:aws:iam::{CENTRAL_ACCOUNT}:role/logfanout-task"
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)  # AssumeRole, "RoleSessionName"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One role's trust policy."""

    by: frozenset[str]  # role ARNs or account ids that may assume it
    external_id: str  # empty: none asked for
    tags_allowed: bool  # sts:TagSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What STS remembers of credentials it gave."""

    wanted: Assumption
    expires_ms: int

    @property
    def account(self) -> str:
        """The account the session acts in."""
        return _account(self.wanted.role_arn)


class FakeTokens(Line):
    """STS in memory. Its calls are told apart by the ARN of the role wanted."""

    def __init__(self, *, clock: Clock, lifetime_seconds: int = 3600) -> None:
        super().__init__()
        self.lifetime_seconds = lifetime_seconds
        self.assumed: list[Assumption] = []  # every success, in order
        self._clock = clock
        self._trusts: dict[str, Trust] = {}
        self._sessions: dict[str, Session] = {}  # by token
        self._numbers = itertools.count(1)

    def __repr__(self) -> str:
        return f"<FakeTokens {len(self._trusts)} roles, {len(self._sessions)} sessions>"

    def trust(
        self, role_arn: str, *, by: str = CENTRAL_ACCOUNT, external_id: str = "", tags_allowed: bool = True
    ) -> None:
        """Let *by*, a role or a whole account, assume *role_arn*; several calls for one role add up."""
        others = self._trusts[role_arn].by if role_arn in self._trusts else frozenset()
        self._trusts[role_arn] = Trust(by=others | {by}, external_id=external_id, tags_allowed=tags_allowed)

    def distrust(self, role_arn: str) -> None:
        """Delete *role_arn*; sessions it has given live on, as on AWS."""
        self._trusts.pop(role_arn, None)

    def expire(self, role_arn: str = "") -> None:
        """Let every session of *role_arn* (empty: every one) be over now."""
        for token, session in self._sessions.items():
            if role_arn in ("", session.wanted.role_arn):
                self._sessions[token] = replace(session, expires_ms=self._clock.epoch_ms())

    def session_of(self, credentials: Credentials) -> Session:
        """Return whose *credentials* these are.

        Raises:
            CredentialsExpired: their time is over, or STS never gave them.
        """
        session = self._sessions.get(credentials.token)
        if session is None or session.expires_ms <= self._clock.epoch_ms():
            raise CredentialsExpired("ExpiredTokenException: The security token included in the request is expired")
        return session

    async def account_id(self) -> str:
        """Return the account of the task itself."""
        return CENTRAL_ACCOUNT

    async def assume(self, wanted: Assumption, *, using: Credentials | None) -> Credentials:
        """Return a new session of *wanted*, if its trust policy allows the caller."""
        if not SESSION_NAME.fullmatch(wanted.session_name):
            raise ValueError(f"AssumeRole would refuse the session name {wanted.session_name!r}")
        async with self._call("assume", wanted.role_arn):
            caller = TASK_ROLE if using is None else self.session_of(using).wanted.role_arn
            self._require_trust(wanted, caller)
            return self._give(wanted)

    def _require_trust(self, wanted: Assumption, caller: str) -> None:
        trust = self._trusts.get(wanted.role_arn)
        allowed = (
            trust is not None
            and bool(trust.by & {caller, _account(caller)})
            and trust.external_id in ("", wanted.external_id)
            and (trust.tags_allowed or not wanted.session_tags)
        )
        if not allowed:
            raise AccessRefused(f"AssumeRole {wanted.role_arn}: AccessDenied: {caller} is not authorized")

    def _give(self, wanted: Assumption) -> Credentials:
        number = next(self._numbers)
        expires_ms = self._clock.epoch_ms() + self.lifetime_seconds * 1000
        given = Credentials(
            access_key=f"ASIAFAKE{number:012}",
            secret_key=f"secret-{number}",
            token=f"token-{number}",
            expires_ms=expires_ms,
        )
        self._sessions[given.token] = Session(wanted=wanted, expires_ms=expires_ms)
        self.assumed.append(wanted)
        return given


def _account(role_arn: str) -> str:
    """The account id in an ARN."""
    return role_arn.split(":")[4]

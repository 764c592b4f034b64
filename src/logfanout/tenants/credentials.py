"""Whose session writes to a tenant's account, and is it still good?

    task's own ──► central role ──► the tenant's role (ExternalId) ──► Credentials

Both hops are cached by role and asked for once however many wait. A session is renewed ahead of its end while the old
one goes on serving, so that STS may be away for minutes without anybody noticing.
"""

import random
import re
from dataclasses import dataclass, field
from functools import lru_cache

from logfanout import telemetry
from logfanout.errors import AccessRefused, CredentialsExpired, LogfanoutError
from logfanout.flights import Flights
from logfanout.ports import Assumption, Clock, Credentials, Tokens
from logfanout.tenants.log_groups import CloudWatchDestination

# Chained sessions last an hour ("Terms and concepts for IAM roles", role chaining). Ten minutes of it are for renewing,
# spread out so that a fleet that started together does not renew together.
RENEW_AHEAD_MS = 600_000
RENEW_SPREAD_MS = 300_000
# A session is not used in its last seconds: a put signed now may be read later.
EXPIRY_MARGIN_MS = 10_000
# How soon a refused or failed renewal is asked for again: what was under way when a trust broke must not eat the STS
# quota. Shorter than a breaker's first wait, so that its probe hears STS and not us.
ASK_AGAIN_MS = 5_000
COUNT_EVERY_MS = 1_000  # the sessions there are, if more than a few
FEW_SESSIONS = 100
ROLES_REMEMBERED = 1024

_ILLEGAL_IN_SESSION_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
_SESSION_NAME_LENGTH = 64  # AssumeRole, "RoleSessionName": 2 to 64 of [\w+=,.@-]


@dataclass(slots=True)
class _Session:
    """One role's session as it stands."""

    credentials: Credentials | None = field(default=None, repr=False)
    renew_at_ms: int = 0
    refused: str = ""  # what STS said; empty: it did not refuse
    ask_again_ms: int = 0

    def usable(self, now_ms: int) -> Credentials | None:
        if self.credentials and now_ms < self.credentials.expires_ms - EXPIRY_MARGIN_MS:
            return self.credentials
        return None

    def take(self, credentials: Credentials, now_ms: int) -> None:
        ahead = RENEW_AHEAD_MS + random.randrange(RENEW_SPREAD_MS)  # noqa: S311  spreading load, no secret
        left = credentials.expires_ms - now_ms
        self.credentials = credentials
        self.renew_at_ms = credentials.expires_ms - min(ahead, left // 2)
        self.refused = ""


class CredentialCache:
    """Sessions by role; the errors are ``Tokens``'s."""

    def __init__(self, *, tokens: Tokens, central_role: str | None, external_id: str, clock: Clock) -> None:
        self._tokens = tokens
        self._central = Assumption(role_arn=central_role, session_name="logfanout") if central_role else None
        self._external_id = external_id
        self._clock = clock
        self._sessions: dict[Assumption, _Session] = {}
        self._flights: Flights[Assumption, Credentials] = Flights("assume role")
        self._counted_ms = 0

    def __repr__(self) -> str:
        return f"<CredentialCache of {len(self._sessions)} roles>"

    async def of(self, destination: CloudWatchDestination) -> Credentials:
        """Return a session that may write to *destination*."""
        return await self._session(_wanted(destination, self._external_id))

    def forget(self, destination: CloudWatchDestination, credentials: Credentials) -> None:
        """Drop *credentials*, which AWS says have expired, unless newer ones are there already."""
        self._drop(_wanted(destination, self._external_id), credentials)

    async def central(self) -> Credentials | None:
        """Return a session of the central role; ``None`` if there is none, and the task acts in its own name."""
        return await self._session(self._central) if self._central else None

    def forget_central(self, credentials: Credentials) -> None:
        """Drop the central role's *credentials*, which AWS says have expired, unless newer ones are there already."""
        if self._central:
            self._drop(self._central, credentials)

    async def close(self) -> None:
        """Stop what renewals are under way."""
        await self._flights.close()

    def _drop(self, wanted: Assumption, credentials: Credentials) -> None:
        session = self._sessions.get(wanted)
        if session and session.credentials is credentials:
            session.credentials = None

    async def _session(self, wanted: Assumption) -> Credentials:
        now = self._clock.epoch_ms()
        session = self._sessions.get(wanted)
        if session is None:
            session = self._sessions[wanted] = _Session()
        if usable := session.usable(now):
            if now >= max(session.renew_at_ms, session.ask_again_ms):
                self._flights.begin(wanted, lambda: self._renew(wanted))
            return usable
        if session.refused and now < session.ask_again_ms:
            raise AccessRefused(session.refused)
        return await self._flights.join(wanted, lambda: self._renew(wanted))

    async def _renew(self, wanted: Assumption) -> Credentials:
        session = self._sessions.setdefault(wanted, _Session())
        hop = "central" if wanted == self._central else "tenant"
        try:
            credentials = await self._assumed(wanted)
        except LogfanoutError as error:
            session.ask_again_ms = self._clock.epoch_ms() + ASK_AGAIN_MS
            session.refused = str(error) if isinstance(error, AccessRefused) else ""
            telemetry.RoleAssumed(hop=hop, outcome=type(error).__name__, role=wanted.role_arn, error=str(error)).emit()
            raise
        session.take(credentials, self._clock.epoch_ms())
        self._sessions[wanted] = session
        telemetry.RoleAssumed(hop=hop, outcome="assumed", role=wanted.role_arn).emit()
        self._count()
        return credentials

    async def _assumed(self, wanted: Assumption) -> Credentials:
        if self._central is None or wanted == self._central:
            return await self._tokens.assume(wanted, using=None)
        central = await self._session(self._central)
        try:
            return await self._tokens.assume(wanted, using=central)
        except CredentialsExpired:
            self._drop(self._central, central)
            return await self._tokens.assume(wanted, using=await self._session(self._central))

    def _count(self) -> None:
        """Report how many sessions are good, and let go of those of roles nobody has asked for since they ended.

        Now and then where there are many: to look at ten thousand whenever one is renewed would take longer than STS.
        """
        now = self._clock.epoch_ms()
        if now - self._counted_ms < COUNT_EVERY_MS and len(self._sessions) > FEW_SESSIONS:
            return
        self._counted_ms = now
        dead = [w for w, s in self._sessions.items() if s.credentials and s.credentials.expires_ms < now - ASK_AGAIN_MS]
        for wanted in dead:
            del self._sessions[wanted]
        count = sum(session.usable(now) is not None for session in self._sessions.values())
        telemetry.CredentialsCached(count=count).emit()


@lru_cache(maxsize=ROLES_REMEMBERED)  # asked with each batch, of a row that is kept for a minute
def _wanted(destination: CloudWatchDestination, external_id: str) -> Assumption:
    """Return what opens *destination*; *external_id* is the fleet's."""
    return Assumption(
        role_arn=destination.role_arn,
        session_name=session_name(destination.tenant),
        external_id=destination.external_id or external_id,
        session_tags=(("tenant", destination.tenant),) if destination.session_tags else (),
    )


def session_name(tenant: str) -> str:
    """Return the name CloudTrail shows in the tenant's account: ``logfanout-<tenant>``, cut to 64 legal characters."""
    return _ILLEGAL_IN_SESSION_NAME.sub("-", f"logfanout-{tenant}")[:_SESSION_NAME_LENGTH]

"""What must be open before we can talk to AWS?

environment, profile, container, instance ──► open_aws ──► Aws: one adapter a port
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path

from logfanout.aws.bucket import S3Bucket
from logfanout.aws.copies import S3Copier
from logfanout.aws.endpoints import Endpoints
from logfanout.aws.faults import as_ours
from logfanout.aws.http import CONNECT_SECONDS, Http, open_http
from logfanout.aws.inspection import AwsInspection, StsIdentity
from logfanout.aws.ledger_table import KEEP_SECONDS, DynamoLedger
from logfanout.aws.letters import SqsLetters
from logfanout.aws.listing import S3Listing
from logfanout.aws.logs import CloudWatchLogs
from logfanout.aws.quarantine import S3Quarantine
from logfanout.aws.queue import Redrive, SqsDeadLetters, SqsQueue, queue_url, redrive
from logfanout.aws.roster_table import DynamoRoster
from logfanout.aws.task_protection import EcsTaskProtection
from logfanout.aws.tenant_table import DynamoTenantRows
from logfanout.aws.tokens import StsTokens
from logfanout.ports import Credentials
from logfanout.s3_places import S3Place

# Long polls of every receiver, and deletes and extensions beside them.
QUEUE_CONNECTIONS = 64
# A long poll is silent for up to 20 s, and may then still have messages to send.
QUEUE_READ_SECONDS = 30
SHORT_READ_SECONDS = 10  # DynamoDB and STS answer within milliseconds
# Every request to S3 and SQS is signed with the task's credentials. The SDK renews them ten minutes before they end.
ASKED_AGAIN_SECONDS = 1.0
# The container's and the instance's endpoint for credentials are slow just after start; botocore asks once.
METADATA_ATTEMPTS = 4
# One retry, at once, for a connection that AWS had closed; the rest is decided where it is known what waits.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
ONE_RETRY = {"mode": "standard", "total_max_attempts": 2}
# botocore reads AWS_DEFAULT_REGION only; AWS_REGION is what every other SDK, ECS and Lambda mean.
SESSION_VARIABLES = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}


class AwsNotSetUp(Exception):
    """Nothing says which region to work in, or nothing gives us credentials; the text says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """AWS, open. Each method returns an adapter of a port, valid as long as the block is."""

    region: str
    _http: Http = field(repr=False)
    _endpoints: Endpoints = field(repr=False)
    credentials: "TaskCredentials" = field(repr=False)
    _sqs: Any = field(repr=False)
    _dynamodb: Any = field(repr=False)
    _sts: Any = field(repr=False)
    _session: AioSession = field(repr=False)

    def queue(self, url: str) -> SqsQueue:
        """Return the ``Queue`` at *url*."""
        return SqsQueue(self._http, url, endpoints=self._endpoints, credentials=self.credentials)

    def dead_letters(self, url: str) -> SqsDeadLetters:
        """Return the ``DeadLetters`` at *url*."""
        return SqsDeadLetters(self._sqs, url)

    def letters(self, url: str) -> SqsLetters:
        """Return the ``Letters`` in the dead-letter queue at *url*."""
        return SqsLetters(self._sqs, url)

    async def queue_url(self, arn: str) -> str:
        """Return the URL of the queue *arn*; raises ``AccessRefused`` if we may not ask."""
        return await queue_url(self._sqs, arn)

    async def redrive(self, queue_url: str) -> Redrive | None:
        """Return what the queue's redrive policy says; ``None`` if it has none, or we may not ask."""
        return await redrive(self._sqs, queue_url)

    def bucket(self) -> S3Bucket:
        """Return the ``Bucket``, read with the task's own credentials."""
        return S3Bucket(self._http, endpoints=self._endpoints, credentials=self.credentials)

    def copies(self) -> S3Copier:
        """Return the ``Copies`` into any tenant's bucket."""
        return S3Copier(self._http, endpoints=self._endpoints, credentials=self.credentials)

    def quarantine(self, place: S3Place) -> S3Quarantine:
        """Return the ``Quarantine`` at *place*, written with the task's own credentials."""
        return S3Quarantine(self._http, place=place, endpoints=self._endpoints, credentials=self.credentials)

    @asynccontextmanager
    async def listing(self) -> AsyncIterator[S3Listing]:
        """Open the ``Listing``, read with the task's own credentials; the fleet, which lists nothing, does without."""
        config = AioConfig(connect_timeout=CONNECT_SECONDS, read_timeout=QUEUE_READ_SECONDS, retries=ONE_RETRY)
        async with self._session.create_client("s3", region_name=self.region, config=config) as client:
            yield S3Listing(client)

    def ledger(self, table: str, *, keep_seconds: float = KEEP_SECONDS) -> DynamoLedger:
        """Return the fleet's ``Ledger`` in *table*, which remembers for *keep_seconds*."""
        return DynamoLedger(self._dynamodb, table, keep_seconds=keep_seconds)

    def task_protection(self, agent_uri: str) -> EcsTaskProtection:
        """Return the ``TaskProtection`` of the agent at *agent_uri*, ``ECS_AGENT_URI``."""
        return EcsTaskProtection(self._http, agent_uri)

    def logs(self) -> CloudWatchLogs:
        """Return the ``Logs`` of every tenant."""
        return CloudWatchLogs(self._http, endpoints=self._endpoints)

    def tokens(self) -> StsTokens:
        """Return the ``Tokens``."""
        return StsTokens(self._http, endpoints=self._endpoints, credentials=self.credentials, client=self._sts)

    def identity(self) -> StsIdentity:
        """Return the doctor's ``Identity``: the task's own."""
        return StsIdentity(self._sts)

    def inspection(self) -> AwsInspection:
        """Return the doctor's ``Inspection``."""
        return AwsInspection(sqs=self._sqs, dynamodb=self._dynamodb)

    def tenant_rows(self, table: str) -> DynamoTenantRows:
        """Return the ``TenantRows`` of *table*."""
        return DynamoTenantRows(self._http, table, endpoints=self._endpoints, credentials=self.credentials)

    def roster(self, table: str) -> DynamoRoster:
        """Return the ``ChangeableRoster`` in *table*."""
        return DynamoRoster(self._dynamodb, table)


class TaskCredentials:
    """The task's own credentials; the SDK renews them behind this."""

    def __init__(self, base: AioCredentials, *, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._base = base
        self._now_seconds = now_seconds
        self._known: Credentials | None = None
        self._due_seconds = 0.0

    def __repr__(self) -> str:
        return "<TaskCredentials>"

    async def __call__(self) -> Credentials:
        """Return them as they were within the last second.

        Raises:
            Unavailable: the container or the instance does not give new ones.
        """
        now = self._now_seconds()
        if self._known is None or now >= self._due_seconds:
            with as_ours({}, "the task's own credentials"):
                frozen = await self._base.get_frozen_credentials()
            self._known = Credentials(
                access_key=frozen.access_key, secret_key=frozen.secret_key, token=frozen.token or "", expires_ms=0
            )
            self._due_seconds = now + ASKED_AGAIN_SECONDS
        return self._known


@asynccontextmanager
async def open_aws(*, region: str = "") -> AsyncIterator[Aws]:
    """Open everything for the length of the block; *region* overrides what the environment and profile say.

    Raises:
        AwsNotSetUp: there is no region, or there are no credentials.
    """
    session = _session()
    if not _says(session, "metadata_service_num_attempts", more_than=1):
        session.set_config_variable("metadata_service_num_attempts", METADATA_ATTEMPTS)
    region = region or _region(session)
    base = await _credentials(session)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(trust=await _trust(session)))

        async def client(service: str, *, read_seconds: int, connections: int) -> Any:
            config = AioConfig(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=read_seconds,
                max_pool_connections=connections,
                retries=ONE_RETRY,
            )
            return await stack.enter_async_context(session.create_client(service, region_name=region, config=config))

        yield Aws(
            region=region,
            _http=http,
            _endpoints=Endpoints(session, region=region),
            credentials=TaskCredentials(base),
            _session=session,
            _sqs=await client("sqs", read_seconds=QUEUE_READ_SECONDS, connections=QUEUE_CONNECTIONS),
            _dynamodb=await client("dynamodb", read_seconds=SHORT_READ_SECONDS, connections=32),
            _sts=await client("sts", read_seconds=SHORT_READ_SECONDS, connections=32),
        )


def region_here() -> str:
    """Return the region that ``open_aws`` would work in, and open nothing.

    Raises:
        AwsNotSetUp: there is none.
    """
    return _region(_session())


def _session() -> AioSession:
    return AioSession(session_vars=SESSION_VARIABLES)


def _region(session: AioSession) -> str:
    """Return the region that environment or profile name."""
    found = session.get_config_variable("region")
    if not found:
        raise AwsNotSetUp("No AWS region: set AWS_REGION, or region in the profile that AWS_PROFILE names.")
    return str(found)


async def _credentials(session: AioSession) -> AioCredentials:
    """Return what botocore's chain finds: environment, profile, container, instance, web identity."""
    try:
        found = await session.get_credentials()
    except BotoCoreError as error:
        raise AwsNotSetUp(f"No AWS credentials: {error}") from error
    if found is None:
        raise AwsNotSetUp("No AWS credentials: not in the environment, a profile, the container or the instance.")
    return found


async def _trust(session: AioSession) -> ssl.SSLContext:
    """Return whose certificates to believe: AWS_CA_BUNDLE's or the profile's, else those botocore brings."""
    bundle = session.get_config_variable("ca_bundle")
    try:
        # Off the loop: reading a bundle takes some 20 ms.
        return await asyncio.to_thread(ssl.create_default_context, cafile=get_cert_path(bundle or True))
    except OSError as error:
        raise AwsNotSetUp(f"The bundle of certificates {bundle} cannot be read: {error}") from error


def _says(session: AioSession, variable: str, *, more_than: int) -> bool:
    """Whether the operator raised a number of botocore's above its default."""
    value = session.get_config_variable(variable)
    return value is not None and int(value) > more_than

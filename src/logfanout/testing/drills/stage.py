"""Where does a drill play?

    Emulator ──► region ──► Drill: write · worker · faults · until, settled ──► compare ──► Result

Workers are real processes with one address for all of AWS: the strict one's. What the drill itself does goes past it,
so that no fault strikes the one who looks.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from logfanout.demo import audit, backlog, fleet, policies, vector, writing
from logfanout.demo.emulator import Emulator, Session
from logfanout.demo.pods import Event
from logfanout.demo.region import DEAD_LETTERS, TASK_ROLE, Region, provision
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, Tenant, roster
from logfanout.testing.drills.cargo import Cargo
from logfanout.testing.drills.readings import Letter, found, has_all, read_letter
from logfanout.testing.drills.results import Result
from logfanout.testing.strict_aws import Place, StrictAws, open_strict_aws
from logfanout.testing.strict_aws.holdings import Group

LEDGER = "logfanout-drill-ledger"
QUARANTINE = "quarantine/"  # in the bucket whose every object is announced: what lies there must not be delivered
POLL_SECONDS = 0.1
QUIET_POLLS = 3  # depths are approximate: believe them when they stay
# Enough that only what a drill wants to die dies: SQS counts a receive for every lease lost with a killed worker.
MOST_RECEIVES = 40
SETTINGS: Mapping[str, str] = {
    "LOGFANOUT_VISIBILITY_SECONDS": "10",  # the shortest there is
    "LOGFANOUT_GIVE_BACK_SECONDS": "1",
    "LOGFANOUT_DRAIN_SECONDS": "10",
    "LOGFANOUT_LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
}


class Drill:
    """One drill: its AWS, its workers, what was written and what arrived."""

    def __init__(
        self, *, aws: Emulator, region: Region, strict: StrictAws, sqs: Any, shipper: Any, folder: Path
    ) -> None:
        self.aws = aws
        self.region = region
        self.strict = strict
        self.faults = strict.faults
        self.cargo = Cargo()
        self.expected = writing.expectations(region.tenants)
        self._sqs = sqs
        self._shipper = shipper
        self.folder = folder
        self._announced = 0
        self._began = time.monotonic()
        self._workers = 0

    def __repr__(self) -> str:
        return f"<Drill with {self.strict.holdings!r}>"

    @property
    def tenants(self) -> Sequence[Tenant]:
        """Who takes part."""
        return self.region.tenants

    @property
    def logs(self) -> list[str]:
        """Where the workers' logs are."""
        return sorted(map(str, self.folder.glob("worker-*.log")))

    # What a drill does.

    async def write(
        self, number: int, *, events: int = 200, message_bytes: int = 120, tenants: Sequence[Tenant] = ()
    ) -> list[vector.LogObject]:
        """Put *number* objects of *events* lines, *tenants* (none: all) in turns; note what must come of them."""
        given = tenants or self.tenants
        made: list[vector.LogObject] = []
        for turn in range(number):
            tenant = given[turn % len(given)]
            # In a thread: compressing takes a moment, and AWS is served by this very loop.
            made.append(await asyncio.to_thread(self.cargo.object, tenant, events=events, message_bytes=message_bytes))
            await self.put(made[-1])
        return made

    async def write_large(self, number: int, *, mebibytes: int = 4) -> list[vector.LogObject]:
        """Put objects of so many batches, each of a mebibyte: what can be interrupted in their middle."""
        return await self.write(number, events=250 * mebibytes, message_bytes=4000)

    async def put(self, given: vector.LogObject) -> None:
        """Put one object whose every event must arrive."""
        put_ms = await vector.put(self._shipper, self.region.bucket, given)
        [tenant] = [tenant for tenant in self.tenants if tenant.name == given.tenant]
        wanted = tenant.wants(given.application)
        writing.expect(self.expected[given.tenant], given, wanted=wanted, put_ms=put_ms)
        self._announced += 1

    async def put_raw(self, key: str, body: bytes) -> None:
        """Put an object of any kind, of which nothing need arrive."""
        await self._shipper.put_object(Bucket=self.region.bucket, Key=key, Body=body)
        self._announced += 1

    async def remove(self, key: str) -> None:
        """Delete an object, as a lifecycle rule would."""
        async with self.client("s3") as s3:
            await s3.delete_object(Bucket=self.region.bucket, Key=key)

    def client(self, service: str, *, account: str = PLATFORM_ACCOUNT) -> Any:
        """Return a client past the strict AWS, open for the length of a block."""
        return self.aws.client(service, account=account, region=HOME_REGION)

    async def redrive_after(self, receives: int) -> None:
        """Let SQS give a message up after so many receives."""
        arn = f"arn:aws:sqs:{HOME_REGION}:{PLATFORM_ACCOUNT}:{DEAD_LETTERS}"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        await self._sqs.set_queue_attributes(QueueUrl=self.region.queue_url, Attributes={"RedrivePolicy": policy})

    async def delay(self, *, seconds: int) -> None:
        """Let SQS show messages sent from now on only so much later."""
        await self._sqs.set_queue_attributes(QueueUrl=self.region.queue_url, Attributes={"DelaySeconds": str(seconds)})

    async def notices(self) -> list[str]:
        """Return what S3 has announced so far, as SNS delivered it, its test event apart."""
        bodies: list[str] = []
        while len(bodies) < self._announced:
            answer = await self._sqs.receive_message(QueueUrl=self.region.tally_url, MaxNumberOfMessages=10)
            bodies += [m["Body"] for m in answer.get("Messages", []) if "s3:TestEvent" not in m["Body"]]
        return bodies

    async def purge(self) -> None:
        """Throw away what waits in the queue: the drill brings it in its own way."""
        await self._sqs.purge_queue(QueueUrl=self.region.queue_url)

    def own_group(self, tenant: Tenant) -> None:
        """Make *tenant*'s log group, as it would itself."""
        place = self.expected[tenant.name].place
        self.strict.holdings.groups[Place(*place)] = Group(created_ms=time.time_ns() // 1_000_000)

    async def send(self, body: str) -> None:
        """Send a message past S3."""
        await self._sqs.send_message(QueueUrl=self.region.queue_url, MessageBody=body)

    def expect(self, tenant: str, events: Sequence[Event]) -> None:
        """Note that *events* must arrive, though they came in a way of their own."""
        for event in events:
            self.expected[tenant].put_ms[event].append(time.time_ns() // 1_000_000)

    @asynccontextmanager
    async def scanner(self, **settings: str) -> AsyncIterator[fleet.Fleet]:
        """Run a scan of the logs' bucket for the block, as ``worker`` runs a worker."""
        scan = {"EXECUTION_MODE": "scan", "SOURCE_BUCKET": self.region.bucket, "SCAN_INTERVAL": "1"}
        async with self.worker(command="", **scan, **settings) as running:
            yield running

    @asynccontextmanager
    async def worker(self, *, command: str = "run", **settings: str) -> AsyncIterator[fleet.Fleet]:
        """Run a worker for the block; at its end it is told to stop, and must with exit code 0."""
        async with self._running({**await self.environment(settings)}, command) as running:
            yield running

    @asynccontextmanager
    async def container(self, environment: Mapping[str, str]) -> AsyncIterator[fleet.Fleet]:
        """Run what the image runs when it is told nothing but *environment*; else as ``worker``."""
        async with self._running(environment, "") as running:
            yield running

    @asynccontextmanager
    async def _running(self, environment: Mapping[str, str], command: str) -> AsyncIterator[fleet.Fleet]:
        self._workers += 1
        log = self.folder / f"worker-{self._workers}.log"
        async with fleet.fleet(environment, log, command=command) as running:
            try:
                yield running
                if running.process.poll() is None:
                    code = await running.stop()
                    if code != 0:
                        raise AssertionError(f"the worker ended with {code} when told to stop; its log: {log}")
            finally:
                kill(running)

    async def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return all that a process of the fleet is told, *settings* on top."""
        return {**await self.bare_environment(), **SETTINGS, **settings}

    async def bare_environment(self) -> dict[str, str]:
        """Return what a worker must be told to find this stage, and nothing of how it should work."""
        told = fleet.environment(
            self.region,
            endpoint_url=self.strict.url,
            session=await self.aws.assume(self.region.task_role_arn, using=PLATFORM_ACCOUNT),
            processes=None,
            caller={name: value for name, value in os.environ.items() if name not in fleet.PASSED_ON},
        )
        told["SQS_QUEUE_URL"] = self.at_the_door(self.region.queue_url)
        return told

    def at_the_door(self, url: str) -> str:
        """Return *url* at the strict AWS's address."""
        return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(self.strict.url).netloc))

    # What a drill waits for.

    async def until(
        self, holds: Callable[[], bool | Awaitable[bool]], *, seconds: float = 30.0, what: str = ""
    ) -> None:
        """Return once *holds* does.

        Raises:
            AssertionError: it did not within *seconds*.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            held = holds()
            if held if isinstance(held, bool) else await held:
                return
            if asyncio.get_running_loop().time() >= deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what or holds}; {self!r}; {await self.depth()}")
            await asyncio.sleep(POLL_SECONDS)

    async def depth(self) -> backlog.Depth:
        """Return where the messages are."""
        return await backlog.depth(self._sqs, self.region)

    async def settled(self, *, seconds: float = 60.0, dead: int = 0) -> None:
        """Return once everything written is announced, the queue is empty and *dead* messages have died."""
        quiet = 0

        async def holds() -> bool:
            nonlocal quiet
            now = await self.depth()
            quiet = quiet + 1 if now.is_empty(after=self._announced) and now.dead >= dead else 0
            return quiet == QUIET_POLLS

        await self.until(holds, seconds=seconds, what=f"the queue is empty and {dead} messages are dead")

    async def dead_letters(self) -> list[Letter]:
        """Take what lies in the dead-letter queue."""
        letters: list[Letter] = []
        while True:
            answer = await self._sqs.receive_message(
                QueueUrl=self.region.dead_letters_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            letters += map(read_letter, messages)
            if not messages:
                return letters
            for message in messages:
                await self._sqs.delete_message(
                    QueueUrl=self.region.dead_letters_url, ReceiptHandle=message["ReceiptHandle"]
                )

    # What came of it.

    def arrived(self, tenant: Tenant) -> int:
        """Count the events *tenant*'s group has taken, repetitions too."""
        place = self.expected[tenant.name].place
        return sum(put.count for put in self.strict.holdings.puts if tuple(put.place) == tuple(place))

    def has_all(self, tenant: Tenant) -> bool:
        """Whether every event *tenant* must get has arrived."""
        return has_all(self.expected[tenant.name], self.strict.holdings)

    def unanswered_events(self) -> int:
        """Count the events of accepted puts whose answers never went out: the writer must send these again."""
        return sum(put.count for put in self.strict.holdings.puts if not put.answered)

    def report(self) -> audit.Report:
        """Compare what was written with what every account holds."""
        return audit.compare(tuple(self.expected.values()), found(self.strict.holdings))

    def result(self, *, drill: str, injected: str, bound: int, dead: int) -> Result:
        """Return how it went."""
        rows = self.report().rows
        return Result(
            drill=drill,
            injected=injected,
            written=sum(row.written - row.withheld for row in rows),
            delivered=sum(row.delivered for row in rows),
            lost=sum(row.missing for row in rows),
            twice=sum(row.twice for row in rows),
            bound=bound,
            astray=sum(row.astray + row.unknown for row in rows) + self.report().unclaimed,
            broken=len(self.strict.holdings.broken),
            dead=dead,
            seconds=time.monotonic() - self._began,
        )


@asynccontextmanager
async def drill(aws: Emulator, *, tenants: int, folder: Path) -> AsyncIterator[Drill]:
    """Set the stage in an emulator that holds nothing yet; *folder* takes the workers' logs."""
    region = await provision(aws, roster(tenants))
    async with AsyncExitStack() as opened:
        strict = await opened.enter_async_context(open_strict_aws(aws.endpoint_url))
        sqs = await opened.enter_async_context(aws.client("sqs", account=PLATFORM_ACCOUNT, region=HOME_REGION))
        session: Session = await aws.assume(region.shipper_role_arn, using=PLATFORM_ACCOUNT)
        shipper = await opened.enter_async_context(aws.client_of(session, "s3", region=HOME_REGION))
        set_up = Drill(aws=aws, region=region, strict=strict, sqs=sqs, shipper=shipper, folder=folder)
        await set_up.redrive_after(MOST_RECEIVES)
        await _extend(aws, region)
        yield set_up


async def _extend(aws: Emulator, region: Region) -> None:
    """Add what the demo does without: the fleet's ledger, and the right to use it, to quarantine and to list."""
    async with aws.client("dynamodb", account=PLATFORM_ACCOUNT, region=HOME_REGION) as dynamodb:
        made = await dynamodb.create_table(
            TableName=LEDGER,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "object_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "object_id", "KeyType": "HASH"}],
        )
    allowed = policies.document(
        policies.allow(["dynamodb:GetItem", "dynamodb:PutItem"], made["TableDescription"]["TableArn"]),
        policies.allow(["s3:PutObject"], f"arn:aws:s3:::{region.bucket}/{QUARANTINE}*"),
        policies.allow(["s3:ListBucket"], f"arn:aws:s3:::{region.bucket}"),
    )
    async with aws.client("iam", account=PLATFORM_ACCOUNT, region=HOME_REGION) as iam:
        await iam.put_role_policy(RoleName=TASK_ROLE, PolicyName="more", PolicyDocument=allowed)


def kill(running: fleet.Fleet) -> None:
    """End *running* and its children now, without asking."""
    with suppress(ProcessLookupError):
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()

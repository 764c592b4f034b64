"""What does a courier deal with, when the world is a fake?

World ──► parts_of ──► courier.World, as ``app`` puts it together
"""

from typing import Any

from logfanout import courier
from logfanout.courier import Courier, Rules
from logfanout.destinations.cloudwatch import CloudWatch
from logfanout.destinations.kind import Kind
from logfanout.destinations.s3_copies import COPIES_PER_BUCKET, S3Copies
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import WorkerLedger
from logfanout.memory import Gate
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.pipeline.writer import Writer
from logfanout.ports import Ledger, Logs, Quarantine
from logfanout.tenants.breaker import Breakers
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.directory import Directory
from logfanout.tenants.limiter import Limiter
from logfanout.testing.logs import REGION
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import CENTRAL_ROLE, World

MIB = 1024 * 1024
STREAM_NAME = "{application}-{pod}-{date}"


def parts_of(
    world: World,
    *,
    gate: Gate,
    logs: Logs | None = None,
    fleet: Ledger | None = None,
    quarantine: Quarantine | None = None,
    stream_name: str = STREAM_NAME,
    keep_seconds: float = 60,
) -> courier.World:
    """Return the parts of one worker over *world*; *logs* instead of the world's, tenants cached *keep_seconds*."""
    credentials = CredentialCache(
        tokens=world.tokens, central_role=CENTRAL_ROLE, external_id=CENTRAL_ACCOUNT, clock=world.clock
    )
    kinds: dict[str, Kind[Any]] = {
        "cloudwatch": CloudWatch(
            writer=Writer(logs or world.logs, credentials=credentials, gate=gate),
            naming=StreamNaming.parse(stream_name),
            clock=world.clock,
            quarantine=quarantine,
        ),
        "s3": S3Copies(
            copies=world.copies,
            source=world.bucket,
            credentials=credentials,
            limiter=Limiter(most=COPIES_PER_BUCKET),
            clock=world.clock,
        ),
    }
    return courier.World(
        bucket=world.bucket,
        directory=Directory(world.rows, kinds=kinds, region=REGION, keep_seconds=keep_seconds, clock=world.clock),
        kinds=kinds,
        ledgers=Ledgers(WorkerLedger(clock=world.clock), fleet=fleet),
        clock=world.clock,
        breakers=Breakers(),
        gate=gate,
        quarantine=quarantine,
    )


def rules_of(**changes: Any) -> Rules:
    """Return the rules a worker has by default, but for objects of at most 64 MiB; *changes* are fields of them."""
    usual: dict[str, Any] = {
        "layout": KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/"),
        "drop_unknown_tenants": False,
        "max_inflated_bytes": 64 * MIB,
    }
    return Rules(**(usual | changes))


def courier_in(world: World, *, gate: Gate | None = None, with_fleet_ledger: bool = False, **rules: Any) -> Courier:
    """Return a courier in *world* that remembers nothing yet; *rules* are fields of ``Rules``."""
    parts = parts_of(world, gate=gate or Gate(64 * MIB), fleet=world.ledger if with_fleet_ledger else None)
    return Courier(parts, rules_of(**rules))

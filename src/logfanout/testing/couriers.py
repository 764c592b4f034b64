"""How does a courier come to work in a fake world?

    World ──► courier_in ──► Courier, wired as ``app`` does it

For the tests of every way in, so that none wires its own.
"""

from typing import Any

from logfanout import courier
from logfanout.courier import Courier, Rules
from logfanout.ledger.ledgers import Ledgers
from logfanout.ledger.memory import WorkerLedger
from logfanout.memory import Gate
from logfanout.pipeline.routes import KeyLayout, StreamNaming
from logfanout.pipeline.writer import Writer
from logfanout.tenants.breaker import Breakers
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.directory import Directory
from logfanout.testing.logs import REGION
from logfanout.testing.tokens import CENTRAL_ACCOUNT
from logfanout.testing.world import CENTRAL_ROLE, World

MIB = 1024 * 1024


def courier_in(world: World, *, gate: Gate | None = None, with_fleet_ledger: bool = False, **rules: Any) -> Courier:
    """Return a courier in *world* that remembers nothing yet; *rules* are fields of ``Rules``."""
    gate = gate or Gate(64 * MIB)
    cache = CredentialCache(
        tokens=world.tokens, central_role=CENTRAL_ROLE, external_id=CENTRAL_ACCOUNT, clock=world.clock
    )
    parts = courier.World(
        bucket=world.bucket,
        directory=Directory(world.rows, region=REGION, keep_seconds=60, clock=world.clock),
        writer=Writer(world.logs, credentials=cache, gate=gate),
        ledgers=Ledgers(WorkerLedger(clock=world.clock), fleet=world.ledger if with_fleet_ledger else None),
        clock=world.clock,
        breakers=Breakers(),
        gate=gate,
    )
    wanted: dict[str, Any] = {
        "layout": KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/"),
        "naming": StreamNaming.parse("{application}-{pod}-{date}"),
        "drop_unknown_tenants": False,
        "max_inflated_bytes": 64 * MIB,
    }
    return Courier(parts, Rules(**(wanted | rules)))

"""How does one test against AWS without AWS?

    clock.run(story) ──► an event loop whose time jumps ──► World: every port in memory, as strict as AWS

    @virtual_time
    async def test_a_line_reaches_its_tenant() -> None:
        world = World()
        acme = world.add_tenant("acme", account="111122223333")
        world.upload("acme/c1/web/pod-1/a.json", b'{"timestamp": ..., "message": "hi"}')
        ...  # run what is under test against world.queue, .bucket, .tokens, .logs, .rows, .dead_letters
        assert world.logs.events("111122223333", acme.group) == [(..., "hi")]

Shipped with the package, so that whoever embeds logfanout can test with it too. The fakes pass the same
contract tests as the real adapters (``tests/contract``).
"""

from logfanout.testing.bucket import FakeBucket
from logfanout.testing.clock import Deadlock, LoopClock, VirtualLoop, VirtualTimeExceeded, run, virtual_time
from logfanout.testing.copies import Copied, FakeCopies
from logfanout.testing.dead_letters import FakeDeadLetters
from logfanout.testing.ledger import FakeLedger
from logfanout.testing.letters import FakeLetters
from logfanout.testing.line import Line
from logfanout.testing.logs import FakeLogs, Put
from logfanout.testing.quarantine import FakeQuarantine
from logfanout.testing.queue import FakeQueue
from logfanout.testing.surroundings import FakeIdentity, FakeInspection, healthy
from logfanout.testing.task_protection import FakeTaskProtection
from logfanout.testing.tenant_rows import FakeTenantRows
from logfanout.testing.tokens import FakeTokens
from logfanout.testing.world import TenantSetup, World

__all__ = [
    "Copied",
    "Deadlock",
    "FakeBucket",
    "FakeCopies",
    "FakeDeadLetters",
    "FakeIdentity",
    "FakeInspection",
    "FakeLedger",
    "FakeLetters",
    "FakeLogs",
    "FakeQuarantine",
    "FakeQueue",
    "FakeTaskProtection",
    "FakeTenantRows",
    "FakeTokens",
    "Line",
    "LoopClock",
    "Put",
    "TenantSetup",
    "VirtualLoop",
    "VirtualTimeExceeded",
    "World",
    "healthy",
    "run",
    "virtual_time",
]

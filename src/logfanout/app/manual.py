"""How is one notification delivered without a queue?

body ──► Parts ──► worker ──► verdict      or, instead of AWS, lines of what would be sent
"""

from typing import BinaryIO

from logfanout.app.parts import leaving_no_trace, opened
from logfanout.errors import Verdict
from logfanout.ports import Received
from logfanout.settings import Settings
from logfanout.worker import Worker


async def deliver_body(settings: Settings, body: str, *, to: BinaryIO | None = None) -> Verdict:
    """Deliver what one notification announces, without a queue; what failed has been logged.

    *to* is written what would be sent, instead: then nothing is delivered, kept in quarantine or remembered.
    """
    message = Received(id="manual", receipt="", body=body, receive_count=1, sent_ms=0)
    if to is not None:
        settings = leaving_no_trace(settings)
    async with opened(settings, to=to) as parts:
        report = await Worker(parts.courier).deliver(message)
    return report.verdict

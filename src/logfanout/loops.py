"""Which event loop do we run in?

uvloop, where it can be had ──► asyncio.Runner(loop_factory=…)
"""

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's where it can be had; ``None``: asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415  no Windows wheels
    except ImportError:
        return None
    return uvloop.new_event_loop

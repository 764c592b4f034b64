"""How are texts and times written for somebody at a terminal?

Pure. Keys, rows and messages are hostile: what could move a terminal's cursor is written out.
"""

import time


def shown(text: str) -> str:
    """Return *text* as it may be written to a terminal."""
    return text if text.isprintable() else repr(text)


def iso8601(at_ms: int) -> str:
    """Return an epoch time in UTC, to the millisecond where it has any: what is given back must mean the same again."""
    fraction = f".{at_ms % 1000:03}" if at_ms % 1000 else ""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_ms // 1000))}{fraction}Z"

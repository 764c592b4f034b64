"""What of a text that strangers wrote may be put on a terminal?

    text ──► shown ──► itself, or written out

Pure. Keys, rows and messages are hostile.
"""


def shown(text: str) -> str:
    """Return *text*; quoted and with escapes, if something in it could move the terminal's cursor or hide."""
    return text if text.isprintable() else repr(text)

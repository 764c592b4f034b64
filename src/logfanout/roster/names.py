"""Can a tenant be called that?

    name ──► what stops keys from naming it, if anything does

Pure.
"""

from logfanout.errors import KeyUnreadable
from logfanout.pipeline.routes import KeyLayout

MOST_BYTES = 1000  # a key has 1,024 (S3 User Guide, "Creating object key names"), and more to say
_LAYOUT = KeyLayout.parse("{tenant}/{application}/")  # whatever else the fleet's has


def problem(name: str) -> str:
    """Return why no key can name a tenant *name*; empty: one can."""
    try:
        named = _LAYOUT.read(f"{name}/application/file").tenant
    except KeyUnreadable:
        named = None
    if named != name:
        return "no key can name it: it must be one segment of a key, printable, not . or .., no space around it"
    # ``read`` has made sure that it can be encoded.
    return f"no key can name it: it is longer than {MOST_BYTES:,} bytes" if len(name.encode()) > MOST_BYTES else ""

"""Who stops the emulator when the demo itself is killed?

    parent holds a pipe ──► end of file on our stdin ──► its folder removed, exit

Run as a program, with that folder as its argument, in place of ``python -m ministack``. No signal handler of the
parent is needed, so that not even SIGKILL leaves a server behind.
"""

import os
import shutil
import sys
import threading
from pathlib import Path


def main() -> None:
    """Serve MiniStack until stdin ends."""
    folder = Path(sys.argv.pop())
    threading.Thread(target=_exit_with_parent, args=(folder,), name="lifeline", daemon=True).start()
    # Imported late: the demo extra may be missing where this module is only looked at.
    from ministack.app import main as serve  # noqa: PLC0415

    serve()


def _exit_with_parent(folder: Path) -> None:
    """Wait for the parent to let go of its end; nothing is ever written to it."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    # The emulator keeps nothing worth a graceful end, and must not wait for its clients' connections.
    os._exit(0)


if __name__ == "__main__":
    main()

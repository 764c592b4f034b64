"""Talk as one application of the demo's does, for ever: one line at a time, at the time it tells."""

import os
import sys
import time
from datetime import UTC, datetime
from random import Random

import orjson

from logfanout.demo.voices import VOICES


def main() -> None:
    application = os.environ["APPLICATION"]
    pause_seconds = 1 / float(os.environ.get("LINES_A_SECOND", "5"))
    rng = Random()  # noqa: S311  what it says is no secret
    while True:
        said = rng.choice(VOICES[application])(rng, datetime.now(tz=UTC))
        line = said if isinstance(said, str) else orjson.dumps(said).decode()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        time.sleep(rng.expovariate(1 / pause_seconds))


if __name__ == "__main__":
    main()

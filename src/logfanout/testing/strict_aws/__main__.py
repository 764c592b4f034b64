"""How is the strict AWS run by itself?

    python -m logfanout.testing.strict_aws [--port N] [--upstream URL | --emulator] [--count-only]

Serves until SIGTERM or Ctrl-C; prints its address when it listens. ``--emulator`` starts the embedded AWS behind it.
"""

import argparse
import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import uvloop

from logfanout.testing.strict_aws.door import open_strict_aws


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m logfanout.testing.strict_aws")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--upstream", help="address of the AWS that serves what is not CloudWatch Logs")
    parser.add_argument("--emulator", action="store_true", help="start the embedded AWS for that")
    parser.add_argument("--count-only", action="store_true", help="keep counts of the events, not the events")
    uvloop.run(_serve(parser.parse_args()))


async def _serve(asked: argparse.Namespace) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as opened:
        upstream = asked.upstream
        if asked.emulator:
            # Imported late: it needs the demo extra.
            from logfanout.demo.emulator import emulator  # noqa: PLC0415

            upstream = (await opened.enter_async_context(emulator())).endpoint_url
        aws = await opened.enter_async_context(
            open_strict_aws(upstream, port=asked.port, keep_events=not asked.count_only)
        )
        sys.stdout.write(f"{aws.url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    main()

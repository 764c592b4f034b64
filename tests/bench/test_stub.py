"""Does the stub get its say?"""

import asyncio
import threading
from multiprocessing import Pipe

import uvloop

from bench import stub

LONG = bytes(4_000_000)  # many times what a pipe holds


def test_a_long_message_reaches_the_harness_whole() -> None:
    """As many delays as objects are a message longer than the pipe, and the loop must not cut it short."""
    ours, theirs = Pipe()
    heard: list[object] = []

    async def told() -> None:
        ordered = asyncio.Event()
        stub.hear(theirs, ordered.set)
        ours.send("begin")
        await asyncio.wait_for(ordered.wait(), 10)
        asyncio.get_running_loop().remove_reader(theirs.fileno())
        theirs.send(LONG)

    listener = threading.Thread(target=lambda: heard.append(ours.recv()))
    with ours, theirs:
        listener.start()
        uvloop.run(told())
        listener.join(10)
    assert heard == [LONG]

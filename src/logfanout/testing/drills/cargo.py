"""Which objects does a drill write?

    tenant, how many lines, how long ──► LogObject as Vector makes it, every line of it unlike any other

Pure but for the clock. No two messages are equal, so that an event that arrives twice cannot pass for two.
"""

import time
from datetime import datetime
from itertools import count
from random import Random
from uuid import UUID

from logfanout.demo import pods, vector
from logfanout.demo.roster import Tenant

FRAMINGS = tuple(vector.Framing)


class Cargo:
    """Objects, numbered over the whole drill."""

    def __init__(self, *, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311  imitates logs, protects nothing
        self._objects = count()
        self._lines = count()

    def object(self, tenant: Tenant, *, events: int, message_bytes: int) -> vector.LogObject:
        """Return one object of *tenant*; framings and applications take turns."""
        serial = next(self._objects)

        def speak(_of: pods.Pod, rng: Random, _at: datetime) -> str:
            text = f"object {serial} line {next(self._lines)} \u00e9 "
            return text + rng.randbytes(max(message_bytes - len(text), 0) // 2 + 1).hex()

        pod = pods.pod(tenant.name, number=serial, rng=self._random)
        return vector.log_object(
            pod,
            pods.lines(pod, events, until_ns=time.time_ns(), rng=self._random, speak=speak),
            framing=FRAMINGS[serial % len(FRAMINGS)],
            unique=UUID(int=self._random.getrandbits(128), version=4),
        )

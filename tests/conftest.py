"""What holds for every test: examples are not timed, since the machine is shared."""

import signal
from functools import cache

from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings

# Where a shell started us in the background it has Ctrl-C ignored, by all that we start as well: they are to heed it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Each test opens its own clients, as each worker does; to read AWS's API models for each was a third of their time.
_read = cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda _, path: _read(path)

settings.register_profile("logfanout", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("logfanout")

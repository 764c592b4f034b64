"""Which AWS refuses what the real one refuses, and fails when a test wants it to?

    worker ──► one address ──► calls ──► faults ──► CloudWatch Logs, strict in every limit
                                                └──► all other services: the embedded AWS (``demo.emulator``)

    async with open_strict_aws(emulator.endpoint_url) as aws:  # AWS_ENDPOINT_URL=aws.url
        aws.faults.add(Fault(on="logs:PutLogEvents", effect=Refuse(Misfortune.THROTTLED), share=0.5))
        ...
        aws.holdings.puts  # what arrived, in order; .broken: which limits were broken

On its own, for a bench: ``python -m logfanout.testing.strict_aws --port 4580``.
"""

from logfanout.testing.strict_aws.answers import Misfortune, Refused
from logfanout.testing.strict_aws.door import StrictAws, open_strict_aws
from logfanout.testing.strict_aws.faults import Delay, Fault, Faults, Hold, Refuse, Reset, Truncate
from logfanout.testing.strict_aws.holdings import Broken, Holdings, Place, Put

__all__ = [
    "Broken",
    "Delay",
    "Fault",
    "Faults",
    "Hold",
    "Holdings",
    "Misfortune",
    "Place",
    "Put",
    "Refuse",
    "Refused",
    "Reset",
    "StrictAws",
    "Truncate",
    "open_strict_aws",
]

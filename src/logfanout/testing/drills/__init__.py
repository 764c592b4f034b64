"""Is anything lost, sent twice or sent astray when AWS, the network or the worker itself fails?

    Drill: the embedded AWS behind the strict one ──► real workers ──► faults ──► what arrived ──► Result

``tests/drills`` tells the stories; this is their stage. Needs the ``demo`` extra.
"""

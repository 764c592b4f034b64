"""Can one see all of logfanout work, with no account and no Docker?

    emulator ──► region ──► pods ──► vector ──► fleet ──► readback ──► audit ──► show

A real HTTP server that imitates AWS and enforces its policies, a fleet started as an operator would start it,
and a comparison that trusts neither: what was written against what lies in every account's CloudWatch.
Only this package needs the ``demo`` extra.
"""

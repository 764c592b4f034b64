"""How does logfanout speak to AWS?

    ports ◄── adapters ──► signed requests ──► AWS

    async with open_aws() as aws:
        aws.queue(url) · aws.dead_letters(url) · aws.letters(url) · aws.bucket() · aws.listing() · aws.copies()
        aws.logs() · aws.tokens() · aws.tenant_rows(table) · aws.roster(table) · aws.ledger(table)
        aws.quarantine(place) · aws.task_protection(agent_uri) · aws.identity() · aws.inspection()

The one door: nothing outside imports aiobotocore or botocore, or builds a request. Of what goes wrong only the errors
of ``logfanout.errors`` leave the adapters; anything else is a bug.
"""

from logfanout.aws.clients import Aws, AwsNotSetUp, open_aws, region_here
from logfanout.aws.faults import told
from logfanout.aws.ledger_table import KEEP_SECONDS
from logfanout.aws.queue import Redrive
from logfanout.aws.tokens import StsTokens

__all__ = ["KEEP_SECONDS", "Aws", "AwsNotSetUp", "Redrive", "StsTokens", "open_aws", "region_here", "told"]

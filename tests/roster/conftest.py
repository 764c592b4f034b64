"""A fleet that reads rows, and the rows it reads."""

from collections.abc import Mapping
from typing import Any

import pytest

from logfanout.destinations import s3_copies
from logfanout.roster.entries import Reading
from logfanout.tenants import log_groups
from logfanout.tenants.rows import ReadsRows
from logfanout.testing.clock import NOON_MS

KINDS: Mapping[str, ReadsRows] = {"cloudwatch": log_groups, "s3": s3_copies}


class Noon:
    """A clock that stands still."""

    def epoch_ms(self) -> int:
        """Always noon."""
        return NOON_MS


@pytest.fixture
def reading() -> Reading:
    """As the fleet in eu-west-1 reads at noon."""
    return Reading(kinds=KINDS, region="eu-west-1", clock=Noon())


@pytest.fixture
def group() -> dict[str, Any]:
    """A row of a log group's."""
    return {
        "tenant_id": "acme",
        "type": "cloudwatch",
        "log_distribution_role_arn": "arn:aws:iam::111122223333:role/CustomerLogDistribution-acme",
        "log_group_name": "/platform/acme",
    }


@pytest.fixture
def bucket() -> dict[str, Any]:
    """A row of a bucket's."""
    return {"tenant_id": "acme", "type": "s3", "bucket_name": "acme-archive"}

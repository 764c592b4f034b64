"""Template and modules are two ways to the same: what they make is compared as AWS holds it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from logfanout.demo.emulator import Emulator

if TYPE_CHECKING:
    from tests.deploy.customer.conftest import Side

# The provider waits until what it made is there to stay: minutes for a bucket.
pytestmark = [pytest.mark.emulator, pytest.mark.customer, pytest.mark.timeout(900)]
Customer = Callable[..., Awaitable["Side"]]


@pytest.mark.parametrize(
    "wish",
    [{}, {"tagged": True, "bucket": "acme-logs", "group_by": "made-by-platform"}],
    ids=str,
)
async def test_both_ways_make_the_same(
    aws: Emulator, made: Customer, modules_customer: Customer, wish: dict[str, Any]
) -> None:
    """Trust, permissions, bucket policy and rows are equal, so that what is tested of one holds for the other."""
    by_modules = await modules_customer(**wish)
    await aws.reset()
    assert by_modules == await made(**wish)

"""What the list says of a row is what the fleet does with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.roster.conftest import KINDS, Noon

from logfanout.roster.entries import Reading, State
from logfanout.tenants import rows
from logfanout.testing.clock import NOON_MS

GROUP = "log group /platform/acme of account 111122223333 in eu-west-1"


def test_a_row_that_is_followed_says_where_to(reading: Reading, group: dict[str, Any], bucket: dict[str, Any]) -> None:
    """In the words of the fleet's own log."""
    entry = reading.entry(group)
    assert (entry.tenant, entry.type, entry.state, entry.to, entry.refused) == (
        "acme",
        "cloudwatch",
        State.ENABLED,
        GROUP,
        "",
    )
    assert reading.entry(bucket).to == "bucket acme-archive in eu-west-1 under ROSA/cluster-logs/"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"enabled": False}, State.DISABLED),
        ({"ttl": NOON_MS // 1000}, State.EXPIRED),
        ({"ttl": NOON_MS // 1000 + 1}, State.ENABLED),
        ({"enabled": False, "ttl": 1}, State.EXPIRED),
    ],
)
def test_a_row_that_is_not_followed_says_where_it_would(
    reading: Reading, group: dict[str, Any], fields: dict[str, Any], state: State
) -> None:
    """Disabled, or past its ttl; who enables it wants to know."""
    entry = reading.entry(group | fields)
    assert (entry.state, entry.to, entry.refused) == (state, GROUP, "")


@pytest.mark.parametrize(
    ("fields", "state"),
    [({}, State.REFUSED), ({"enabled": False}, State.DISABLED), ({"ttl": 1}, State.EXPIRED)],
)
def test_a_row_that_cannot_be_followed_says_why(
    reading: Reading, group: dict[str, Any], fields: dict[str, Any], state: State
) -> None:
    """Enabled or not."""
    entry = reading.entry(group | fields | {"desired_logs": "web"})
    assert (entry.state, entry.to) == (state, "")
    assert "desired_logs must be a list" in entry.refused


def test_a_row_no_key_can_name_is_refused(reading: Reading, group: dict[str, Any]) -> None:
    """The fleet would never ask for it, however well it reads."""
    entry = reading.entry(group | {"tenant_id": " acme"})
    assert entry.state is State.REFUSED
    assert entry.refused.startswith("tenant ' acme': no key can name it")


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sets(st.text())
names = st.sampled_from(
    ["tenant_id", "type", "enabled", "ttl", "desired_logs", "groups", "target_region", "log_group_name", "bucket_name"]
)


@given(st.dictionaries(names, values | st.sampled_from(["acme", "s3", "cloudwatch"]) | st.lists(values)))
def test_no_row_breaks_the_list(row: dict[str, Any]) -> None:
    """Whatever stands in it; and the fleet delivers exactly where the state says enabled."""
    entry = Reading(kinds=KINDS, region="eu-west-1", clock=Noon()).entry(row)
    assert bool(entry.to) != bool(entry.refused)
    assert entry.state is not State.REFUSED or entry.refused
    if row.get("tenant_id") == "acme":
        tenant = rows.read([row], kinds=KINDS, tenant="acme", region="eu-west-1", now_seconds=NOON_MS / 1000)
        assert (entry.state is State.ENABLED) == bool(tenant and tenant.destinations)


def test_an_entry_hides_the_row_in_tracebacks(reading: Reading, group: dict[str, Any]) -> None:
    """An external id may be in it."""
    assert "chosen-id" not in repr(reading.entry(group | {"external_id": "chosen-id"}))

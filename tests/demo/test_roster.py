"""The demo's tenants differ where tenants differ."""

from logfanout.demo.roster import MOST_TENANTS, PLATFORM_ACCOUNT, REGIONS, roster


def test_five_tenants_show_every_variation() -> None:
    """Both regions, a retention, an ExternalId of its own, and one that picks its applications."""
    five = roster(5)
    assert {tenant.region for tenant in five} == set(REGIONS)
    assert sum(tenant.retention_days is not None for tenant in five) == 1
    assert sum(tenant.external_id != PLATFORM_ACCOUNT for tenant in five) == 1
    assert sum(bool(tenant.wanted) for tenant in five) == 1


def test_every_tenant_has_an_account_and_a_name_of_its_own() -> None:
    """Accounts have twelve digits, which makes them root keys of the emulator; none is the platform's."""
    most = roster(MOST_TENANTS)
    assert len({tenant.account for tenant in most} | {PLATFORM_ACCOUNT}) == MOST_TENANTS + 1
    assert len({tenant.name for tenant in most}) == MOST_TENANTS
    assert all(len(tenant.account) == 12 for tenant in most)


def test_a_tenant_that_picks_gets_what_it_picked() -> None:
    """Patterns are of applications; no pattern means all."""
    everything, picky = roster(5)[0], roster(5)[4]
    assert everything.wants("etcd")
    assert picky.wants("kube-apiserver")
    assert picky.wants("payments")
    assert not picky.wants("etcd")
    assert not picky.wants("payments-v2")

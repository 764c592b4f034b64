"""Which tenants does the demo have, and how do they differ?

    a number ──► (Tenant, ...), each in an account of its own, every second one in the other region

Pure. Among the first five are all the variations a tenant's row allows the demo to check.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

PLATFORM_ACCOUNT = "999999999999"
HOME_REGION = "us-east-1"
OTHER_REGION = "eu-west-1"
REGIONS = (HOME_REGION, OTHER_REGION)
MOST_TENANTS = 500

NAMES = ("harbor", "meadow", "summit", "lantern", "orchard")
KEEPS_DAYS, OWN_EXTERNAL_ID, PICKS_APPLICATIONS = 2, 3, 4  # which of five tenants differs how


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One customer: an account, a role that trusts the platform, a log group."""

    name: str
    account: str
    region: str
    external_id: str  # what its role's trust asks for
    retention_days: int | None = None
    wanted: tuple[str, ...] = ()  # patterns of applications; empty: all

    @property
    def log_group(self) -> str:
        """The group its logs go to, in its own account."""
        return f"/platform/{self.name}"

    @property
    def role_name(self) -> str:
        """The role it lets the platform assume."""
        return f"CustomerLogDistribution-{self.name}"

    @property
    def role_arn(self) -> str:
        """Where the second hop leads."""
        return f"arn:aws:iam::{self.account}:role/{self.role_name}"

    def wants(self, application: str) -> bool:
        """Whether *application*'s logs are to reach it at all."""
        return not self.wanted or any(fnmatchcase(application, pattern) for pattern in self.wanted)


def roster(count: int) -> tuple[Tenant, ...]:
    """Return *count* tenants, the same ones every time."""
    return tuple(_tenant(number) for number in range(count))


def _tenant(number: int) -> Tenant:
    name = NAMES[number] if number < len(NAMES) else f"tenant-{number + 1:03d}"
    kind = number % len(NAMES)
    return Tenant(
        name=name,
        account=f"{100_000_000_001 + number}",
        region=REGIONS[number % 2],
        # Without one of its own the platform sends its account's id.
        external_id=f"{name}-chose-this" if kind == OWN_EXTERNAL_ID else PLATFORM_ACCOUNT,
        retention_days=7 if kind == KEEPS_DAYS else None,
        wanted=("kube-*", "payments", "storefront") if kind == PICKS_APPLICATIONS else (),
    )

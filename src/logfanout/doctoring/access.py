"""Who are we to AWS, and may we become who we must?

region ──► clock ──► credentials ──► central role          what fails here cuts off all that is behind it
"""

import shlex

from logfanout.doctoring.findings import Finding, failed, not_tried, ok, warning
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused, CredentialsExpired
from logfanout.ports import Assumption

# "In most cases, a request must reach AWS within five minutes of the time stamp in the request."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html
MOST_SKEW_SECONDS = 300
ODD_SKEW_SECONDS = 60  # no clock that is kept in time is so far off


async def region(case: Case) -> Finding:
    """Say where we work."""
    return ok(case.setup.region)


async def clock(case: Case) -> Finding:
    """Say whether STS answers, and how far our clock is off."""
    ahead = await case.around.identity.clock_ahead_seconds()
    if ahead is None:
        return not_tried("STS answers, and does not say what time it is")
    said = f"STS answers; this machine's clock is {abs(ahead):.0f} s {'behind' if ahead < 0 else 'ahead of'} AWS's"
    todo = "set the machine's clock (chrony, Amazon Time Sync): AWS refuses what is signed more than 5 minutes off"
    if abs(ahead) > MOST_SKEW_SECONDS:
        case.cut_off = "AWS refuses every request while the clock is wrong"
        return failed(said, todo=todo)
    return warning(said, todo=todo) if abs(ahead) > ODD_SKEW_SECONDS else ok(said)


async def credentials(case: Case) -> Finding:
    """Say who we are."""
    try:
        caller = await case.around.identity.caller()
    except (AccessRefused, CredentialsExpired) as error:  # asking needs no permission: it is about the credentials
        case.cut_off = "AWS does not take our credentials"
        return failed(str(error), todo="give the process credentials that AWS knows and that have not ended")
    case.caller = caller
    return ok(f"{caller.arn}, account {caller.account}")


async def central_role(case: Case) -> Finding:
    """Become the central role, as the fleet does before it becomes a tenant's."""
    role = case.setup.central_role
    if not role:
        who = role_of(case.caller.arn) if case.caller else "the process's own role"
        return ok(f"unset: tenants' roles are assumed directly, and must trust {who}")
    await case.around.tokens.assume(Assumption(role_arn=role, session_name="logfanout"), using=None)
    return ok(f"{role} lets us in; whether a tenant's role does, `logfanout tenants check` tells")


async def task_protection(case: Case) -> Finding:
    """Say what asking would do."""
    return not_tried(
        "to ask for protection from scale-in would change the task",
        todo=asking_iam(case, "ecs:GetTaskProtection ecs:UpdateTaskProtection", resource="*"),
    )


def asking_iam(case: Case, actions: str, *, resource: str) -> str:
    """Return how an administrator learns whether we may do *actions*, separated by spaces, without doing them."""
    who = role_of(case.caller.arn) if case.caller else "ROLE_ARN"
    return (
        f"ask IAM as an administrator: aws iam simulate-principal-policy --policy-source-arn {who} "
        f"--action-names {actions} --resource-arns {shlex.quote(resource)}"
    )


def role_of(arn: str) -> str:
    """Return the role whose session *arn* is, without a path, which sessions do not name; another *arn* as it is."""
    match arn.split(":", 5):
        case ["arn", partition, "sts", "", account, rest] if rest.startswith("assumed-role/"):
            return f"arn:{partition}:iam::{account}:role/{rest.split('/')[1]}"
        case _:
            return arn


def arn_of(case: Case, service: str, resource: str, *, everywhere: bool = False) -> str:
    """Return the ARN of *resource* in our partition; *everywhere*: without region and account, as S3's are."""
    partition = case.caller.arn.split(":")[1] if case.caller else "aws"
    account = case.caller.account if case.caller else "ACCOUNT"
    where = ":" if everywhere else f"{case.setup.region}:{account}"
    return f"arn:{partition}:{service}:{where}:{resource}"

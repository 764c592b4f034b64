"""Do the places answer that we read tenants and progress from, or keep things in?

tenants' table or file · ledger, and whether it forgets · quarantine
"""

from logfanout.doctoring.access import arn_of, asking_iam
from logfanout.doctoring.findings import Finding, not_tried, ok, warning
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused
from logfanout.s3_places import S3Place

# Neither can exist: a tenant is a key's segment, which has no slash, and an object's id is a digest.
NO_TENANT = "logfanout/doctor"
NO_OBJECT = "logfanout/doctor"
LEDGER_EXPIRY = "ttl"  # as aws/ledger_table.py writes it


async def table(case: Case) -> Finding:
    """Ask for a tenant who cannot be there."""
    await case.around.rows.of(NO_TENANT)
    case.tenants_answer = True
    return ok(f"the table {case.setup.tenants_table} answers; one tenant's way: `logfanout tenants check NAME`")


async def file(case: Case) -> Finding:
    """Read the file."""
    if case.around.file is None:
        return not_tried("there is none")
    count = await case.around.file.count()
    case.tenants_answer = True
    return ok(f"{case.around.file.path} has {count:,} tenants; one tenant's way: `logfanout tenants check NAME`")


async def ledger(case: Case) -> Finding:
    """Ask for an object that cannot be there."""
    if case.around.ledger is None:
        return not_tried("there is none")
    await case.around.ledger.recall(NO_OBJECT)
    return ok(f"the table {case.setup.ledger_table} answers")


async def forgetting(case: Case) -> Finding:
    """Say whether the ledger's items ever go."""
    try:
        attribute = await case.around.inspection.expiry_attribute(case.setup.ledger_table)
    except AccessRefused as error:
        todo = "allow dynamodb:DescribeTimeToLive on it to have it looked at; the fleet does without"
        return not_tried(str(error), todo=todo)
    if attribute == LEDGER_EXPIRY:
        return ok(f"items are deleted by the attribute {LEDGER_EXPIRY}")
    return warning(
        f"items are deleted by the attribute {attribute}" if attribute else "items are never deleted",
        todo=f"turn Time to Live on for the attribute {LEDGER_EXPIRY}: without it the table grows for ever",
    )


async def remembering(case: Case) -> Finding:
    """Say why nothing is written."""
    arn = arn_of(case, "dynamodb", f"table/{case.setup.ledger_table}")
    return not_tried("an item would stay there", todo=asking_iam(case, "dynamodb:PutItem", resource=arn))


async def quarantine(case: Case) -> Finding:
    """Say why nothing is written."""
    if not case.setup.quarantine_uri:
        return ok("unset: records that can never be delivered are counted and logged, and not kept")
    place = S3Place.parse_below_a_prefix(case.setup.quarantine_uri)
    objects = arn_of(case, "s3", f"{place.bucket}/{place.prefix}*", everywhere=True)
    return not_tried(f"an object would stay in {place}", todo=asking_iam(case, "s3:PutObject", resource=objects))

"""Can logs be read, and whose are they?

source bucket ──► one key of its list          a sample ──► HEAD ──► its key's tenant ──► is that one known?
"""

from logfanout.doctoring.findings import Finding, failed, not_tried, ok, warning
from logfanout.doctoring.surroundings import Case
from logfanout.errors import AccessRefused, KeyUnreadable
from logfanout.pipeline.routes import KeyLayout

NO_SAMPLE = "no object is named"


async def listing(case: Case) -> Finding:
    """List one object."""
    setup = case.setup
    if case.around.listing is None:
        return not_tried("there is no bucket to list")
    try:
        page = await case.around.listing.page(setup.source_bucket, prefix=setup.source_prefix, most=1)
    except AccessRefused as error:
        if setup.mode == "scan":
            raise
        return warning(
            str(error),
            todo="allow s3:ListBucket on the bucket: without it S3 answers 403 for an object that is gone, which looks "
            "like a permission that is missing",
        )
    place = f"s3://{setup.source_bucket}/{setup.source_prefix}"
    return ok(f"{place} can be listed{'' if page.objects else ', and nothing lies there yet'}")


async def objects(case: Case) -> Finding:
    """Ask about the sample; its bytes stay where they are."""
    if case.sample is None:
        return not_tried(NO_SAMPLE, todo="name one of a tenant's with --object s3://BUCKET/KEY")
    facts = await case.around.bucket.describe(case.sample)
    return ok(f"{case.sample.uri} is there, {facts.size_bytes:,} bytes; only a delivery proves its KMS key")


async def keys(case: Case) -> Finding:
    """Read the sample's key as the fleet does."""
    setup = case.setup
    if case.sample is None:
        return not_tried(NO_SAMPLE)
    try:
        case.tenant = KeyLayout.parse(setup.key_layout).read(case.sample.key).tenant
    except KeyUnreadable as error:
        return failed(str(error), todo="set LOGFANOUT_KEY_LAYOUT to how the collectors write keys, or correct them")
    return ok(f"is of tenant {case.tenant!r} by the layout {setup.key_layout}")


async def owner(case: Case) -> Finding:
    """Say whether the tenant of the sample's key is known."""
    setup = case.setup
    if not case.tenant:
        return not_tried("the key names no tenant")
    if case.tenant == setup.heartbeat_tenant:
        return ok("it is a collector's heartbeat: counted, and delivered to nobody")
    if not case.tenants_answer:
        return not_tried("the tenants cannot be read")
    rows = await case.around.rows.of(case.tenant)
    if rows:
        return ok(f"{case.tenant!r} has {len(rows)} rows; whether they work: `logfanout tenants check NAME`")
    if setup.drop_unknown_tenants:
        return warning(
            f"no row names {case.tenant!r}: its objects are dropped and counted, as LOGFANOUT_UNKNOWN_TENANT says",
            todo="put the tenant's row into the table, if it is to have its logs",
        )
    return failed(
        f"no row names {case.tenant!r}: its objects become dead letters (unknown_tenant)",
        todo="put the tenant's row into the table, or set LOGFANOUT_KEY_LAYOUT if that is no tenant",
    )

"""How do the parts become an examination?

    Settings, an object ──► Setup, Surroundings of AWS alone ──► doctoring.examination.examine

Without ``app.parts``: those are opened only where everything works, and what does not is what is looked for.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from logfanout.app.parts import opened_aws
from logfanout.aws import Aws, told
from logfanout.doctoring.examination import examine
from logfanout.doctoring.findings import Finding
from logfanout.doctoring.surroundings import Case, Setup, Surroundings
from logfanout.memory import limit_bytes
from logfanout.ports import ObjectRef
from logfanout.settings import Settings
from logfanout.tenants.file import FileRows


async def examined(settings: Settings, *, sample: ObjectRef | None) -> AsyncIterator[Finding]:
    """Yield what is found, in the order in which one thing depends on another.

    Raises:
        SettingsWrong: there is no region, or there are no credentials.
    """
    async with AsyncExitStack() as stack:
        aws = await stack.enter_async_context(opened_aws())
        around = await _surroundings(settings, aws, stack)
        async for found in examine(Case(setup=_setup(settings, aws), around=around, sample=sample), told=told):
            yield found


async def _surroundings(settings: Settings, aws: Aws, stack: AsyncExitStack) -> Surroundings:
    file = FileRows(settings.tenants_file) if settings.tenants_file else None
    return Surroundings(
        identity=aws.identity(),
        inspection=aws.inspection(),
        tokens=aws.tokens(),
        rows=file or aws.tenant_rows(settings.tenant_config_table),
        bucket=aws.bucket(),
        listing=await stack.enter_async_context(aws.listing()) if settings.source_bucket else None,
        queue=aws.queue(settings.sqs_queue_url) if settings.sqs_queue_url else None,
        ledger=aws.ledger(settings.ledger_table) if settings.ledger_table else None,
        file=file,
    )


def _setup(settings: Settings, aws: Aws) -> Setup:
    container, scans = limit_bytes(), settings.execution_mode == "scan"
    return Setup(
        mode=settings.execution_mode,
        region=aws.region,
        memory_bytes=settings.memory_limit_bytes or container,
        container_bytes=container,
        processes=settings.process_count if settings.execution_mode == "sqs" else 1,
        vcpus=len(os.sched_getaffinity(0)),
        visibility_seconds=settings.visibility_seconds,
        drop_unknown_tenants=settings.unknown_tenant == "drop",
        key_layout=settings.key_layout,
        heartbeat_tenant=settings.heartbeat_tenant,
        queue_url=settings.sqs_queue_url or "",
        dlq_url=settings.dlq_url or "",
        tenants_table="" if settings.tenants_file else settings.tenant_config_table,
        central_role=settings.central_role_arn or "",
        ledger_table=settings.ledger_table or "",
        # A scan writes them whatever the setting says.
        ledger_completions=settings.ledger_completions or (scans and settings.ledger_table is not None),
        quarantine_uri=settings.quarantine_uri or "",
        source_bucket=settings.source_bucket or "",
        source_prefix=settings.source_prefix or "",
        ecs_agent_uri=settings.ecs_agent_uri or "",
    )

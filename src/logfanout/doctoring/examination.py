"""What is looked at, in which order, and who goes on when something fails?

    Case ──► each check that matters as things are set up ──► Finding, as soon as it is known

A check says what it found, or raises what AWS said. What fails stops only what cannot be known without it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from logfanout.doctoring import access, machine, queues, sources, stores
from logfanout.doctoring.findings import Finding, failed, failed_by, not_tried
from logfanout.doctoring.surroundings import Case
from logfanout.errors import LogfanoutError

NETWORK = "see that the endpoint can be reached: routes, security groups, VPC endpoints, AWS_ENDPOINT_URL"
QUEUE = "see that SQS_QUEUE_URL names a queue in AWS_REGION, and that SQS can be reached"
DEAD_LETTERS = "see that the queue is there: its name in the redrive policy, or LOGFANOUT_DLQ_URL"
TABLE = "see that TENANT_CONFIG_TABLE (keys tenant_id and type) is in AWS_REGION, and that DynamoDB can be reached"
LEDGER = "see that LOGFANOUT_LEDGER_TABLE (key object_id) is in AWS_REGION, and that DynamoDB can be reached"
BUCKET = "see that SOURCE_BUCKET is there and lies in AWS_REGION, and that S3 can be reached"
OBJECT = "see that the object is there, and that S3 can be reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at."""

    about: str
    look: Callable[[Case], Awaitable[Finding]]
    when: Callable[[Case], bool] = lambda _: True  # whether it matters as things are set up
    alone: bool = False  # whether it can be known without AWS
    grant: str = ""  # what to allow where AWS says that we may not
    otherwise: str = NETWORK  # what to do where AWS says anything else


# A check may go by what one above it found.
CHECKS = (
    Check(about="memory", look=machine.memory, alone=True),
    Check(about="processes", look=machine.processes, when=lambda case: case.setup.mode == "sqs", alone=True),
    Check(about="what is remembered", look=machine.completions, alone=True),
    Check(about="region", look=access.region, alone=True),
    Check(about="clock", look=access.clock),
    Check(about="credentials", look=access.credentials),
    Check(
        about="central role",
        look=access.central_role,
        grant="sts:AssumeRole on the central role to ours, and see that its trust policy names our role",
    ),
    Check(
        about="queue",
        look=queues.attributes,
        when=lambda case: case.setup.has_queue,
        otherwise=QUEUE,
    ),
    Check(
        about="queue: delete and hide",
        look=queues.settling,
        when=lambda case: case.setup.has_queue,
        grant="sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue",
        otherwise=QUEUE,
    ),
    Check(about="queue: receive", look=queues.receiving, when=lambda case: case.setup.has_queue),
    Check(about="redrive policy", look=queues.redrive, when=lambda case: case.setup.has_queue),
    Check(
        about="dead-letter queue",
        look=queues.dead_letters,
        when=lambda case: case.setup.has_queue or bool(case.setup.dlq_url),
        otherwise=DEAD_LETTERS,
    ),
    Check(
        about="dead-letter queue: send",
        look=queues.sending,
        when=lambda case: case.setup.has_queue or bool(case.setup.dlq_url),
    ),
    Check(
        about="tenants",
        look=stores.table,
        when=lambda case: bool(case.setup.tenants_table),
        grant="dynamodb:Query on TENANT_CONFIG_TABLE",
        otherwise=TABLE,
    ),
    Check(
        about="tenants",
        look=stores.file,
        when=lambda case: case.around.file is not None,
        alone=True,
        otherwise="correct LOGFANOUT_TENANTS_FILE: a list called tenants, each entry with a tenant_id",
    ),
    Check(
        about="ledger",
        look=stores.ledger,
        when=lambda case: bool(case.setup.ledger_table),
        grant="dynamodb:GetItem on LOGFANOUT_LEDGER_TABLE",
        otherwise=LEDGER,
    ),
    Check(
        about="ledger: forget",
        look=stores.forgetting,
        when=lambda case: bool(case.setup.ledger_table),
        otherwise=LEDGER,
    ),
    Check(about="ledger: write", look=stores.remembering, when=lambda case: bool(case.setup.ledger_table)),
    Check(about="quarantine", look=stores.quarantine),
    Check(
        about="source bucket",
        look=sources.listing,
        when=lambda case: bool(case.setup.source_bucket),
        grant="s3:ListBucket on the bucket",
        otherwise=BUCKET,
    ),
    Check(
        about="objects",
        look=sources.objects,
        grant="s3:GetObject on the bucket's objects (without s3:ListBucket S3 says the same of one that is not there)",
        otherwise=OBJECT,
    ),
    Check(about="object's key", look=sources.keys, when=lambda case: case.sample is not None, alone=True),
    Check(
        about="object's tenant",
        look=sources.owner,
        when=lambda case: case.sample is not None,
        grant="dynamodb:Query on TENANT_CONFIG_TABLE",
        otherwise=TABLE,
    ),
    Check(about="scale-in protection", look=access.task_protection, when=lambda case: bool(case.setup.ecs_agent_uri)),
)


async def examine(case: Case, *, told: Callable[[Exception], str] = repr) -> AsyncIterator[Finding]:
    """Yield what came of each check; *told* puts an error into words that is none of ours."""
    for check in CHECKS:
        if check.when(case):
            yield replace(await _looked(check, case, told), about=check.about)


async def _looked(check: Check, case: Case, told: Callable[[Exception], str]) -> Finding:
    if case.cut_off and not check.alone:
        return not_tried(case.cut_off)
    try:
        return await check.look(case)
    except LogfanoutError as error:
        return failed_by(error, grant=check.grant, otherwise=check.otherwise)
    except Exception as error:  # noqa: BLE001  one check's surprise, such as a new code of AWS's, is no other's
        return failed(told(error), todo=check.otherwise)

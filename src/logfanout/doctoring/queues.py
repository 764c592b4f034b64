"""Do notices come, and have dead letters a place to go?

queue's attributes ──► redrive policy ──► dead-letter queue
receipts that cannot exist ──► may we delete and hide?
"""

from collections.abc import Sequence
from datetime import timedelta

from logfanout.doctoring.access import asking_iam
from logfanout.doctoring.findings import Finding, failed, not_tried, ok, warning
from logfanout.doctoring.surroundings import Case, QueueFacts
from logfanout.errors import AccessRefused
from logfanout.ports import Refusal

# Of no message that ever was. It goes in a batch, which SQS refuses as a whole where we may not, and entry by entry
# where a receipt is none (DeleteMessageBatch, ChangeMessageVisibilityBatch: "Failed").
NO_RECEIPT = "logfanout-doctor-asks-what-is-allowed"
ENOUGH_RECEIVES = 20  # docs/operating.md, "What becomes of a message"
NAMED_BY_EVENTS = "with Lambda, events name their queue"


async def attributes(case: Case) -> Finding:
    """Say what SQS says of the queue."""
    setup = case.setup
    if not setup.queue_url:
        return not_tried(NAMED_BY_EVENTS, todo="set SQS_QUEUE_URL to have it looked at")
    try:
        facts = case.queue = await case.around.inspection.queue(setup.queue_url)
    except AccessRefused as error:
        return warning(
            str(error),
            todo="allow sqs:GetQueueAttributes on the queue: without it we know neither the dead-letter queue (unless "
            "LOGFANOUT_DLQ_URL names it) nor a message's last receive",
        )
    lease = f"each receive asks for {setup.visibility_seconds} s" if setup.mode == "sqs" else "which Lambda goes by"
    return ok(
        f"{facts.arn}: messages waiting {facts.waiting:,}, in flight {facts.in_flight:,}, delayed {facts.delayed:,} "
        f"(how old: CloudWatch's ApproximateAgeOfOldestMessage); kept for {_days(facts.retention_seconds)}; "
        f"its own visibility timeout is {facts.visibility_seconds} s, {lease}"
    )


async def settling(case: Case) -> Finding:
    """Ask to delete and to hide a message that cannot be there."""
    queue = case.around.queue
    if queue is None:
        return not_tried(NAMED_BY_EVENTS, todo="set SQS_QUEUE_URL to have it looked at")
    answers = {"DeleteMessage": await queue.delete([NO_RECEIPT])}
    try:
        answers["ChangeMessageVisibility"] = await queue.hide([NO_RECEIPT], seconds=0)
    except AccessRefused as error:
        if case.setup.mode != "lambda":
            raise
        return warning(
            str(error),
            todo="allow sqs:ChangeMessageVisibility on the queue: without it, what failed waits for the queue's own "
            "visibility timeout",
        )
    odd = [f"{action}: {_codes(answer)}" for action, answer in answers.items() if not any(each.lost for each in answer)]
    if odd:
        return not_tried(
            f"SQS did not say what it says of a receipt that cannot exist ({'; '.join(odd)})",
            todo=asking_iam(case, "sqs:DeleteMessage sqs:ChangeMessageVisibility", resource=_arn(case)),
        )
    return ok("DeleteMessage and ChangeMessageVisibility are allowed: SQS refused only a receipt that cannot exist")


async def receiving(case: Case) -> Finding:
    """Say why nothing is received."""
    return not_tried(
        "a receive would hide a message and raise its count",
        todo=asking_iam(case, "sqs:ReceiveMessage", resource=_arn(case)),
    )


async def redrive(case: Case) -> Finding:
    """Say when SQS gives a message up, and where it then goes."""
    facts, named = case.queue, case.setup.dlq_url
    if facts is None:
        return not_tried("the queue's attributes are not known")
    if not facts.dead_letters_url:
        todo = f"give the queue a redrive policy with a maxReceiveCount of {ENOUGH_RECEIVES} or more"
        if named:
            return warning("the queue has none: a message that keeps failing is tried until it is too old", todo=todo)
        return failed(
            "the queue has none, and LOGFANOUT_DLQ_URL is unset: what cannot be delivered is lost when it is too old",
            todo=todo,
        )
    said = f"{facts.max_receive_count:,} receives, then to {facts.dead_letters_url}"
    if facts.max_receive_count < ENOUGH_RECEIVES:
        return warning(
            said,
            todo=f"set maxReceiveCount to {ENOUGH_RECEIVES} or more: with few, a message that waits out a closed role "
            "or a slow tenant becomes a dead letter within minutes",
        )
    return ok(said)


async def dead_letters(case: Case) -> Finding:
    """Say whether the dead-letter queue is there, and keeps letters for long enough."""
    url = _dead_letters_url(case)
    if not url:
        return not_tried("no dead-letter queue is known")
    try:
        facts = await case.around.inspection.queue(url)
    except AccessRefused as error:
        todo = "allow sqs:GetQueueAttributes on it to have it looked at; the fleet does without"
        return not_tried(str(error), todo=todo)
    said = f"{facts.arn}: letters waiting {facts.waiting:,}; kept for {_days(facts.retention_seconds)}"
    if todo := _trouble(facts, queue=case.queue):
        return warning(said, todo=todo)
    return ok(said)


async def sending(case: Case) -> Finding:
    """Say why nothing is sent."""
    url = _dead_letters_url(case)
    return not_tried(
        "a letter would stay there" if url else "no dead-letter queue is known",
        todo=asking_iam(case, "sqs:SendMessage", resource=_sibling_arn(case, url)) if url else "",
    )


def _trouble(facts: QueueFacts, *, queue: QueueFacts | None) -> str:
    """Return what is to be done about a dead-letter queue; empty: nothing."""
    if facts.arn.endswith(".fifo"):
        return "use a standard queue: our letters name no group, which a FIFO queue asks for"
    # "When a message is moved to a dead-letter queue, the enqueue timestamp is unchanged."
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
    if queue and facts.retention_seconds < queue.retention_seconds:
        return (
            f"keep letters for {_days(queue.retention_seconds)} or longer: SQS counts from when the message first came "
            "into its queue, and one that waited for long there is gone soon after it was moved"
        )
    return "see what lies there: `logfanout dlq list`" if facts.waiting else ""


def _dead_letters_url(case: Case) -> str:
    return case.setup.dlq_url or (case.queue.dead_letters_url if case.queue else "")


def _arn(case: Case) -> str:
    return case.queue.arn if case.queue else "QUEUE_ARN"


def _sibling_arn(case: Case, url: str) -> str:
    """Return the ARN of the queue at *url*, which ends in its account and its name."""
    account, name = url.rstrip("/").split("/")[-2:]
    partition = case.caller.arn.split(":")[1] if case.caller else "aws"
    return f"arn:{partition}:sqs:{case.setup.region}:{account}:{name}"


def _codes(refusals: Sequence[Refusal]) -> str:
    return ", ".join(each.code for each in refusals) or "no refusal"


def _days(seconds: int) -> str:
    return str(timedelta(seconds=seconds)).removesuffix(", 0:00:00")

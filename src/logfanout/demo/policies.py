"""What may each role of the demo do, and who may become it?

    names and ARNs ──► policy documents, as JSON text

Pure. The least that the fleet needs, so that a call it should not make is refused here before it is on AWS.
"""

import json
from collections.abc import Mapping, Sequence

Statement = Mapping[str, object]


def document(*statements: Statement) -> str:
    """Return a policy document of *statements*."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(actions: Sequence[str], *resources: str) -> Statement:
    """Return a statement that allows *actions* on *resources*."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def trust(principal_arn: str, *, external_id: str = "") -> str:
    """Return a trust policy for *principal_arn* alone, which must say *external_id* if one is given."""
    who: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal_arn},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        who["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return document(who)


def published_by(service: str, *, source_arn: str, action: str, resource: str) -> str:
    """Return a resource policy that lets *service* do *action* on behalf of *source_arn*."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": action,
            "Resource": resource,
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
    )


def worker(*, queue_arn: str, dead_letters_arn: str, bucket: str, table_arn: str, central_role_arn: str) -> str:
    """Return what the fleet's own role may do."""
    return document(
        allow(
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                # On AWS the two above cover their batches ("Amazon SQS API permissions"); MiniStack asks by name.
                "sqs:DeleteMessageBatch",
                "sqs:ChangeMessageVisibilityBatch",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",  # in Lambda only, whose events name the queue by its ARN
            ],
            queue_arn,
        ),
        allow(["sqs:SendMessage"], dead_letters_arn),
        allow(["s3:GetObject"], f"arn:aws:s3:::{bucket}/*"),
        allow(["dynamodb:GetItem", "dynamodb:Query"], table_arn),
        allow(["sts:AssumeRole"], central_role_arn),
    )


def central() -> str:
    """Return what the central role may do: become any customer's role of the agreed name."""
    return document(allow(["sts:AssumeRole"], "arn:aws:iam::*:role/CustomerLogDistribution-*"))


def shipper(bucket: str) -> str:
    """Return what Vector may do."""
    return document(allow(["s3:PutObject"], f"arn:aws:s3:::{bucket}/*"))


def customer(*, account: str, region: str, log_group: str) -> str:
    """Return what a customer lets the platform do: write to one group of its own."""
    group_arn = f"arn:aws:logs:{region}:{account}:log-group:{log_group}"
    return document(
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:PutRetentionPolicy"],
            group_arn,
            f"{group_arn}:*",
        )
    )

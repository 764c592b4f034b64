"""What a customer may ask of its template, and the template's answer: for whoever plays a customer in a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CUSTOMER = Path(__file__).parents[2] / "deploy" / "customer"
TEMPLATE = CUSTOMER / "cloudformation.yaml"
NAME = "logfanout"
DONE = ("CREATE_COMPLETE", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_COMPLETE", "DELETE_FAILED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a customer may ask for, in no tool's words."""

    tenant: str = "acme"
    external_id: str = "acme-4f1c"
    group: str = "/platform/acme"
    group_by: str = "made-here"  # or made-by-platform, existing
    tagged: bool = False
    bucket: str = ""
    retention_days: int = 30


def parameters(wish: Wish, central_role_arn: str) -> dict[str, str]:
    """Return *wish* as the template's parameters."""
    told = {
        "TenantId": wish.tenant,
        "CentralRoleArn": central_role_arn,
        "ExternalId": wish.external_id,
        "SessionTags": "required" if wish.tagged else "not-required",
        "RoleSuffix": wish.tenant,
        "LogGroupName": wish.group,
        "LogGroup": wish.group_by,
        "RetentionDays": str(wish.retention_days),
    }
    return told | ({"S3Destination": "made-here", "S3BucketName": wish.bucket} if wish.bucket else {})


def order(told: Mapping[str, str], *, name: str = NAME) -> dict[str, Any]:
    """Return what CreateStack is asked for the template's *told* parameters."""
    return {
        "StackName": name,
        "TemplateBody": TEMPLATE.read_text("utf-8"),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in told.items()],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of a *stack* that is complete."""
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

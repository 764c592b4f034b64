"""Are operators told of every row, and is each change one write?"""

import pytest

from logfanout.aws import Aws
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.roster.changes import replacing, switching
from logfanout.testing.site import Site

LAST = {"tenant_id": {"S": "acme"}, "type": {"S": "s3"}}


async def test_every_page_is_read(aws: Aws, site: Site) -> None:
    """A Scan answers a megabyte at a time, some pages empty; and it sees what was written just before."""
    site.json({"Items": [{"type": {"S": "s3"}, "blob": {"B": "eA=="}}], "LastEvaluatedKey": LAST})
    site.json({"Items": [], "LastEvaluatedKey": LAST})
    site.json({"Items": [{"type": {"S": "cloudwatch"}}]})
    assert await aws.roster("tenants").all() == [{"type": "s3", "blob": b"x"}, {"type": "cloudwatch"}]
    first, second, third = (request.json() for request in site.requests)
    assert first == {"TableName": "tenants", "ConsistentRead": True}
    assert second == third == {**first, "ExclusiveStartKey": LAST}


async def test_a_page_that_is_throttled_is_asked_for_again(aws: Aws, site: Site) -> None:
    """The pages before it are not."""
    site.json({"Items": [{"type": {"S": "s3"}}], "LastEvaluatedKey": LAST})
    throttled = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    for _ in range(2):
        site.json({"__type": throttled, "message": "no"}, status=400)
    site.json({"Items": []})
    assert await aws.roster("tenants").all() == [{"type": "s3"}]
    assert ["ExclusiveStartKey" in request.json() for request in site.requests] == [False, True, True, True]


async def test_a_change_is_one_request(aws: Aws, site: Site) -> None:
    """Reserved words stand behind placeholders; what is set once is set if it is not there."""
    site.json({})
    change = replacing("acme", "s3", {"bucket_name": "b", "ttl": 7}, now_ms=0)
    assert await aws.roster("tenants").write(change) is None
    [request] = [each.json() for each in site.requests]
    names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
    said = request["UpdateExpression"]
    for placeholder in sorted(names, key=len, reverse=True):
        said = said.replace(placeholder, names[placeholder])
    for placeholder in sorted(values, key=len, reverse=True):
        said = said.replace(placeholder, next(iter(values[placeholder].values())))
    at = "1970-01-01T00:00:00Z"
    assert said == (
        f"SET bucket_name = b, ttl = 7, updated_at = {at}, created_at = if_not_exists(created_at, {at})"
        " REMOVE bucket_owner, bucket_prefix, target_region, desired_logs, groups"
    )
    assert request["Key"] == {"tenant_id": {"S": "acme"}, "type": {"S": "s3"}}
    assert (request["ReturnValues"], "ConditionExpression" in request) == ("ALL_OLD", False)


async def test_a_switch_asks_that_the_row_is_there(aws: Aws, site: Site) -> None:
    """DynamoDB says so if it is not, and that is an answer."""
    site.json({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": ""}, status=400)
    assert await aws.roster("tenants").write(switching("acme", "s3", enabled=False, now_ms=0)) is None
    [request] = [each.json() for each in site.requests]
    assert request["ConditionExpression"] == "attribute_exists(tenant_id)"
    assert "REMOVE" not in request["UpdateExpression"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", Unavailable),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", Throttled),
        ("com.amazon.coral.service#AccessDeniedException", AccessRefused),
        ("com.amazon.coral.validate#ValidationException", Unavailable),
    ],
)
async def test_a_refusal_is_one_of_ours(aws: Aws, site: Site, code: str, expected: type[LogfanoutError]) -> None:
    """With what was asked in front of what DynamoDB said."""
    for _ in range(8):
        site.json({"__type": code, "message": "no"}, status=400)
    with pytest.raises(LogfanoutError, match=r"Scan tenants: .*: no") as caught:
        await aws.roster("tenants").all()
    assert type(caught.value) is expected

"""Do rows come as they are, all of them?"""

import pytest

from logfanout.aws import Aws
from logfanout.errors import AccessRefused, LogfanoutError, Throttled, Unavailable
from logfanout.testing.site import Answer, Site


async def test_every_page_is_read(aws: Aws, site: Site) -> None:
    """A Query answers a megabyte at a time, some pages empty."""
    last = {"tenant_id": {"S": "acme"}, "type": {"S": "cloudwatch"}}
    site.json({"Items": [{"type": {"S": "cloudwatch"}}], "LastEvaluatedKey": last})
    site.json({"Items": [], "LastEvaluatedKey": last})
    site.json({"Items": [{"type": {"S": "s3"}}]})
    assert await aws.tenant_rows("tenants").of("acme") == [{"type": "cloudwatch"}, {"type": "s3"}]
    first, second, third = (request.json() for request in site.requests)
    assert first["ExpressionAttributeValues"] == {":tenant": {"S": "acme"}}
    assert "ExclusiveStartKey" not in first
    assert second["ExclusiveStartKey"] == third["ExclusiveStartKey"] == last


async def test_an_empty_name_has_no_rows(aws: Aws, site: Site) -> None:
    """DynamoDB would refuse the key."""
    assert [*await aws.tenant_rows("tenants").of(""), *site.requests] == []


async def test_a_strange_value_does_not_break_the_others(aws: Aws, site: Site) -> None:
    """A type of DynamoDB's future stays visible, so that a filter of that type is malformed, not absent."""
    site.json({"Items": [{"desired_logs": {"XX": ["a"]}}, {"enabled": {"BOOL": False}}]})
    rows = await aws.tenant_rows("tenants").of("acme")
    assert rows[1] == {"enabled": False}
    assert isinstance(rows[0]["desired_logs"], dict)
    assert rows[0]["desired_logs"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", Unavailable),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", Throttled),
        ("com.amazon.coral.service#AccessDeniedException", AccessRefused),
        ("com.amazonaws.dynamodb.v20120810#InternalServerError", Unavailable),
    ],
)
async def test_a_refusal_is_one_of_ours(aws: Aws, site: Site, code: str, expected: type[LogfanoutError]) -> None:
    """The table is down: the last good copy serves."""
    site.json({"__type": code, "message": "no"}, status=500 if code.endswith("Error") else 400)
    with pytest.raises(LogfanoutError, match="Query tenants for acme") as caught:
        await aws.tenant_rows("tenants").of("acme")
    assert type(caught.value) is expected


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"Items": [{"a": "S"}]}'])
async def test_an_answer_that_is_not_dynamodbs_is_unavailable(aws: Aws, site: Site, body: bytes) -> None:
    """From a proxy on the way: never a tenant without rows."""
    site.play(Answer(body=body))
    with pytest.raises(Unavailable, match="not DynamoDB's"):
        await aws.tenant_rows("tenants").of("acme")

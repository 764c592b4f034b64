"""Do rows come as they are, all of them?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.aws import Aws
from logfanout.aws.tenant_table import UNREADABLE, _plain
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "x"}, "x"),
        ({"N": "1772452800"}, 1_772_452_800),
        ({"N": "1.5"}, 1.5),
        ({"N": "1E+2"}, 100.0),
        ({"BOOL": True}, True),
        ({"NULL": True}, None),
        ({"SS": ["a", "b"]}, {"a", "b"}),
        ({"NS": ["1", "2.5"]}, {1, 2.5}),
        ({"B": "eA=="}, b"eA=="),
        ({"L": [{"S": "a"}, {"L": []}]}, ["a", []]),
        ({"M": {"a": {"N": "1"}}}, {"a": 1}),
        ({}, {UNREADABLE: {}}),
        ({"XX": ["a"]}, {UNREADABLE: {"XX": ["a"]}}),
    ],
)
def test_values_become_plain_python(value: dict[str, object], expected: object) -> None:
    """What we do not know is neither absent nor empty."""
    assert _plain(value) == expected


@given(st.recursive(st.text() | st.integers() | st.booleans(), lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_nested_values_survive(value: object) -> None:
    """As they were stored."""

    def stored(each: object) -> dict[str, object]:
        match each:
            case bool():
                return {"BOOL": each}
            case int():
                return {"N": str(each)}
            case list():
                return {"L": [stored(inner) for inner in each]}
            case _:
                return {"S": each}

    assert _plain(stored(value)) == value

"""Do we read the time off any answer of STS's, and what SQS and DynamoDB say of themselves?"""

from typing import Any

import pytest

from logfanout.aws import Aws, told
from logfanout.aws.inspection import StsIdentity
from logfanout.errors import AccessRefused, CredentialsExpired, Unavailable
from logfanout.testing.site import Answer, Site

WHO = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn>
<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
LATE = b"""<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20260302T110000Z is now
earlier than 20260302T115500Z (20260302T120000Z - 5 min.)</Message></Error></ErrorResponse>"""
NOON = 1_772_452_800
DATE = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}


@pytest.mark.parametrize(("status", "body"), [(200, WHO), (403, LATE)], ids=("a yes", "a no"))
async def test_the_time_is_on_any_answer(aws: Aws, site: Site, status: int, body: bytes) -> None:
    """A refusal's too, which a wrong clock brings about."""
    site.play(Answer(status=status, body=body, headers=DATE))
    identity = StsIdentity(aws._sts, now_seconds=lambda: NOON - 3600.0)
    assert await identity.clock_ahead_seconds() == -3600


async def test_an_answer_may_be_without_a_time(aws: Aws, site: Site) -> None:
    """Or with one that nobody can read."""
    site.play(Answer(body=WHO, headers={"Date": "noon"}))
    assert await aws.identity().clock_ahead_seconds() is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InvalidClientTokenId", CredentialsExpired),
        ("ExpiredToken", CredentialsExpired),
        ("AccessDenied", AccessRefused),
    ],
)
async def test_credentials_nobody_takes(aws: Aws, site: Site, code: str, expected: type[Exception]) -> None:
    """They are one of our errors."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    site.play(Answer(status=403, body=body.encode()))
    with pytest.raises(expected, match="GetCallerIdentity"):
        await aws.identity().caller()


async def test_no_answer_is_unavailable(aws: Aws, site: Site) -> None:
    """And says nothing about our clock."""
    site.play(Answer(reset=True))
    with pytest.raises(Unavailable):
        await aws.identity().clock_ahead_seconds()


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ({"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}, "ttl"),
        ({"TimeToLiveStatus": "ENABLING", "AttributeName": "ttl"}, "ttl"),
        ({"TimeToLiveStatus": "DISABLING", "AttributeName": "ttl"}, ""),
        ({"TimeToLiveStatus": "DISABLED"}, ""),
    ],
)
async def test_a_table_forgets_while_its_expiry_is_on(aws: Aws, site: Site, description: Any, expected: str) -> None:
    """Or about to be."""
    site.json({"TimeToLiveDescription": description})
    assert await aws.inspection().expiry_attribute("ledger") == expected


async def test_a_code_in_no_table_is_told_without_what_aws_quotes(aws: Aws, site: Site) -> None:
    """The request's own header, here."""
    fault = {"__type": "IncompleteSignatureException", "message": "Authorization=AKIDTASK"}
    site.json(fault, status=400)
    with pytest.raises(Exception, match="IncompleteSignature") as caught:
        await aws.inspection().expiry_attribute("ledger")
    assert "AKIDTASK" not in told(caught.value)
    assert told(caught.value).startswith("DescribeTimeToLive: IncompleteSignatureException")

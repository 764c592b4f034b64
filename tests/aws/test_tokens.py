"""Who asks for whose role?"""

import asyncio
from urllib.parse import parse_qs

import pytest

from logfanout.aws import Aws
from logfanout.errors import (
    AccessRefused,
    CredentialsExpired,
    DestinationUnusable,
    LogfanoutError,
    Throttled,
    Unavailable,
)
from logfanout.ports import Assumption, Credentials
from logfanout.testing.site import Answer, Request, Site

ROLE = "arn:aws:iam::111122223333:role/customer"
WANTED = Assumption(
    role_arn=ROLE, session_name="logfanout-acme", external_id="ext-1", session_tags=(("tenant", "acme"),)
)


def given(key: str) -> Answer:
    """STS's answer with a session *key*."""
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>sec</SecretAccessKey><SessionToken>tok</SessionToken>
    <Expiration>2026-03-02T13:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    return Answer(body=body.encode())


def error(code: str) -> bytes:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()


def form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


async def test_the_first_hop_is_asked_for_by_the_task(aws: Aws, site: Site) -> None:
    """One hour, which is what a chained session lasts."""
    site.play(given("ASIAHOP1"))
    plain = Assumption(role_arn=ROLE, session_name="logfanout-acme")
    session = await aws.tokens().assume(plain, using=None)
    assert session == Credentials(access_key="ASIAHOP1", secret_key="sec", token="tok", expires_ms=1_772_456_400_000)
    assert site.requests[0].access_key == "AKIDTASK"
    asked = form(site.requests[0])
    assert (asked["RoleArn"], asked["RoleSessionName"], asked["DurationSeconds"]) == (ROLE, "logfanout-acme", "3600")
    assert "ExternalId" not in asked
    assert not any(name.startswith("Tags") for name in asked)


async def test_the_second_hop_is_asked_for_by_the_first_session(aws: Aws, site: Site, session: Credentials) -> None:
    """With the external id and the tags the tenant wants."""
    site.play(given("ASIAHOP2"))
    await aws.tokens().assume(WANTED, using=session)
    assert site.requests[0].access_key == "ASIATENANT"
    assert site.requests[0].headers["x-amz-security-token"] == "tok3n"
    asked = form(site.requests[0])
    assert (asked["ExternalId"], asked["Tags.member.1.Key"], asked["Tags.member.1.Value"]) == (
        "ext-1",
        "tenant",
        "acme",
    )


async def test_assumptions_side_by_side_do_not_mix(aws: Aws, site: Site) -> None:
    """One client serves them all; each request bears its own caller's signature."""

    def answer(request: Request) -> Answer:
        return given(f"FOR-{form(request)['RoleSessionName']}-BY-{request.access_key}")

    site.rule(answer)
    tokens = aws.tokens()

    async def one(n: int) -> str:
        by = Credentials(access_key=f"ASIA{n}", secret_key="s", token="t", expires_ms=0) if n % 5 else None
        wanted = Assumption(role_arn=ROLE, session_name=f"s-{n}")
        return (await tokens.assume(wanted, using=by)).access_key

    found = await asyncio.gather(*(one(n) for n in range(40)))
    assert found == [f"FOR-s-{n}-BY-{f'ASIA{n}' if n % 5 else 'AKIDTASK'}" for n in range(40)]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "AccessDenied", AccessRefused),
        (403, "ExpiredToken", CredentialsExpired),
        (400, "ExpiredTokenException", CredentialsExpired),
        (403, "InvalidClientTokenId", CredentialsExpired),
        (403, "RegionDisabledException", AccessRefused),
        (400, "ValidationError", DestinationUnusable),
        (400, "PackedPolicyTooLarge", DestinationUnusable),
        (400, "Throttling", Throttled),
        (503, "ServiceUnavailable", Unavailable),
    ],
)
async def test_a_refusal_names_the_role(
    aws: Aws, site: Site, status: int, code: str, expected: type[LogfanoutError]
) -> None:
    """A denial is the owner's, a malformed ARN the row's."""
    site.play(Answer(status=status, body=error(code)))
    with pytest.raises(LogfanoutError, match=f"AssumeRole {ROLE} as logfanout-acme: {code}") as caught:
        await aws.tokens().assume(WANTED, using=None)
    assert type(caught.value) is expected


async def test_the_tasks_own_account(aws: Aws, site: Site) -> None:
    """The default external id."""
    body = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
    <Arn>arn:aws:iam::999999999999:role/r</Arn><Account>999999999999</Account></GetCallerIdentityResult>
    </GetCallerIdentityResponse>"""
    site.play(Answer(body=body.encode()))
    assert await aws.tokens().account_id() == "999999999999"


async def test_a_connection_that_ended_is_asked_once_more(aws: Aws, site: Site) -> None:
    """A role assumed twice is no harm."""
    site.play(Answer(reset=True), given("ASIAHOP1"))
    assert (await aws.tokens().assume(WANTED, using=None)).access_key == "ASIAHOP1"


async def test_an_answer_that_is_not_sts_is_unavailable(aws: Aws, site: Site) -> None:
    """From a proxy on the way: never a session without a key."""
    site.play(Answer(body=b"<html>welcome</html>"))
    with pytest.raises(Unavailable, match="not STS's"):
        await aws.tokens().assume(WANTED, using=None)

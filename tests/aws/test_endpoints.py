"""Are our addresses the SDK's?"""

import asyncio
from pathlib import Path

import pytest
from aiobotocore.session import AioSession

from logfanout.aws.endpoints import MOST_REMEMBERED, Endpoints, Once
from logfanout.errors import DestinationUnusable, ObjectGone

ACCESS_POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint/logs"


def endpoints(region: str = "eu-west-1") -> Endpoints:
    """Endpoints of the environment as it is now."""
    return Endpoints(AioSession(), region=region)


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://logs.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "https://logs.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "https://logs.cn-north-1.amazonaws.com.cn"),
    ],
)
async def test_every_partition_has_its_own_address(environment: pytest.MonkeyPatch, region: str, url: str) -> None:
    """A tenant may be in any region of the partition."""
    found = await endpoints().of("logs", region)
    assert (found.url, found.region, found.path, found.proxy) == (url, region, "/", None)
    assert found.host == url.removeprefix("https://")


async def test_fips_and_dual_stack_are_honoured(environment: pytest.MonkeyPatch) -> None:
    """The hand-signed calls go where the SDK's go."""
    environment.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert (await endpoints().of("logs", "us-east-1")).url == "https://logs-fips.us-east-1.amazonaws.com"
    environment.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    found = await endpoints().of_bucket("logs-of-all", region="us-east-1")
    assert found.host == "logs-of-all.s3-fips.dualstack.us-east-1.amazonaws.com"


async def test_an_override_for_all_or_one_service(environment: pytest.MonkeyPatch) -> None:
    """The narrower variable wins; a default port is not part of the Host header."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4570")
    environment.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://logs.test:80/base/")
    found = await endpoints().of("logs", "us-east-1")
    assert (found.url, found.host, found.path) == ("http://logs.test:80/base", "logs.test", "/base")
    bucket = await endpoints().of_bucket("b-1")
    assert (bucket.url, bucket.host, bucket.path) == ("http://127.0.0.1:4570/b-1", "127.0.0.1:4570", "/b-1")


async def test_a_profile_may_name_the_endpoint(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Configuration files count as the environment does."""
    config = tmp_path / "config"
    config.write_text("[profile p]\nregion = eu-north-1\nendpoint_url = http://localhost:4566\n")
    environment.setenv("AWS_CONFIG_FILE", str(config))
    environment.setenv("AWS_PROFILE", "p")
    assert (await endpoints().of("logs", "us-east-1")).url == "http://localhost:4566"


@pytest.mark.parametrize(
    ("bucket", "region", "url"),
    [
        ("logs-of-all", "", "https://logs-of-all.s3.eu-west-1.amazonaws.com"),
        ("with.dots", "", "https://s3.eu-west-1.amazonaws.com/with.dots"),
        ("logs-of-all", "us-east-1", "https://logs-of-all.s3.amazonaws.com"),
        ("logs-of-all", "cn-north-1", "https://logs-of-all.s3.cn-north-1.amazonaws.com.cn"),
        (ACCESS_POINT, "", "https://logs-123456789012.s3-accesspoint.us-west-2.amazonaws.com"),
    ],
)
async def test_a_bucket_is_addressed_as_the_sdk_does(
    environment: pytest.MonkeyPatch, bucket: str, region: str, url: str
) -> None:
    """Virtual host, path style for dots, access points: whatever botocore prepares."""
    assert (await endpoints().of_bucket(bucket, region=region)).url == url


async def test_an_access_point_is_signed_for_its_own_region(environment: pytest.MonkeyPatch) -> None:
    """Not for the worker's."""
    assert (await endpoints().of_bucket(ACCESS_POINT)).region == "us-west-2"


@pytest.mark.parametrize("bucket", ["a/b", "x@evil.test", "", "arn:aws:s3:junk", "b--use1-az4--x-s3", "ü"])
async def test_a_hostile_bucket_name_reaches_nobody(environment: pytest.MonkeyPatch, bucket: str) -> None:
    """A notice that names an impossible bucket is about an object that is not there."""
    with pytest.raises(ObjectGone):
        await endpoints().of_bucket(bucket)


async def test_a_malformed_region_is_the_rows_fault(environment: pytest.MonkeyPatch) -> None:
    """A tenant's row with a region that is none cannot be followed."""
    with pytest.raises(DestinationUnusable, match="eu west 1"):
        await endpoints().of("logs", "eu west 1")


async def test_the_proxy_is_the_environments(environment: pytest.MonkeyPatch) -> None:
    """As botocore has it: by scheme, and not for hosts in NO_PROXY."""
    environment.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    environment.setenv("NO_PROXY", ".eu-west-1.amazonaws.com")
    assert (await endpoints().of("logs", "us-east-1")).proxy == "http://proxy.test:3128"
    assert (await endpoints().of("logs", "eu-west-1")).proxy is None


async def test_each_question_is_asked_once() -> None:
    """Callers side by side wait for one answer; a failure is not remembered."""
    asked: list[str] = []

    async def ask(key: str) -> str:
        asked.append(key)
        await asyncio.sleep(0)
        if len(asked) == 1:
            raise ConnectionError
        return key.upper()

    once = Once(ask)
    with pytest.raises(ConnectionError):
        await once.get("a")
    assert await asyncio.gather(*(once.get("a") for _ in range(5))) == ["A"] * 5
    assert asked == ["a", "a"]


async def test_memory_for_answers_is_bounded() -> None:
    """The oldest answer goes."""

    async def ask(key: int) -> str:
        return str(key)

    once = Once(ask)
    for key in range(MOST_REMEMBERED + 1):
        await once.get(key)
    assert repr(once) == f"<Once {MOST_REMEMBERED} known>"

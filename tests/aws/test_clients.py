"""Is what the operator set honoured, and what is missing named?"""

import asyncio
import shutil
import ssl
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import MetadataRetrievalError

from logfanout.aws import AwsNotSetUp, open_aws
from logfanout.aws.clients import TaskCredentials
from logfanout.errors import Unavailable
from logfanout.ports import ObjectRef
from logfanout.testing.site import Answer, Site


async def test_a_missing_region_is_named(environment: pytest.MonkeyPatch) -> None:
    """Not found out at the first call."""
    environment.delenv("AWS_REGION")
    with pytest.raises(AwsNotSetUp, match="AWS_REGION"):
        async with open_aws():
            pass


@pytest.mark.parametrize("variables", [{"AWS_REGION": "eu-west-3"}, {"AWS_DEFAULT_REGION": "eu-west-3"}])
async def test_the_region_has_two_names(environment: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """ECS sets the first, botocore reads the second."""
    environment.delenv("AWS_REGION")
    for name, value in variables.items():
        environment.setenv(name, value)
    async with open_aws() as aws:
        assert aws.region == "eu-west-3"
    async with open_aws(region="us-gov-east-1") as aws:
        assert aws.region == "us-gov-east-1"


async def test_missing_credentials_are_named(environment: pytest.MonkeyPatch) -> None:
    """Not found out at the first call."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AwsNotSetUp, match="No AWS credentials"):
        async with open_aws():
            pass


async def test_a_profile_gives_region_and_credentials(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As with every tool of AWS's."""
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    config = tmp_path / "config"
    config.write_text("[profile p]\nregion = eu-north-1\naws_access_key_id = AKIAP\naws_secret_access_key = s\n")
    environment.setenv("AWS_CONFIG_FILE", str(config))
    environment.setenv("AWS_PROFILE", "p")
    async with open_aws() as aws:
        assert aws.region == "eu-north-1"
        assert (await aws.credentials()).access_key == "AKIAP"


async def test_a_containers_credentials_are_renewed(environment: pytest.MonkeyPatch, site: Site) -> None:
    """What is about to expire is fetched again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{site.url}/creds")
    for key, expires in (("ASIA1", "2001-01-01T00:00:00Z"), ("ASIA2", "2999-01-01T00:00:00Z")):
        site.json({"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expires})
    async with open_aws() as aws:
        assert (await aws.credentials()).access_key == "ASIA2"
        assert (await aws.credentials()).token == "t"
    assert len(site.requests) == 2


async def test_hand_signed_calls_ask_the_sdk_once_a_second() -> None:
    """A worker signs a thousand requests in one."""
    keys, clock = iter(["AKIA1", "AKIA2", "AKIA3"]), [1000.0, 1000.5, 1001.0, 1001.9, 5000.0]

    class Base:
        async def get_frozen_credentials(self) -> ReadOnlyCredentials:
            return ReadOnlyCredentials(next(keys), "task-secret", None, None)

    credentials = TaskCredentials(Base(), now_seconds=iter(clock).__next__)
    seen = [(await credentials()).access_key for _ in clock]
    assert seen == ["AKIA1", "AKIA1", "AKIA2", "AKIA2", "AKIA3"]


async def test_credentials_that_are_not_to_be_had_are_asked_for_again_at_once() -> None:
    """Nothing is remembered of a failure."""
    answers: list[Exception | ReadOnlyCredentials] = [
        MetadataRetrievalError(error_msg="503"),
        ReadOnlyCredentials("AKIA1", "task-secret", "t", None),
    ]

    class Base:
        async def get_frozen_credentials(self) -> ReadOnlyCredentials:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    credentials = TaskCredentials(Base(), now_seconds=lambda: 1000.0)
    with pytest.raises(Unavailable, match="task's own credentials"):
        await credentials()
    assert (await credentials()).access_key == "AKIA1"


async def test_nothing_secret_is_in_the_repr(environment: pytest.MonkeyPatch) -> None:
    """Whoever logs it."""
    async with open_aws() as aws:
        assert repr(aws) == "Aws(region='eu-west-1')"
        assert "task-secret" not in repr(await aws.credentials())


async def test_an_unreadable_bundle_is_named(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TLS would fail at each call otherwise."""
    environment.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(AwsNotSetUp, match=r"none\.pem"):
        async with open_aws():
            pass


async def test_our_own_bundle_is_trusted_and_only_it(
    environment: pytest.MonkeyPatch, site: Site, tmp_path: Path
) -> None:
    """Hand-signed calls honour AWS_CA_BUNDLE as the SDK does; without it a stranger's certificate is refused."""
    key, certificate = _self_signed(tmp_path)
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(certificate, key)
    site.play(Answer(body=b"x", headers={"Last-Modified": "Mon, 02 Mar 2026 12:00:00 GMT"}))
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=trust)
    async with server:
        environment.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await _read_one()
        environment.setenv("AWS_CA_BUNDLE", str(certificate))
        assert await _read_one() == b"x"


async def _read_one() -> bytes:
    async with open_aws() as aws:
        with closing(await aws.bucket().open(ObjectRef(bucket="b-1", key="k", size_bytes=1))) as body:
            return b"".join([chunk async for chunk in body.chunks])


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """Return a key and a certificate for 127.0.0.1."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    openssl = shutil.which("openssl")
    assert openssl, "this test needs the openssl program"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=site"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *made, *names], check=True, capture_output=True)
    return key, certificate

"""A server that plays AWS's answers, an environment with nothing else in it, and AWS opened against both."""

import os
import ssl
from collections.abc import AsyncIterator

import pytest
from aiobotocore.session import AioSession

from logfanout.aws import Aws, open_aws
from logfanout.aws.bucket import S3Bucket
from logfanout.aws.endpoints import Endpoint, Endpoints
from logfanout.aws.http import Http, open_http
from logfanout.aws.logs import CloudWatchLogs
from logfanout.ports import Credentials
from logfanout.testing.site import Site, open_site

REGION = "eu-west-1"
KEY = "AKIDTASK"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A server on loopback."""
    async with open_site() as opened:
        yield opened


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a task with a key and a region, and nothing else of AWS's."""
    clear_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "task-secret")
    monkeypatch.setenv("AWS_REGION", REGION)
    return monkeypatch


def clear_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take everything of AWS's out of the environment."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
async def aws(environment: pytest.MonkeyPatch, site: Site) -> AsyncIterator[Aws]:
    """AWS, opened against the site."""
    environment.setenv("AWS_ENDPOINT_URL", site.url)
    async with open_aws() as opened:
        yield opened


class SiteEndpoints(Endpoints):
    """Every service and bucket at one site, with no SDK to ask."""

    def __init__(self, site: Site) -> None:
        super().__init__(AioSession(), region=REGION)
        self._site = site

    async def of(self, service: str, region: str) -> Endpoint:
        """Return the site."""
        return Endpoint(url=self._site.url, host=self._host, path="/", region=region, proxy=None)

    async def of_bucket(self, bucket: str, *, region: str = "") -> Endpoint:
        """Return the bucket's path on the site."""
        url = f"{self._site.url}/{bucket}"
        return Endpoint(url=url, host=self._host, path=f"/{bucket}", region=region or REGION, proxy=None)

    @property
    def _host(self) -> str:
        return self._site.url.removeprefix("http://")


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """The pool of hand-signed requests."""
    async with open_http(trust=ssl.create_default_context()) as opened:
        yield opened


@pytest.fixture
def bucket(http: Http, site: Site) -> S3Bucket:
    """Every bucket, on the site."""

    async def task() -> Credentials:
        return Credentials(access_key=KEY, secret_key="task-secret", token="", expires_ms=0)

    return S3Bucket(http, endpoints=SiteEndpoints(site), credentials=task)


@pytest.fixture
def logs(http: Http, site: Site) -> CloudWatchLogs:
    """CloudWatch Logs, on the site; its pauses take no time."""

    async def pause(seconds: float) -> None:
        assert 0 <= seconds <= 2

    return CloudWatchLogs(http, endpoints=SiteEndpoints(site), pause=pause)


@pytest.fixture
def session() -> Credentials:
    """A tenant's session."""
    return Credentials(access_key="ASIATENANT", secret_key="s3cr3t", token="tok3n", expires_ms=0)

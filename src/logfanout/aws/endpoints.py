"""At which address does a service of a region answer?

    (service, region) ──► what botocore makes of it ──► Endpoint, remembered
    (bucket)          ──► what botocore makes of it ──► Endpoint of that bucket, remembered

botocore knows partitions, FIPS, dual stack, ``AWS_ENDPOINT_URL*``, profiles, proxies and how a bucket is addressed,
and changes its mind with each release: it is asked once each, and never in the hot path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import EndpointResolutionError, InvalidRegionError, ParamValidationError
from botocore.utils import get_environ_proxies, normalize_url_path

from logfanout.errors import DestinationUnusable, ObjectGone

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# A queue that anyone may write to can name any bucket; nobody has this many that matter.
MOST_REMEMBERED = 4096
# Asking for an address signs nothing that is sent, but botocore will not form a request without a key.
NO_KEY = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
PROBE_KEY = "k"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where requests go and how they are signed for it."""

    url: str  # scheme, host, port and the override's path; no slash at its end
    host: str  # as the Host header has it
    path: str  # canonical path of the URL, "/" for none
    region: str  # to sign for
    proxy: str | None


class Endpoints:
    """Addresses, as botocore resolves them from the environment and the profile."""

    def __init__(self, session: AioSession, *, region: str) -> None:
        self.region = region  # the worker's own
        self._session = session
        self._services: Once[tuple[str, str], Endpoint] = Once(self._ask_service)
        self._buckets: Once[tuple[str, str], Endpoint] = Once(self._ask_bucket)

    async def of(self, service: str, region: str) -> Endpoint:
        """Return where *service* answers in *region*.

        Raises:
            DestinationUnusable: *region* cannot be a region's name.
        """
        return await self._services.get((service, region))

    async def of_bucket(self, bucket: str, *, region: str = "") -> Endpoint:
        """Return where *bucket* answers, if it lies in *region* (empty: the worker's).

        Raises:
            ObjectGone: *bucket* cannot be a bucket's name.
        """
        return await self._buckets.get((bucket, region or self.region))

    async def _ask_service(self, asked: tuple[str, str]) -> Endpoint:
        service, region = asked
        try:
            async with self._session.create_client(service, region_name=region, **NO_KEY) as client:
                return _endpoint(client.meta.endpoint_url, region=client.meta.region_name)
        except (InvalidRegionError, EndpointResolutionError) as error:
            raise DestinationUnusable(f"{service} in region {region!r}: {error}") from error

    async def _ask_bucket(self, asked: tuple[str, str]) -> Endpoint:
        """Let the SDK prepare a GetObject and take it from its hands before it is sent."""
        bucket, region = asked
        captured: list[Any] = []

        def capture(request: Any, **_: Any) -> None:
            captured.append(request)
            raise _Captured

        async with self._session.create_client(
            "s3", region_name=region, config=AioConfig(retries={"total_max_attempts": 1}), **NO_KEY
        ) as client:
            client.meta.events.register("before-send.s3", capture)
            try:
                await client.get_object(Bucket=bucket, Key=PROBE_KEY)
            except _Captured:
                pass
            except (ParamValidationError, EndpointResolutionError, InvalidRegionError) as error:
                raise ObjectGone(f"no bucket can be named {bucket[:70]!r}") from error
        [request] = captured
        if not request.url.endswith(f"/{PROBE_KEY}"):
            # Directory buckets want a CreateSession first; they announce nothing, so no notice can name one.
            raise ObjectGone(f"the bucket {bucket!r} is of a kind that logs are not read from")
        return _endpoint(request.url.removesuffix(f"/{PROBE_KEY}"), region=_signed_region(request), s3=True)


class _Captured(Exception):
    """The SDK was about to send a request."""


class Once(Generic[K, V]):
    """Answers of an expensive question: each asked once, by one caller at a time, and remembered unless it failed."""

    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._known: dict[K, V] = {}
        self._asking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Once {len(self._known)} known>"

    async def get(self, key: K) -> V:
        """Return the answer for *key*."""
        if (known := self._known.get(key)) is not None:
            return known
        # One lock for all keys: the work is the CPU's, so side by side it would take no less time.
        async with self._asking:
            if (known := self._known.get(key)) is None:
                known = await self._ask(key)
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = known
            return known


def _endpoint(url: str, *, region: str, s3: bool = False) -> Endpoint:
    """Take *url* apart; ``host`` and ``path`` are what its signatures hold."""
    parts = urlsplit(url)
    default_port = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    # S3 signs paths as they are sent, everybody else a tidied form, encoded once more.
    path = parts.path if s3 else quote(normalize_url_path(parts.path), safe="/~")
    return Endpoint(
        url=url.rstrip("/"),
        host=host if parts.port in (None, default_port) else f"{host}:{parts.port}",
        path=path.rstrip("/") or "/",
        region=region,
        proxy=get_environ_proxies(url).get(parts.scheme),
    )


def _signed_region(request: Any) -> str:
    """The region in an Authorization header: ``Credential=key/day/region/service/aws4_request``."""
    authorization = request.headers["Authorization"]
    text = authorization.decode() if isinstance(authorization, bytes) else str(authorization)
    return text.split("Credential=", 1)[1].split("/")[2]

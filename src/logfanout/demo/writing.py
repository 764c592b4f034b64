"""Which objects are written, and what must each tenant receive of them?

    tenants, their pods, in turns ──► lines ──► object ──► bucket, as Vector's role
                                   └──► Expectation, one a tenant

Framings alternate, and every pod writes several objects when there are enough of them: two workers then meet
in one stream.
"""

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID

from logfanout.demo import pods, vector
from logfanout.demo.audit import Expectation, Place
from logfanout.demo.emulator import Emulator
from logfanout.demo.errors import DemoRefused
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT, Tenant

FRAMINGS = tuple(vector.Framing)


def expectations(tenants: Sequence[Tenant]) -> dict[str, Expectation]:
    """Return an empty expectation for each tenant, by name."""
    return {
        tenant.name: Expectation(tenant=tenant.name, place=Place(tenant.account, tenant.region, tenant.log_group))
        for tenant in tenants
    }


async def write(
    aws: Emulator, region: Region, objects: Iterator[vector.LogObject], *, into: dict[str, Expectation]
) -> AsyncGenerator[int, None]:
    """Put *objects* in turn, noting in *into* what must come of each; yield how many are written."""
    tenants = {tenant.name: tenant for tenant in region.tenants}
    shipper = await aws.assume(region.shipper_role_arn, using=PLATFORM_ACCOUNT)
    async with aws.client_of(shipper, "s3", region=HOME_REGION) as s3:
        for number, given in enumerate(objects, start=1):
            put_ms = await vector.put(s3, region.bucket, given)
            wanted = tenants[given.tenant].wants(given.application)
            expect(into[given.tenant], given, wanted=wanted, put_ms=put_ms)
            yield number


def expect(one: Expectation, given: vector.LogObject, *, wanted: bool, put_ms: int) -> None:
    """Add to *one* what *given*, put at *put_ms*, must lead to."""
    one.objects += 1
    if not wanted:
        one.withheld += len(given.events)
        return
    for event in given.events:
        one.put_ms[event].append(put_ms)


def objects(
    tenants: Sequence[Tenant], *, count: int, events: int, rng: Random, speak: pods.Speaker
) -> Iterator[vector.LogObject]:
    """Yield *count* objects of *events* lines each, tenants in turns; each ends at the time it is made."""
    cast = range(len(pods.APPLICATIONS))
    casts = [[pods.pod(tenant.name, number=n, rng=rng) for n in cast] for tenant in tenants]
    for number in range(count):
        turn, place = divmod(number, len(tenants))
        of = casts[place][turn % len(casts[place])]
        yield vector.log_object(
            of,
            pods.lines(of, events, until_ns=time.time_ns(), rng=rng, speak=speak),
            framing=FRAMINGS[turn % len(FRAMINGS)],
            unique=UUID(int=rng.getrandbits(128), version=4),
        )


def speaker(files: Sequence[Path], *, most: int) -> pods.Speaker:
    """Return who speaks for the pods: *files*, *most* lines of them at most; imitations if none is given.

    Raises:
        DemoRefused: a file cannot be read, or there is not one usable line.
    """
    if not files:
        return pods.imitate
    share = -(-most // len(files))
    lines = [line for file in files for line in _read(file, share)]
    if not lines:
        raise DemoRefused(f"No usable line in {', '.join(map(str, files))}")
    return pods.quote(lines)


def _read(file: Path, most: int) -> list[str]:
    try:
        # Split at \n alone: what else Unicode takes for a line's end belongs to the line.
        with file.open(encoding="utf-8", errors="replace", newline="\n") as opened:
            return list(islice(pods.readable(opened), most))
    except OSError as error:
        raise DemoRefused(f"Cannot read {file}: {error.strerror}") from error

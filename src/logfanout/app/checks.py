"""How do the parts become a check of tenants?

Settings, names ──► parts, opened (``app.parts``) ──► ``checking.check``, one tenant after the other
"""

from collections.abc import AsyncIterator, Sequence

from logfanout.app.parts import leaving_no_trace, opened
from logfanout.checking import Checked, Outcome, Sample, check
from logfanout.errors import LogfanoutError
from logfanout.pipeline.routes import KeyLayout
from logfanout.s3_places import object_at
from logfanout.settings import Settings


async def checked(settings: Settings, tenants: Sequence[str], *, sample: Sample | None) -> AsyncIterator[Checked]:
    """Yield what the probes of each of *tenants* showed; a tenant that is not known has failed.

    Raises:
        LogfanoutError: who we are could not be found out.
        SettingsWrong: there is no region, or there are no credentials.
    """
    async with opened(leaving_no_trace(settings)) as parts:
        world = parts.world
        for tenant in tenants:
            try:
                found = await check(
                    tenant, directory=world.directory, kinds=world.kinds, clock=world.clock, sample=sample
                )
            except LogfanoutError as error:
                found = [Checked(tenant=tenant, to="", outcome=Outcome.FAILED, why=f"{error.reason}: {error}")]
            for each in found:
                yield each


def sample_at(uri: str, settings: Settings) -> Sample:
    """Return the object *uri* names, of the tenant its key names.

    Raises:
        KeyUnreadable: the key is not of the layout.
        ValueError: *uri* names no object.
    """
    ref = object_at(uri)
    return Sample(ref=ref, key=KeyLayout.parse(settings.key_layout).read(ref.key))

"""Which objects does a list of a bucket name?

Listing ──► pages, token by token ──► ObjectRef, ObjectRef, …
"""

from collections.abc import AsyncIterator

from logfanout.ports import Listed, Listing, ObjectRef, Page
from logfanout.retrying import patiently
from logfanout.sweeping.reach import Reach


async def refs(listing: Listing, reach: Reach, *, after: str = "", page_size: int = 1000) -> AsyncIterator[ObjectRef]:
    """Yield every object *reach* holds, in the order of the keys, from behind the key *after*.

    Raises:
        Unavailable: the listing broke off.
        AccessRefused: we may not list.
    """
    token = ""
    while True:
        page: Page = await patiently()(
            listing.page, reach.bucket, prefix=reach.path, after=after, token=token, most=page_size
        )
        for listed in page.objects:
            ref = as_ref(reach.bucket, listed)
            if reach.holds(ref):
                yield ref
        if not (token := page.token):
            return


def as_ref(bucket: str, listed: Listed) -> ObjectRef:
    """Return the object *listed* names.

    A listing has no sequencer; what it says of time and content together tells one writing from the next as well.
    """
    return ObjectRef(
        bucket=bucket,
        key=listed.key,
        size_bytes=listed.size_bytes,
        sequencer=f"{listed.last_modified_ms}-{listed.etag}",
        event_ms=listed.last_modified_ms,
    )

"""How does what an object holds get to those who want it?

    S3 ──► opened, however many attempts that takes ──► inflated ──► records ──► each delivery

The object is read once, whoever wants it, and no faster than the slowest of them takes it.
"""

from collections.abc import Sequence
from typing import Any

from logfanout.destinations.kind import Delivery
from logfanout.errors import LogfanoutError, Permanent
from logfanout.pipeline.objects import Inflation, inflate
from logfanout.pipeline.records import RecordReader, Records
from logfanout.ports import Bucket, ObjectBody, ObjectRef
from logfanout.retrying import patiently

_PATIENTLY = patiently()


async def read_into(
    deliveries: Sequence[Delivery], ref: ObjectRef, *, bucket: Bucket, inflation: Inflation
) -> LogfanoutError | None:
    """Hand every record of *ref* to *deliveries*; return why the (rest of the) object cannot be read, if so.

    What was read before a corrupt place is delivered all the same: a later attempt would not read more of it.
    """
    broken: Permanent | None = None
    try:
        async with _Opened(bucket, ref) as body:
            reader = RecordReader(name=ref.uri, untimed_ms=body.last_modified_ms)
            inflated = inflate(body.chunks, inflation)
            while broken is None:
                try:
                    pieces = await anext(inflated, None)
                except Permanent as error:
                    broken, pieces = error, None
                if pieces is None:
                    break
                for records in reader.feed(*pieces):
                    if not await _taken(records, deliveries):
                        return None
            for records in reader.stop() if broken else reader.finish():
                if not await _taken(records, deliveries):
                    return None
    except LogfanoutError as error:
        return error
    return broken


async def _taken(records: Records, deliveries: Sequence[Delivery]) -> bool:
    """Hand *records* to each; ``False``: none of them can take any more."""
    if not [delivery for delivery in deliveries if delivery.failure is None]:
        return False
    for delivery in deliveries:
        await delivery.take(records)
    return True


class _Opened:
    """The block in which an object is open, however many attempts it takes to open it."""

    __slots__ = ("_block", "_bucket", "_ref")

    def __init__(self, bucket: Bucket, ref: ObjectRef) -> None:
        self._bucket = bucket
        self._ref = ref

    async def __aenter__(self) -> ObjectBody:
        body: ObjectBody = await _PATIENTLY(self._attempt)
        return body

    async def __aexit__(self, *raised: Any) -> None:
        await self._block.__aexit__(*raised)

    async def _attempt(self) -> ObjectBody:
        self._block = self._bucket.open(self._ref)
        return await self._block.__aenter__()

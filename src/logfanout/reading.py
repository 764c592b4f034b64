"""How does what an object holds get to those who want it?

    S3 ──► opened, however many attempts that takes ──► inflated ──► records ──► each delivery

The object is read once, whoever wants it, and no faster than the slowest of them takes it.
"""

import asyncio
from collections.abc import Sequence

from logfanout.destinations.kind import Delivery
from logfanout.errors import LogfanoutError, Permanent
from logfanout.pipeline.objects import Inflated, Inflation
from logfanout.pipeline.records import NOTHING_YET, RecordReader, Records
from logfanout.ports import Bucket, ObjectBody, ObjectRef
from logfanout.retrying import patiently

_PATIENTLY = patiently()


async def read_into(
    deliveries: Sequence[Delivery], ref: ObjectRef, *, bucket: Bucket, inflation: Inflation
) -> LogfanoutError | None:
    """Hand every record of *ref* to *deliveries*; return why the (rest of the) object cannot be read, if so.

    What was read before a corrupt place is delivered all the same: a later attempt would not read more of it.
    """
    try:
        body: ObjectBody = await _PATIENTLY(bucket.open, ref)
        try:
            reader = RecordReader(name=ref.uri, untimed_ms=body.last_modified_ms)
            return await _read(Inflated(body.chunks, inflation), reader, deliveries)
        finally:
            body.close()
    except LogfanoutError as error:
        return error


async def _read(inflated: Inflated, reader: RecordReader, deliveries: Sequence[Delivery]) -> Permanent | None:
    """Hand over the records in *inflated*; return why that ends before its end, if it does."""
    broken: Permanent | None = None
    while broken is None:
        try:
            pieces = await inflated.next()
        except Permanent as error:
            broken, pieces = error, ()
        if not pieces:
            break
        for records in reader.feed(*pieces):
            if not await _taken(records, deliveries):
                return None
    for records in reader.stop() if broken else reader.finish():
        if not await _taken(records, deliveries):
            return None
    return broken


async def _taken(records: Records, deliveries: Sequence[Delivery]) -> bool:
    """Hand *records* to each; ``False``: none of them can take any more."""
    if not [delivery for delivery in deliveries if delivery.failure is None]:
        return False
    if records is NOTHING_YET:
        await asyncio.sleep(0)
        return True
    for delivery in deliveries:
        await delivery.take(records)
    return True

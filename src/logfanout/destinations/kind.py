"""What must a kind of destination be able to do?

    a tenant's row ──► Kind.read ──► Destination          Shipment ──► Kind.delivery ──► Delivery

The seam between the courier, who knows objects, and what takes them. A further kind (Firehose, OTLP) is one module
here, beside ``cloudwatch``, ``s3_copies`` and ``lines``, and a line in ``app.parts`` that registers it under its type.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self, TypeVar

import msgspec

from logfanout.errors import AccessRefused, LogfanoutError
from logfanout.ledger.ranges import NOTHING, Ranges
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import KeyFields
from logfanout.ports import ObjectRef
from logfanout.tenants.rows import Destination, Fields


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One object for one destination, and what that one has of it already."""

    ref: ObjectRef
    key: KeyFields
    taken: Ranges = NOTHING
    # Raises ``LeaseLost`` once the message may be another worker's: nothing more is sent then. None: there is no lease.
    require_ours: Callable[[], None] | None = None


class Delivery(Protocol):
    """One object's way to one destination, an ``async with`` block: its end is the acknowledgement.

    No method raises for the destination's sake: ``failure`` is the first thing that went wrong, and nothing is sent
    behind it. What was taken up to then is taken. A bug on the way to the destination waits for ``account``, so that
    it does not cut off what others deliver of the same object.
    """

    reads_records: ClassVar[bool]  # if not, the object is not read for it: it is taken as it lies in its bucket

    @property
    def destination(self) -> Destination:
        """Where to."""
        ...

    @property
    def failure(self) -> LogfanoutError | None:
        """Why something is still owed; ``None``: nothing is, or not all was handed over yet."""
        ...

    @property
    def refusal(self) -> AccessRefused | None:
        """What the destination itself said, if it refused us as such: its breaker is told."""
        ...

    @property
    def accepted(self) -> bool:
        """Whether the destination has taken something in this attempt."""
        ...

    @property
    def taken(self) -> Ranges:
        """The positions that need not be sent again, those of earlier attempts among them."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *raised: Any) -> None: ...

    async def take(self, records: Records) -> None:
        """Send what *records* complete; called only if ``reads_records``, in the object's order."""
        ...

    async def finish(self) -> None:
        """Send what is left: nothing follows."""
        ...

    def account(self, *, complete: bool) -> None:
        """Report what became of the object here; *complete*: all of it was handed over that ever can be.

        Raises:
            AccountingBroken: a complete delivery without failure does not add up.
            Exception: the bug that ended it.
        """
        ...


To_contra = TypeVar("To_contra", bound=Destination, contravariant=True)


class Kind(Protocol[To_contra]):
    """One kind of destination, opened: it has what it needs to send."""

    def read(self, row: Fields) -> Destination:
        """Return the destination *row* describes.

        Raises:
            DestinationUnusable: it cannot be followed.
        """
        ...

    def delivery(self, to: To_contra, shipment: Shipment) -> Delivery:
        """Return the way of *shipment* to *to*, one of this kind's; nothing is sent before its block is entered."""
        ...

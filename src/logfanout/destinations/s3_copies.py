"""How does an object get into a tenant's bucket?

    row of type s3 ──► S3Destination ──► CopyDelivery ──► a copy S3 makes, none of it passing through here

The object is taken as it lies: unread, compressed as it is, whole. So it has one position, 0, and to repeat it is to
put the same object in the same place once more.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from typing import Any, ClassVar, Self

from logfanout import telemetry
from logfanout.destinations.kind import Shipment
from logfanout.errors import AccessRefused, CredentialsExpired, DestinationUnusable, LogfanoutError
from logfanout.ledger.ranges import Ranges
from logfanout.pipeline.records import Records
from logfanout.pipeline.routes import KeyFields
from logfanout.ports import Bucket, Clock, Copies, Copy, Credentials, ObjectFacts
from logfanout.retrying import patiently
from logfanout.s3_places import BUCKET, MOST_PREFIX_BYTES
from logfanout.tenants.credentials import CredentialCache
from logfanout.tenants.limiter import Account, Limiter
from logfanout.tenants.rows import EVERYTHING, Fields, Wanted

DEFAULT_PREFIX = "ROSA/cluster-logs/"  # CONTRACT §4
WHOLE = Ranges(((0, 1),))
# At once into one bucket: S3 takes 3,500 a second on each prefix ("Best practices design patterns"), and a copy of
# megabytes takes some 100 ms. It keeps one tenant's backlog from all connections.
COPIES_PER_BUCKET = 32

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_PREFIX = re.compile(r"[^\x00-\x1f\x7f\\]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Destination:
    """One place in one tenant's bucket."""

    kind: ClassVar[str] = "s3"

    tenant: str
    bucket: str
    prefix: str  # empty, or ends with a slash
    region: str
    wanted: Wanted = EVERYTHING
    owner: str = ""  # the account the bucket must belong to; empty: nobody has said

    @property
    def id(self) -> str:
        """The place itself: what has been copied there is remembered under this name."""
        return f"s3:{self.bucket}/{self.prefix}"

    def key_of(self, key: KeyFields) -> str:
        """Return where an object goes; the cluster it is from is the platform's business and not named."""
        return "/".join([f"{self.prefix}{key.tenant}", key.application, *([key.pod] if key.pod else []), key.file])

    def __str__(self) -> str:
        return f"bucket {self.bucket} in {self.region} under {self.prefix or '/'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Copies:
    """The kind ``s3``."""

    copies: Copies
    source: Bucket
    credentials: CredentialCache
    limiter: Limiter
    clock: Clock

    def read(self, row: Fields) -> S3Destination:
        """Return the place *row* describes."""
        return read(row)

    def delivery(self, to: S3Destination, shipment: Shipment) -> "CopyDelivery":
        """Return the way of *shipment* into *to*."""
        return CopyDelivery(to, shipment, by=self)

    async def copy(self, to: S3Destination, shipment: Shipment, facts: ObjectFacts) -> None:
        """Return once the copy lies there.

        Raises:
            LogfanoutError: it does not.
        """
        wanted = Copy(
            source=shipment.ref,
            facts=facts,
            bucket=to.bucket,
            owner=to.owner,
            region=to.region,
            key=to.key_of(shipment.key),
            metadata=metadata(shipment.key, at_ms=self.clock.epoch_ms()),
        )
        latest: Credentials | None = None

        async def session() -> Credentials | None:
            nonlocal latest
            latest = await self.credentials.central()
            return latest

        async with self.limiter.turn(Account(id=to.bucket, region=to.region)):
            try:
                await self.copies.copy(wanted, credentials=session)
            except CredentialsExpired:
                if latest is not None:
                    self.credentials.forget_central(latest)
                raise


def read(row: Fields) -> S3Destination:
    """Return the place *row* describes.

    Raises:
        DestinationUnusable: a field is missing, or has not the form AWS documents.
    """
    prefix = row.text("bucket_prefix", _PREFIX, "a prefix of printable characters", default=DEFAULT_PREFIX)
    # As the processors that these rows were written for have it.
    prefix = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    if any(segment in ("", ".", "..") for segment in prefix.split("/")[:-1]):
        raise row.unusable("bucket_prefix has an empty or a dotted segment")
    if len(prefix.encode(errors="replace")) > MOST_PREFIX_BYTES:
        raise row.unusable(f"bucket_prefix is longer than {MOST_PREFIX_BYTES} bytes")
    return S3Destination(
        tenant=row.tenant,
        bucket=row.text("bucket_name", BUCKET, "a bucket's name"),
        prefix=prefix,
        region=row.target_region(),
        wanted=row.wanted(),
        owner=row.text("bucket_owner", _ACCOUNT, "an account's id, 12 digits", default=""),
    )


def metadata(key: KeyFields, *, at_ms: int) -> Mapping[str, str]:
    """Return what the copy says of itself, in the US-ASCII that headers hold (S3 User Guide, "Object metadata")."""
    said = {"tenant-id": key.tenant, "application": key.application, "pod-name": key.pod}
    said["delivery-timestamp"] = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {name: _ascii(value) for name, value in said.items() if value}


def _ascii(value: str) -> str:
    """Return *value* as RFC 2047 writes what is no ASCII: so S3 itself gives such metadata back."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()


class CopyDelivery:
    """One object's way into one bucket; the copy is made while others read the object."""

    reads_records: ClassVar[bool] = False

    def __init__(self, destination: S3Destination, shipment: Shipment, *, by: S3Copies) -> None:
        self.destination = destination
        self.failure: LogfanoutError | None = None
        self.refusal: AccessRefused | None = None
        self.accepted = False
        self.taken = shipment.taken
        self._shipment = shipment
        self._by = by
        self._copying = asyncio.TaskGroup()
        self._bug: Exception | None = None

    def __repr__(self) -> str:
        return f"<CopyDelivery to {self.destination}: {'taken' if self.taken else 'not yet'}>"

    async def __aenter__(self) -> Self:
        await self._copying.__aenter__()
        if not self.taken:
            self._copying.create_task(self._deliver(), name=f"copy {self._shipment.ref.uri}")
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._copying.__aexit__(*raised)

    async def take(self, records: Records) -> None:
        """Not called: the object is not read for a copy."""
        raise NotImplementedError

    async def finish(self) -> None:
        """There is nothing left to send."""

    def account(self, *, complete: bool) -> None:
        """Nothing remains to be counted: an object that was not read has no events, and the copy is reported.

        Raises:
            Exception: the copy ended in a bug.
        """
        if self._bug is not None:
            raise self._bug

    async def _deliver(self) -> None:
        try:
            self._require_elsewhere()
            await patiently()(self._attempt)
        except LogfanoutError as error:
            self.failure = error
        except Exception as bug:  # noqa: BLE001  raised by ``account``: what others deliver has its end first
            self._bug = bug
        else:
            self.accepted = True
            self.taken = WHOLE

    def _require_elsewhere(self) -> None:
        """Refuse the bucket the logs come from: it would announce the copy to us as one more object."""
        if self.destination.bucket == self._shipment.ref.bucket:
            raise DestinationUnusable(
                f"tenant {self.destination.tenant!r}, row 's3': bucket_name is the bucket the logs come from"
            )

    async def _attempt(self) -> None:
        if self._shipment.require_ours is not None:
            self._shipment.require_ours()
        # With the task's own credentials: if the source is refused, that is no fault of the tenant's.
        facts = await self._by.source.describe(self._shipment.ref)
        began = asyncio.get_running_loop().time()
        outcome = "unanswered"  # cut off, or a bug of ours
        try:
            await self._by.copy(self.destination, self._shipment, facts)
            outcome = "accepted"
        except LogfanoutError as error:
            outcome = type(error).__name__
            self.refusal = error if isinstance(error, AccessRefused) else None
            raise
        finally:
            telemetry.ObjectCopied(
                outcome=outcome,
                tenant=self.destination.tenant,
                object=self._shipment.ref.uri,
                to=f"s3://{self.destination.bucket}/{self.destination.key_of(self._shipment.key)}",
                size_bytes=facts.size_bytes,
                seconds=asyncio.get_running_loop().time() - began,
            ).emit()

"""What does a bench run ask of the worker?

    Load ──► stored objects as Vector writes them, a few variants ──► keys: one a notice, each naming its variant

Records are about 1.5 kB with a message of about 370 bytes, as from a real collector. Pure but for the clock, which
their times must be near to. The same load has the same bytes but for those times.
"""

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from uuid import UUID

from logfanout.demo import pods, vector
from logfanout.demo.vector import Framing

BUCKET = "bench-logs"
MESSAGE_BYTES = 370
SPAN_SECONDS = 300  # from an object's first event to its last: collectors write one for each pod every five minutes
# What applications say again and again; one in some dozens is not ASCII, as in clusters at large.
PHRASES = (
    'Reconciled the object after its lease was renewed by the leader "kube-controller-manager"',
    "request took longer than expected, the client may have closed its watch in the meantime",
    'http: TLS handshake error from the node, remote error: "tls: bad certificate", trying again',
    "etcd applied the entry, the read index is behind by fewer entries than the threshold set",
    "Probe of the pod succeeded, its endpoints are ready and stay in the slice of the service",
    "cluster operator status is unchanged: Available=True Progressing=False Degraded=False (as expected)",
)
RARE = "der Knoten antwortet wieder \u2013 tr\u00e8s bien"
RARELY = 40
LABELS = {"app": "api", "pod-template-hash": "7c9d8b5f6"}
ANNOTATIONS = {"openshift.io/scc": "restricted-v2", "k8s.v1.cni.cncf.io/network-status": '[{"name": "ovn"}]'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Objects, and to whom and when they are announced."""

    objects: int
    records: int  # in each object, or in each gzip member of one with many
    framing: Framing = Framing.NEWLINE
    members: int = 1  # the records stand this often behind each other, each time in a gzip member of its own
    tenants: int = 1
    variants: int = 4  # different objects; the others repeat them
    every_seconds: float = 0.0  # between announcements; 0: all at once
    noisy_of: int = 0  # every so many-th announcement is the noisy tenant's; 0: there is none
    throttled: float = 0.0  # share of the noisy tenant's puts that are refused

    @property
    def events(self) -> int:
        """How many events an object holds."""
        return self.records * self.members


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One object as it lies in the bucket."""

    members: tuple[bytes, ...] = field(repr=False)  # gzip members, one behind the other; the same one may repeat
    inflated_bytes: int

    @property
    def size_bytes(self) -> int:
        """How many bytes the bucket holds."""
        return sum(map(len, self.members))


def stored(load: Load, *, variant: int) -> Stored:
    """Return the *variant*-th object of *load*; its events happened within the last minutes."""
    one = _object(load, variant)
    if load.members == 1:
        return Stored(members=(one,), inflated_bytes=len(gzip.decompress(one)))
    text = gzip.decompress(one)
    if load.framing is Framing.NEWLINE:
        return Stored(members=(one,) * load.members, inflated_bytes=len(text) * load.members)
    inner = text[1:-1]
    first, again, end = b"[" + inner, b"," + inner, b"]"
    packed = [gzip.compress(part, compresslevel=6, mtime=0) for part in (first, again, end)]
    members = (packed[0], *(packed[1],) * (load.members - 1), packed[2])
    return Stored(members=members, inflated_bytes=(len(inner) + 1) * load.members + 1)


def _object(load: Load, variant: int) -> bytes:
    rng = Random(variant)
    pod = replace(
        pods.pod("bench", number=variant, rng=rng),
        application="api",
        name="api-7c9d8b5f6-x2x9q",
        annotations=ANNOTATIONS,
        labels=LABELS,
    )
    paced = _Paced(rng, gap_ns=SPAN_SECONDS * 10**9 / load.records)
    lines = pods.lines(pod, load.records, until_ns=time.time_ns(), rng=paced, speak=_speak)  # none ahead of the clock
    return vector.log_object(pod, lines, framing=load.framing, unique=UUID(int=variant)).body


class _Paced(Random):
    """Gaps of *gap_ns* on average, whatever is asked for."""

    def __init__(self, rng: Random, *, gap_ns: float) -> None:
        super().__init__(rng.getrandbits(64))
        self._gap_ns = gap_ns

    def expovariate(self, lambd: float = 1.0) -> float:
        """Return the gap to the next line, in nanoseconds."""
        return super().expovariate(1 / self._gap_ns)


def _speak(of: pods.Pod, rng: Random, at: datetime) -> str:
    """Say what an application could say, in as many bytes as the usual message has."""
    first = rng.getrandbits(32)
    said = " ".join(PHRASES[(first >> shift) % len(PHRASES)] for shift in (0, 5, 10, 15))
    text = f"{at:%H:%M:%S.%f} {of.application} trace={rng.getrandbits(128):032x} id={first:08x}: {said}"[:MESSAGE_BYTES]
    return text + RARE if first % RARELY == 0 else text


@dataclass(frozen=True, slots=True)
class Notice:
    """One announcement: the serial is in the pod's name, and so in its stream's."""

    serial: int
    tenant: int
    variant: int

    @property
    def key(self) -> str:
        """The object's key, of the default layout."""
        return f"{tenant_id(self.tenant)}/prod/api/pod{self.serial}/{self.serial}-v{self.variant}.log.gz"


NOISY = 0  # the tenant that is throttled


def notices(load: Load, *, first: int, count: int) -> Iterator[Notice]:
    """Yield *count* announcements with serials from *first* on; tenants take turns."""
    for serial in range(first, first + count):
        noisy = load.noisy_of and serial % load.noisy_of == 0
        quiet = serial % load.tenants
        if load.noisy_of:
            quiet = 1 + (serial - serial // load.noisy_of) % (load.tenants - 1)  # counted without the noisy ones
        yield Notice(serial, NOISY if noisy else quiet, serial % load.variants)


def tenant_id(tenant: int) -> str:
    """Return the name of a tenant, as keys and rows have it."""
    return f"tenant-{tenant:05d}"


def account_id(tenant: int) -> str:
    """Return the account of a tenant."""
    return str(200_000_000_000 + tenant)


def group_name(tenant: int) -> str:
    """Return the log group of a tenant."""
    return f"/bench/{tenant_id(tenant)}"

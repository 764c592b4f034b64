"""Who writes logs in a tenant's clusters, and what have they written just now?

    (tenant, number) ──► Pod ──► (Line, ...) ──► Event: what must arrive in CloudWatch

Pure and deterministic: the same *rng* and the same moment give the same lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, cycle
from random import Random
from typing import NamedTuple

import orjson

from logfanout.demo.voices import VOICES, Message

APPLICATIONS = tuple(VOICES)
CLUSTERS = ("prod", "stage")
SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes builds pod names from

# Vector's kubernetes_logs throws longer lines away (its max_line_bytes).
LONGEST_LINE_BYTES = 32_768

Speaker = Callable[["Pod", Random, datetime], Message]


class Event(NamedTuple):
    """What CloudWatch must show for one line."""

    at_ms: int  # epoch; cut, not rounded
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One record as it leaves the container runtime."""

    at_ns: int  # epoch
    message: Message

    @property
    def event(self) -> Event:
        """The line as it must arrive: a string as it is, anything else as its JSON text."""
        if isinstance(self.message, str):
            return Event(self.at_ns // 1_000_000, self.message)
        text = orjson.dumps(self.message, option=orjson.OPT_SORT_KEYS).decode()
        return Event(self.at_ns // 1_000_000, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod, as the Kubernetes API describes it to Vector."""

    tenant: str
    cluster: str
    namespace: str
    application: str
    name: str
    uid: str
    node: str
    ip: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def pod(tenant: str, *, number: int, rng: Random) -> Pod:
    """Return the *number*-th pod of *tenant*: applications and clusters take turns."""
    application = APPLICATIONS[number % len(APPLICATIONS)]
    cluster = f"{tenant}-{CLUSTERS[number % len(CLUSTERS)]}"
    template = "".join(rng.choices(SUFFIX_ALPHABET, k=9))
    return Pod(
        tenant=tenant,
        cluster=cluster,
        namespace=f"hosted-{cluster}",
        application=application,
        name=f"{application}-{template}-{''.join(rng.choices(SUFFIX_ALPHABET, k=5))}",
        uid=f"{rng.getrandbits(128):032x}",
        node=f"ip-10-0-{rng.randrange(256)}-{rng.randrange(256)}.ec2.internal",
        ip=f"10.128.{rng.randrange(256)}.{rng.randrange(256)}",
        labels={
            "app": application,
            "pod-template-hash": template,
            "hypershift.openshift.io/hosted-control-plane": cluster,
        },
        annotations={
            "openshift.io/scc": "restricted-v2",
            # Annotations hold JSON in strings, which a naive search for "message" stumbles over.
            "k8s.v1.cni.cncf.io/network-status": '[{"name": "ovn", "message": "caf\u00e9 \\"up\\""}]',
        },
    )


def lines(of: Pod, count: int, *, until_ns: int, rng: Random, speak: Speaker) -> tuple[Line, ...]:
    """Return what *of* wrote last: *count* lines in time order, the last at *until_ns*, some at once."""
    gaps = [0 if rng.random() < 0.05 else int(rng.expovariate(1 / 100_000_000)) for _ in range(count)]
    moments = accumulate(gaps, initial=until_ns - sum(gaps))
    next(moments)
    return tuple(Line(at_ns, speak(of, rng, _utc(at_ns))) for at_ns in moments)


def imitate(of: Pod, rng: Random, at: datetime) -> Message:
    """Say something the pod's application could say."""
    return rng.choice(VOICES[of.application])(rng, at)


def quote(given: Sequence[str]) -> Speaker:
    """Return a speaker that says *given* in order, again from the start when it has said all."""
    said: Iterator[str] = cycle(given)
    return lambda _of, _rng, _at: next(said)


def readable(given: Iterator[str]) -> Iterator[str]:
    """Yield the lines of *given* that Vector would send on, without their ends."""
    for line in given:
        text = line.rstrip("\r\n")
        # An empty message is skipped by the fleet, and so cannot be looked for at the other end.
        if text and len(text.encode()) <= LONGEST_LINE_BYTES:
            yield text


def _utc(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // 1000 / 1_000_000, tz=UTC)

"""What does Vector's aws_s3 sink leave in the bucket?

    Pod + lines ──► records ──► newline_delimited | one JSON array ──► gzip ──► {key_prefix}{%s}-{uuid}.log.gz

Follows Vector's documentation of the ``kubernetes_logs`` source (fields), of the ``json`` codec with both
framings in use (its default joins the events of an object to one array on one line), and of the sink's
``key_prefix``, ``filename_time_format = "%s"``, ``filename_append_uuid`` and ``compression = "gzip"``.
Pure but for ``put``.
"""

import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from logfanout.demo.pods import Event, Line, Pod


class Framing(StrEnum):
    """How the events of one object are held together; named as Vector's ``framing.method``."""

    NEWLINE = "newline_delimited"
    ARRAY = "character_delimited"  # the default for JSON: "[", commas, "]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogObject:
    """One object, ready to be put, with what must come of it."""

    tenant: str
    application: str
    key: str
    body: bytes = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)


def log_object(of: Pod, lines: Sequence[Line], *, framing: Framing, unique: UUID) -> LogObject:
    """Return the object Vector would make of *lines*, named for the second of the last one."""
    seconds = lines[-1].at_ns // 1_000_000_000 if lines else 0
    return LogObject(
        tenant=of.tenant,
        application=of.application,
        key=f"{of.tenant}/{of.cluster}/{of.application}/{of.name}/{seconds}-{unique}.log.gz",
        body=gzip.compress(_framed([_record(of, line) for line in lines], framing), compresslevel=6, mtime=0),
        events=tuple(line.event for line in lines),
    )


async def put(s3: Any, bucket: str, given: LogObject) -> int:
    """Store *given* with the headers Vector sends; return when that began, in epoch milliseconds."""
    began_ms = time.time_ns() // 1_000_000
    await s3.put_object(
        Bucket=bucket,
        Key=given.key,
        Body=given.body,
        ContentEncoding="gzip",
        ContentType="text/x-log",
    )
    return began_ms


def rfc3339(at_ns: int) -> str:
    """Return *at_ns* as Vector writes a time: UTC, nine digits; six, three or none if the rest are zero."""
    seconds, nanoseconds = divmod(at_ns, 1_000_000_000)
    fraction = f"{nanoseconds:09d}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    point = "." if fraction else ""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}{point}{fraction}Z"


def _framed(records: Sequence[bytes], framing: Framing) -> bytes:
    if framing is Framing.ARRAY:
        return b"[" + b",".join(records) + b"]"
    return b"".join(record + b"\n" for record in records)


def _record(of: Pod, line: Line) -> bytes:
    """One event as Vector's JSON codec writes it: compact, UTF-8, its keys sorted."""
    labels, annotations = of.labels, of.annotations
    return orjson.dumps(
        {
            "application": of.application,
            "cluster_id": of.cluster,
            "customer_id": of.tenant,
            "file": f"/var/log/pods/{of.namespace}_{of.name}_{of.uid}/{of.application}/0.log",
            "ingest_timestamp": rfc3339(line.at_ns),
            "kubernetes": {
                "container_id": f"cri-o://{of.uid}{of.uid}",
                "container_image": f"registry.example.com/{of.application}:1.4",
                "container_name": of.application,
                "namespace_labels": {"kubernetes.io/metadata.name": of.namespace},
                "pod_annotations": annotations,
                "pod_ip": of.ip,
                "pod_ips": [of.ip],
                "pod_labels": labels,
                "pod_name": of.name,
                "pod_namespace": of.namespace,
                "pod_node_name": of.node,
                "pod_owner": f"ReplicaSet/{of.name.rpartition('-')[0]}",
                "pod_uid": of.uid,
            },
            "message": line.message,
            "namespace": of.namespace,
            "pod_name": of.name,
            "source_type": "kubernetes_logs",
            "stream": "stderr",
            "timestamp": rfc3339(line.at_ns),
        },
        option=orjson.OPT_SORT_KEYS,
    )

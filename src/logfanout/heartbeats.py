"""Is the first mile whole, though nobody has anything to say?

    key ──► of the reserved tenant? ──► cluster, node, and when S3 got it ──► counted, and delivered to nobody

Every node's collector writes an object of its own under a reserved tenant, whatever the pods do. That it arrived here
shows that files were read, that S3 took the object and told the queue, and that somebody receives. Its content says no
more, so it is not fetched. Pure but for the report.
"""

from logfanout import telemetry
from logfanout.pipeline.routes import KeyFields
from logfanout.ports import ObjectRef


def taken(ref: ObjectRef, key: KeyFields, *, tenant: str, now_ms: int) -> bool:
    """Report *ref* if it is a collector's heartbeat, and return whether it is.

    *tenant* is the name reserved for them. Where the notice does not say when S3 got the object, *now_ms* counts.
    """
    if key.tenant != tenant:
        return False
    telemetry.HeartbeatReceived(cluster=key.cluster, node=key.pod, at_ms=ref.event_ms or now_ms, object=ref.uri).emit()
    return True

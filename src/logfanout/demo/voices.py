"""What do the containers of such clusters write?

    application ──► its voices ──► one message a call: a string, or JSON that some transform has parsed

Imitations of klog, kube-apiserver's audit log, zap, Go's standard log, logback and Python's logging, with the
traces, escapes and alphabets that break log pipelines. Pure: everything comes from *rng* and *at*.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random

Message = str | Mapping[str, object]
Voice = Callable[[Random, datetime], Message]

RESOURCES = ("pods", "secrets", "configmaps", "leases", "endpointslices", "nodes", "deployments")
VERBS = ("get", "list", "watch", "update", "patch", "create", "delete")
PATHS = (
    "/api/cart",
    "/api/pay/authorise",
    "/healthz",
    '/search?q="dup" \\ 50%25',
    "/caf\u00e9/men\u00fc",
    "/\u691c\u7d22?q=\u6771\u4eac",
)
PHRASES = (
    "r\u00e9servation confirm\u00e9e \u2014 total 12,50\u00a0\u20ac",
    "\u3054\u6ce8\u6587\u3042\u308a\u304c\u3068\u3046\u3054\u3056\u3044\u307e\u3059 \U0001f389",
    "\u0437\u0430\u043a\u0430\u0437 \u043f\u0440\u0438\u043d\u044f\u0442",
    "family \U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 joined, e\u0301 is not \u00e9",
    "\u0645\u0631\u062d\u0628\u0627 \u200fright to left",
    'C:\\Users\\app\\new\\table "quoted \\"twice\\"" \u2028 after a line separator',
    "\x1b[32mINFO\x1b[0m colours,\ttabs and a bell \x07",
)


def klog(rng: Random, at: datetime) -> str:
    """Return a line as klog writes it: severity, month and day, time to the microsecond, thread, place."""
    severity = rng.choices("IWE", weights=(90, 7, 3))[0]
    resource, elapsed = rng.choice(RESOURCES), rng.randrange(1, 9_000)
    said = rng.choice(
        (
            f'"Observed a slow request" verb="LIST" resource="{resource}" elapsed="{elapsed}ms"',
            f'Get "https://10.0.0.1/api/v1/{resource}?limit={elapsed}": dial tcp 10.0.0.1:443: i/o timeout',
            f'"Synced" controller="{resource}" key="openshift-{rng.randrange(99)}/{resource}-{elapsed}"',
        )
    )
    place = f"{rng.choice(('controller', 'trace', 'reflector', 'wrap'))}.go:{rng.randrange(40, 900)}"
    return f"{severity}{at:%m%d %H:%M:%S.%f} {rng.randrange(1, 99):7d} {place}] {said}"


def audit(rng: Random, at: datetime) -> str:
    """Return an audit.k8s.io/v1 event: JSON, but a string to everyone on its way."""
    resource, verb, moment = rng.choice(RESOURCES), rng.choice(VERBS), f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
    return json.dumps(
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": f"{rng.getrandbits(128):032x}",
            "stage": "ResponseComplete",
            "requestURI": f"/api/v1/namespaces/default/{resource}/n-{rng.randrange(1000)}",
            "verb": verb,
            "user": {"username": f"system:node:ip-10-0-{rng.randrange(256)}-7", "groups": ["system:nodes"]},
            "sourceIPs": [f"10.0.{rng.randrange(256)}.{rng.randrange(256)}"],
            "objectRef": {"resource": resource, "namespace": "default", "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": rng.choice((200, 200, 200, 201, 404, 409))},
            "requestReceivedTimestamp": moment,
            "stageTimestamp": moment,
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
        },
        separators=(",", ":"),
    )


def zap(rng: Random, at: datetime) -> str:
    """Return a line as etcd's zap logger writes it."""
    size = rng.randrange(1, 99_999)
    return json.dumps(
        {
            "level": rng.choice(("info", "warn")),
            "ts": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "caller": f"mvcc/kvstore_compaction.go:{rng.randrange(40, 90)}",
            "msg": "finished scheduled compaction",
            "compact-revision": size,
            "took": f"{rng.random() * 90:.6f}ms",
            "hash": rng.getrandbits(32),
        }
    )


def go_standard(rng: Random, at: datetime) -> str:
    """Return a line of Go's log package, now and then a panic with its goroutine."""
    if rng.random() > 0.03:
        verb, path = rng.choice(("GET", "POST")), rng.choice(PATHS)
        return f"{at:%Y/%m/%d %H:%M:%S} {verb} {path} {rng.randrange(1, 900)}ms"
    return (
        f"panic: runtime error: index out of range [{rng.randrange(9)}] with length 0\n\n"
        f"goroutine {rng.randrange(1, 4000)} [running]:\n"
        f"main.(*Ledger).Post(0xc{rng.getrandbits(36):09x}, {{0x0, 0x0}})\n"
        f"\t/src/ledger/post.go:{rng.randrange(20, 400)} +0x1a5\n"
        "main.main()\n\t/src/main.go:41 +0x2b\nexit status 2"
    )


def java(rng: Random, at: datetime) -> str:
    """Return a line of logback, now and then an exception with its causes."""
    head = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d} [http-nio-8080-exec-{rng.randrange(1, 200)}]"
    if rng.random() > 0.06:
        said = f"authorised {rng.randrange(10**8)} \u2014 {rng.choice(PHRASES)}"
        return f"{head} INFO  com.example.payments.Gateway - {said}"
    frames = "".join(
        f"\n\tat com.example.payments.{name}.handle({name}.java:{rng.randrange(10, 900)})"
        for name in rng.sample(("Gateway", "Router", "Retry", "Tls", "Pool", "Filter"), 4)
    )
    return (
        f"{head} ERROR com.example.payments.Gateway - payment {rng.randrange(10**8)} failed\n"
        f'java.lang.IllegalStateException: upstream said "502 Bad Gateway"{frames}\n'
        "Caused by: java.net.SocketTimeoutException: Read timed out\n"
        f"\t... {rng.randrange(5, 60)} common frames omitted"
    )


def python(rng: Random, at: datetime) -> str:
    """Return a line of Python's logging, now and then a traceback."""
    head = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
    if rng.random() > 0.05:
        return f"{head} INFO worker.tasks: task {rng.getrandbits(64):016x} done: {rng.choice(PHRASES)}"
    return (
        f"{head} ERROR worker.tasks: task {rng.getrandbits(64):016x} failed\n"
        "Traceback (most recent call last):\n"
        f'  File "/app/worker/tasks.py", line {rng.randrange(10, 400)}, in run\n'
        "    return self.steps[name](**payload)\n"
        "           ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        f"KeyError: 'caf\u00e9_{rng.randrange(999)}'"
    )


def access(rng: Random, at: datetime) -> Message:
    """Return an access log entry: mostly a line, now and then the object a transform has made of it."""
    address, path = f"203.0.113.{rng.randrange(256)}", rng.choice(PATHS)
    status, size = rng.choice((200, 200, 204, 301, 404, 500)), rng.randrange(90_000)
    if rng.random() < 0.1:
        return {
            "remote_addr": address,
            "request": {"method": "GET", "path": path, "tls": True},
            "status": status,
            "bytes": size,
            "note": rng.choice(PHRASES),
            "referer": None,
            "tags": ["edge", "\u6771\u4eac"],
        }
    head = f"{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000]"
    return f'{head} "GET {path} HTTP/2.0" {status} {size} "-" "curl/8.9"'


VOICES: Mapping[str, Sequence[Voice]] = {
    "kube-apiserver": (klog, audit),
    "kube-controller-manager": (klog,),
    "etcd": (zap,),
    "payments": (java,),
    "ledger-api": (go_standard,),
    "mail-worker": (python,),
    "storefront": (access,),
}

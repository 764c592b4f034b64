"""Under which name is an object remembered?

    bucket, key, version, sequencer ──► digest of fixed length

Pure. Keys are hostile: as long and as strange as S3 allows. A digest bounds what an entry costs, and what is
remembered of one tenant's object cannot be reached from another's key.
"""

from hashlib import blake2b

from logfanout.ports import ObjectRef

DIGEST_BYTES = 20  # 160 bits: nobody finds a second object with the digest of a given one
# S3 calls every object of a bucket without versions so: it tells nothing apart.
NO_VERSION = frozenset({"", "null"})


def object_id(ref: ObjectRef) -> str:
    """Return the name of one writing of one object: 40 hexadecimal digits.

    The same notification twice gives the same name, the next writing of the same key another one: told by its
    version or its sequencer, or, where the notice says neither, by when it happened and how large it is. A *ref* that
    says nothing of all this is named by its place alone, so that a later writing is taken for the same.
    """
    version = "" if ref.version_id in NO_VERSION else ref.version_id
    parts = [ref.bucket, ref.key, version, ref.sequencer]
    if not version and not ref.sequencer:
        parts += [str(ref.event_ms), str(ref.size_bytes)]
    named: list[bytes] = []
    for part in parts:
        data = part.encode(errors="surrogatepass")
        # With its length ahead, since a key may hold any separator.
        named += len(data).to_bytes(4, "big"), data
    return blake2b(b"".join(named), digest_size=DIGEST_BYTES).hexdigest()

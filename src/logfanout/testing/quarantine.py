"""What is in quarantine?

put ──► records, by where they came from
"""

import json
from typing import Any

from logfanout.ports import ObjectRef
from logfanout.s3_places import S3Place
from logfanout.testing.line import Line


class FakeQuarantine(Line):
    """A place in S3 for records that can never be delivered. Calls are told apart by the name that is put."""

    def __init__(self, uri: str = "s3://central-quarantine/records/") -> None:
        super().__init__()
        self.kept: dict[str, bytes] = {}  # by the URI that ``put`` returned
        self._place = S3Place.parse_below_a_prefix(uri)

    def __repr__(self) -> str:
        return f"<FakeQuarantine {self._place} {len(self.kept)} objects>"

    async def put(self, name: str, body: bytes) -> str:
        """Keep *body* under *name*, replacing what is there; return its URI."""
        async with self._call("put", name):
            uri = f"{self._place}{name}"
            self.kept[uri] = body
            return uri

    def holds(self, ref: ObjectRef) -> bool:
        """Whether *ref* lies where quarantined records are kept."""
        return self._place.holds(ref)

    def records(self) -> list[Any]:
        """Return every record that is kept, decoded, in the order of their coming."""
        return [json.loads(line) for body in self.kept.values() for line in body.splitlines()]

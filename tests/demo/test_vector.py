"""Objects are what Vector's aws_s3 sink would have left."""

import gzip
import json
import re
from datetime import datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.demo import pods, vector
from logfanout.demo.emulator import Emulator
from logfanout.demo.pods import Line
from logfanout.demo.region import Region
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT
from logfanout.demo.vector import Framing

POD = pods.pod("harbor", number=0, rng=Random(0))
UNIQUE = UUID("6e6ff0ce-77a8-4fbc-a6d4-29f5b8dbd4a5")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.text(min_size=1) | st.dictionaries(st.text(), json_values, min_size=1, max_size=4)
lines = st.lists(st.builds(Line, st.integers(0, 2**62), messages), min_size=1, max_size=20)


def records(body: bytes, framing: Framing) -> list[dict[str, object]]:
    """Read *body* back by the letter of its framing."""
    text = gzip.decompress(body).decode()
    if framing is Framing.ARRAY:
        assert "\n" not in text
        return list(json.loads(text))
    assert text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


@given(lines, st.sampled_from(Framing))
def test_an_object_holds_every_line_as_it_was(written: list[Line], framing: Framing) -> None:
    """Both framings give back every message and, to the nanosecond, every time, in order."""
    made = vector.log_object(POD, written, framing=framing, unique=UNIQUE)
    read = records(made.body, framing)
    assert [record["message"] for record in read] == [line.message for line in written]
    assert [nanoseconds(str(record["timestamp"])) for record in read] == [line.at_ns for line in written]
    assert made.events == tuple(line.event for line in written)


def nanoseconds(text: str) -> int:
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return round(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)


def test_the_key_is_the_prefix_the_second_and_a_uuid() -> None:
    """As ``key_prefix``, ``filename_time_format = "%s"`` and ``filename_append_uuid`` make it."""
    made = vector.log_object(POD, [Line(1_756_553_221_999_999_999, "x")], framing=Framing.NEWLINE, unique=UNIQUE)
    assert made.key == f"harbor/harbor-prod/kube-apiserver/{POD.name}/1756553221-{UNIQUE}.log.gz"
    assert re.fullmatch(r"kube-apiserver-[a-z0-9]{9}-[a-z0-9]{5}", POD.name)


def test_a_record_has_the_fields_of_the_kubernetes_source() -> None:
    """The pipeline's own fields on top, Vector's enrichment under ``kubernetes``, keys sorted."""
    made = vector.log_object(POD, [Line(0, "x")], framing=Framing.ARRAY, unique=UNIQUE)
    (record,) = records(made.body, Framing.ARRAY)
    assert list(record) == [
        "application",
        "cluster_id",
        "customer_id",
        "file",
        "ingest_timestamp",
        "kubernetes",
        "message",
        "namespace",
        "pod_name",
        "source_type",
        "stream",
        "timestamp",
    ]
    assert (record["customer_id"], record["application"]) == ("harbor", "kube-apiserver")
    enriched = record["kubernetes"]
    assert isinstance(enriched, dict)
    assert enriched["pod_labels"]["app"] == "kube-apiserver"
    assert "openshift.io/scc" in enriched["pod_annotations"]


@pytest.mark.parametrize(
    ("at_ns", "written"),
    [
        (1_602_759_706_499_555_308, "2020-10-15T11:01:46.499555308Z"),
        (1_602_759_706_499_555_000, "2020-10-15T11:01:46.499555Z"),
        (1_602_759_706_490_000_000, "2020-10-15T11:01:46.490Z"),
        (1_602_759_706_000_000_000, "2020-10-15T11:01:46Z"),
    ],
)
def test_times_have_as_many_digits_as_they_need(at_ns: int, written: str) -> None:
    """Nine digits as a rule, and by threes fewer where the rest are zero."""
    assert vector.rfc3339(at_ns) == written


@pytest.mark.emulator
async def test_an_object_is_stored_with_vectors_headers(aws: Emulator, region: Region) -> None:
    """Gzip is announced as Content-Encoding, which a client must not take as leave to inflate behind our back."""
    made = vector.log_object(POD, [Line(0, "x")], framing=Framing.NEWLINE, unique=UNIQUE)
    shipper = await aws.assume(region.shipper_role_arn, using=PLATFORM_ACCOUNT)
    async with aws.client_of(shipper, "s3", region=HOME_REGION) as s3:
        await vector.put(s3, region.bucket, made)
    task = await aws.assume(region.task_role_arn, using=PLATFORM_ACCOUNT)
    async with aws.client_of(task, "s3", region=HOME_REGION) as s3:
        answer = await s3.get_object(Bucket=region.bucket, Key=made.key)
        assert (answer["ContentEncoding"], answer["ContentType"]) == ("gzip", "text/x-log")
        assert await answer["Body"].read() == made.body

"""Does AWS's own signer sign what we sign?"""

import logging
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.utils import percent_encode
from hypothesis import given
from hypothesis import strategies as st

from logfanout.aws.signing import EMPTY_HASH, Scope, Unsigned, encoded, encoded_value, signed
from logfanout.ports import Credentials

AT_SECONDS = 1_772_452_800.25

access_keys = st.from_regex(r"A[SK]IA[A-Z0-9]{16}", fullmatch=True)
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
tokens = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9/+=]{10,200}", fullmatch=True))
sessions = st.builds(Credentials, access_key=access_keys, secret_key=secrets, token=tokens, expires_ms=st.just(0))
regions = st.sampled_from(["us-east-1", "eu-central-2", "us-gov-west-1", "cn-north-1"])
keys = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.lists(st.sampled_from(["..", ".", "", "a+b", "%2F", "%", "é", "日本", " ", "~", "*", "?", "#"]), min_size=1).map(
        "/".join
    ),
).filter(bool)
bodies = st.binary(max_size=200)


@pytest.fixture(autouse=True)
def at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle takes no time as an argument."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.fromtimestamp(int(AT_SECONDS), UTC))


def oracle(kind: type[botocore.auth.SigV4Auth], request: AWSRequest, by: Credentials, scope: Scope) -> dict[str, str]:
    """Return the headers botocore would send, names in lower case."""
    frozen = ReadOnlyCredentials(by.access_key, by.secret_key, by.token or None)
    kind(frozen, scope.service, scope.region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(by=sessions, region=regions, key=keys, version=st.one_of(st.just(""), keys))
def test_an_object_is_asked_for_as_the_sdk_asks(by: Credentials, region: str, key: str, version: str) -> None:
    """Whatever the key holds, the signature is botocore's for the URL botocore would send."""
    scope = Scope(region=region, service="s3")
    path = f"/{encoded(key)}"
    query = f"versionId={encoded_value(version)}" if version else ""
    url = f"https://logs.s3.amazonaws.com{path}" + (f"?{query}" if query else "")
    unsigned = Unsigned(
        method="GET", host="logs.s3.amazonaws.com", path=path, query=query, headers={}, body_hash=EMPTY_HASH
    )
    ours = signed(unsigned, by=by, scope=scope, at_seconds=AT_SECONDS)
    theirs = oracle(botocore.auth.S3SigV4Auth, AWSRequest(method="GET", url=url), by, scope)
    assert {name: value for name, value in ours.items() if name != "host"} == theirs
    assert urlsplit(url).path == path


@given(by=sessions, region=regions, body=bodies)
def test_a_batch_is_signed_as_the_sdk_signs(by: Credentials, region: str, body: bytes) -> None:
    """The body's hash, content type and target are part of the signature."""
    scope = Scope(region=region, service="logs")
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.PutLogEvents"}
    request = AWSRequest(method="POST", url="http://127.0.0.1:4570/", data=body, headers=dict(headers))
    # botocore signs this header only where it is sent; logs accepts it, and its value is the body's hash anyway.
    request.headers["x-amz-content-sha256"] = hash_of(body)
    theirs = oracle(botocore.auth.SigV4Auth, request, by, scope)
    unsigned = Unsigned(method="POST", host="127.0.0.1:4570", path="/", headers=headers, body_hash=hash_of(body))
    ours = signed(unsigned, by=by, scope=scope, at_seconds=AT_SECONDS)
    assert {name: value for name, value in ours.items() if name != "host"} == theirs


@given(key=keys)
def test_keys_are_encoded_as_the_sdk_encodes_them(key: str) -> None:
    """Slashes and unreserved characters stay; nothing is normalised."""
    assert encoded(key) == percent_encode(key, safe="/~")


def test_the_day_changes_the_key() -> None:
    """A remembered key is not used past midnight, UTC."""
    unsigned = Unsigned(method="GET", host="h", path="/", headers={}, body_hash=EMPTY_HASH)
    by = Credentials(access_key="AKIA", secret_key="s", token="", expires_ms=0)
    before, after = (
        signed(unsigned, by=by, scope=Scope(region="r", service="s3"), at_seconds=at)["authorization"]
        for at in (86_399.9, 86_400.0)
    )
    assert "19700101/r" in before
    assert "19700102/r" in after


def test_nothing_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Signing logs nothing, and credentials do not show their secret."""
    by = Credentials(access_key="AKIA", secret_key="hush", token="hush", expires_ms=0)
    with caplog.at_level(logging.DEBUG):
        signed(
            Unsigned(method="GET", host="h", path="/", headers={}, body_hash=EMPTY_HASH),
            by=by,
            scope=Scope(region="r", service="s3"),
            at_seconds=AT_SECONDS,
        )
    assert "hush" not in repr(by) + caplog.text


def hash_of(body: bytes) -> str:
    """The hex SHA-256."""
    return sha256(body).hexdigest()

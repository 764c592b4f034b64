"""An AWS on loopback behind TLS: what the region's policies refuse over plain HTTP works here.

MiniStack with its authorisation and its certificate on ──► botocore clients, Terraform, workers
"""

import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from logfanout.demo import emulator
from logfanout.demo.emulator import Session, free_port, tail

START_SECONDS = 60.0  # it takes two; openssl makes a key first, and a loaded CI machine may take some


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsAws:
    """Where it is, and whose certificate it shows."""

    endpoint_url: str
    certificate: Path

    def client(self, service: str, *, region: str, by: Session | str) -> Any:
        """Return a client that acts as a session or, if *by* is an account, as its root."""
        session = root_of(by) if isinstance(by, str) else by
        made = botocore.session.Session({"config_file": (None, None, os.devnull, None)})
        return made.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            verify=str(self.certificate),
            aws_access_key_id=session.access_key,
            aws_secret_access_key=session.secret_key,
            aws_session_token=session.token or None,
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def environment(self, session: Session, *, region: str) -> dict[str, str]:
        """Return what a program is told to be *session* here, and nothing of the caller's own AWS."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME", "PYTHONPATH")}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": session.access_key,
            "AWS_SECRET_ACCESS_KEY": session.secret_key,
            "AWS_SESSION_TOKEN": session.token,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def assume(self, role_arn: str, *, by: Session | str) -> Session:
        """Return a session of *role_arn*; raises botocore's ``ClientError`` where a policy or a trust says no."""
        sts = self.client("sts", region="us-east-1", by=by)
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return Session(
            access_key=given["AccessKeyId"], secret_key=given["SecretAccessKey"], token=given["SessionToken"]
        )


def root_of(account: str) -> Session:
    """Return the root of *account*."""
    return emulator._root_of(account)


@contextmanager
def tls_aws(folder: Path) -> Iterator[TlsAws]:
    """Run it for the length of the block; its files lie in *folder*."""
    port, log = free_port(), folder / "aws.log"
    certificate = folder / "ministack-tls" / "server.crt"
    # As the demo's, over TLS: what it is told is one list.
    environment = emulator._environment(port, str(folder)) | {"USE_SSL": "1"}
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            [sys.executable, "-m", "logfanout.demo.lifeline", str(folder / "lifeline")],
            stdin=subprocess.PIPE,  # it ends when this end is closed
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        ) as process,
    ):
        try:
            _until_healthy(process, f"https://127.0.0.1:{port}", certificate, log)
            yield TlsAws(endpoint_url=f"https://127.0.0.1:{port}", certificate=certificate)
        finally:
            process.kill()


def _until_healthy(process: subprocess.Popen[bytes], url: str, certificate: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"The AWS on loopback ended.\n{tail(log)}"
        try:
            trusted = ssl.create_default_context(cafile=str(certificate))
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5, context=trusted):  # noqa: S310  loopback
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise AssertionError(f"The AWS on loopback did not answer.\n{tail(log)}")

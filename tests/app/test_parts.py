"""What only reads rows reads them as the fleet does."""

import os

import pytest

from logfanout.app.parts import READERS, opened
from logfanout.settings import Settings
from logfanout.tenants.rows import Fields

ROWS = {
    "cloudwatch": {"log_distribution_role_arn": "arn:aws:iam::111122223333:role/r", "log_group_name": "/g"},
    "s3": {"bucket_name": "acme-archive"},
}


async def test_every_kind_of_the_fleets_has_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that is added to one is added to the other."""
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    settings = Settings.model_validate({"LOGFANOUT_EXTERNAL_ID": "given-so-that-nobody-is-asked"})
    async with opened(settings) as parts:
        kinds = parts.world.kinds
        assert kinds.keys() == READERS.keys() == ROWS.keys()
        for name, row in ROWS.items():
            fields = Fields(row={"type": name, **row}, tenant="acme", region="eu-west-1")
            assert kinds[name].read(fields) == READERS[name].read(fields)

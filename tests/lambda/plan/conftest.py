"""The environment of the plan function."""

import pytest

from spine.shipped import load
from tests.planning import ENVIRONMENT
from tests.support import FakeS3, use_clients


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    """The function's environment, and an empty S3."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # No test asks a server on the internet how large its file is.
    monkeypatch.setattr(load("common.fetch").Web, "size", lambda _self, _uri: 9_000)
    found = FakeS3()
    use_clients(monkeypatch, s3=found)
    return found

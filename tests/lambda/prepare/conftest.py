"""The S3 of the preparing function."""

import pytest

from tests.preparing import CONTENT
from tests.support import FakeS3, use_clients


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    """An S3 with the sample, and the function's environment."""
    fake = FakeS3()
    fake.put_object(Bucket="runs-bucket", Key="uploads/sample.arff", Body=CONTENT)
    use_clients(monkeypatch, s3=fake)
    monkeypatch.setenv("SOURCE_HOSTS", "archive.ics.uci.edu, DATA.example")
    return fake

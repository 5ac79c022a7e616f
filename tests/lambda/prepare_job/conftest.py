"""The S3 of a preparation job."""

import pytest

from tests.preparing import RUN, Store
from tests.support import SAMPLE, use_clients


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """An S3 with a source, and the job's environment."""
    found = Store()
    use_clients(monkeypatch, s3=found)
    found.put_object(Bucket="bucket", Key="uploads/a.arff", Body=SAMPLE.read_bytes())
    monkeypatch.setenv("ORDER", f"s3://bucket/{RUN}/preparation/plan.json")
    monkeypatch.setenv("RESULT", f"s3://bucket/{RUN}/preparation/r-1-0-0.json")
    return found

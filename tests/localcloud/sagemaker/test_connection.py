"""Clients of the services beside SageMaker."""

from pathlib import Path

from localcloud.sagemaker.connection import Connection
from localcloud.sagemaker.logs import Logs
from localcloud.sagemaker.metrics import Metrics
from localcloud.sagemaker.settings import Settings


def test_nothing_is_sent_to_aws_itself(tmp_path: Path) -> None:
    """Without an endpoint no client is made: the account's logs are left alone."""
    connection = Connection(Settings(jobs=tmp_path))
    logs = Logs(connection)
    path = tmp_path / "log"
    path.write_text("line\n")
    tail = logs.follow(path, "group", "stream")
    tail.finish()
    Metrics(connection).put("job", {"train:auc": [1.0]})
    assert connection.client("logs") is None
    assert connection.client("cloudwatch") is None

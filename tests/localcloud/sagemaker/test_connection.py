"""Clients of the services beside SageMaker."""

from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import connection as module
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


def test_a_client_is_made_once_and_signs_with_the_keys_of_the_settings(tmp_path: Path) -> None:
    """At the endpoint and in the region of the settings, whatever the environment says."""
    connection = Connection(
        Settings(
            jobs=tmp_path,
            aws_endpoint="http://127.0.0.1:9",
            access_key_id="AKIALOCAL",
            secret_access_key="local-secret",
            region="eu-west-3",
        )
    )
    client = connection.client("logs")
    assert connection.client("logs") is client
    assert connection.client("cloudwatch") is not client
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "eu-west-3"
    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.secret_key, credentials.token) == (
        "AKIALOCAL",
        "local-secret",
        None,
    )


def test_an_endpoint_that_does_not_answer_is_given_up_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs and metrics must not hold up a job for boto3's usual minutes."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(module, "make_client", lambda service, **options: asked.update(options))
    Connection(Settings(jobs=tmp_path, aws_endpoint="http://127.0.0.1:9")).client("logs")
    config = asked["config"]
    longest = config.retries["max_attempts"] * (config.connect_timeout + config.read_timeout)
    assert longest <= 24

"""What the state machine calls to clean up."""

import json

import pytest

from spine.shipped import load
from tests.fake_sagemaker import FakeSageMaker
from tests.leftovers import leave
from tests.support import use_clients

cleanup = load("cleanup.handler")


def test_the_handler_cleans_up_and_reports(
    sagemaker: FakeSageMaker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The state machine gets what was deleted, and so does the log."""
    sagemaker.deletion = 0
    run = leave(sagemaker, "one")
    use_clients(monkeypatch, sagemaker=sagemaker)
    done = cleanup.handler({"run_name": run, "delete_model": False}, None)
    assert done["deleted"] == {"endpoints": [run], "endpoint_configs": [run], "models": []}
    assert json.loads(capsys.readouterr().out) == {"event": "run cleaned up", "run": run, **done}


def test_the_handler_deletes_the_model_when_it_is_told_to(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run that failed or missed its gate does."""
    sagemaker.deletion = 0
    run = leave(sagemaker, "one")
    use_clients(monkeypatch, sagemaker=sagemaker)
    done = cleanup.handler({"run_name": run, "delete_model": True}, None)
    assert done["deleted"]["models"] == [run]
    assert sagemaker.names("model") == set()


def test_the_handler_waits_ten_seconds_and_leaves_the_rest_to_retries(
    sagemaker: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that sleeps is paid for; the state machine waits for nothing."""
    sagemaker.deletion = 3600
    run = leave(sagemaker, "one")
    use_clients(monkeypatch, sagemaker=sagemaker)
    monkeypatch.setattr("time.sleep", sagemaker.sleep)
    with pytest.raises(Exception, match="is Deleting") as raised:
        cleanup.handler({"run_name": run, "delete_model": False}, None)
    assert type(raised.value).__name__ == "EndpointBusyError"
    assert sagemaker.now == 10

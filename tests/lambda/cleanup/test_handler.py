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

"""Deploy, compare and remove with the real CDK command line, on a cloud of its own."""

from pathlib import Path
from typing import Any

import pytest

import localcloud
from localcloud.gateway import faults
from tests.e2e.conftest import deployed, eventually, spine
from tests.reliability.single_faults import start
from tests.support import ROOT

pytestmark = pytest.mark.e2e


def test_deploying_comparing_and_removing(tmp_path: Path) -> None:
    """A second look finds no change, and removal stops what runs and takes along what was left."""
    try:
        app = deployed(tmp_path)
        assert not localcloud.diff(app.cloud, app_dir=ROOT, context={"functions": "local"})
        output = app.run(endpoint={"keep": True}, batch_transform={"enabled": True})
        assert output["endpoint"]["left"]
        assert app.left()["endpoints"]
        # One is in the middle of its work, and would be for longer than the removal takes.
        held: dict[str, Any] = {
            "service": "sagemaker",
            "operation": "DescribeTrainingJob",
            "fault": "hang",
        }
        held |= {"every": 1, "containing": "running-x", "seconds": 120}
        faults.post(app.cloud, {"faults": [held]})
        running = start(app, "running-x")
        eventually(lambda: "Train the model" in app.states(running), "a run to train")

        done = spine(tmp_path, "destroy")
        assert done.returncode == 0, done.stdout + done.stderr
        assert app.left() == {}
        assert app.models() == []
        stopped = app.describe(running)
        assert (stopped["status"], stopped["cause"]) == (
            "ABORTED",
            "The deployment is being removed.",
        )
        stacks = app.cloud.client("cloudformation").list_stacks(
            StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"]
        )
        names = [each["StackName"] for each in stacks["StackSummaries"]]
        assert not [name for name in names if name.startswith("spine-")]
        buckets = app.cloud.client("s3").list_buckets()["Buckets"]
        assert not [each for each in buckets if each["Name"].startswith("spine-")]
    finally:
        assert spine(tmp_path, "down").returncode == 0
    assert localcloud.running(tmp_path) is None

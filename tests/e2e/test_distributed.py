"""The whole pipeline with training on several instances."""

import pytest

from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.e2e


def test_training_on_two_instances(app: Deployment) -> None:
    """`training.instance_count` 2 trains in two processes; the run is as good and as complete."""
    output = app.run(training={"instance_count": 2}, endpoint={"enabled": False})

    sagemaker = app.cloud.client("sagemaker")
    name = output["artifacts"]["model"].split("/model/")[1].split("/")[0]
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert output["quality_gate"]["passed"] is True
    assert output["metrics"]["rows"] > 0
    streams = app.cloud.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["logStreams"]
    hosts = sorted(stream["logStreamName"].split("/")[1][:6] for stream in streams)
    assert hosts == ["algo-1", "algo-2"]
    assert app.left() == {}

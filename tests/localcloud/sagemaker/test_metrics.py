"""What a training job has measured is in CloudWatch."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.session import Session
from botocore.validate import validate_parameters

from localcloud.sagemaker.metrics import Metrics
from tests.localcloud.sagemaker.cloud import Cloud


def test_a_training_job_s_metrics_are_in_cloudwatch(cloud: Cloud, s3_url: str) -> None:
    """By the names its description defines, under the job's name, every round counted."""
    job = cloud.describe_training("trained")
    defined = {
        each["Name"]: each["Regex"] for each in job["AlgorithmSpecification"]["MetricDefinitions"]
    }
    log = (cloud.jobs / "training-job" / "trained" / "log").read_text().splitlines()
    found = [re.fullmatch(defined["validation:auc"], line) for line in log]
    values = [float(match[1]) for match in found if match]
    assert len(values) == 42
    client: Any = boto3.client(
        "cloudwatch",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    points = client.get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="validation:auc",
        Dimensions=[{"Name": "TrainingJobName", "Value": "trained"}],
        StartTime=job["CreationTime"] - timedelta(minutes=60),
        EndTime=job["TrainingEndTime"] + timedelta(minutes=60),
        Period=7200,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in points) == 42
    total = sum(point["SampleCount"] * point["Average"] for point in points)
    assert total == pytest.approx(sum(values))


class _Connection:
    """Connections to a CloudWatch that notes what it is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def client(self, service: str) -> "_Connection":
        assert service == "cloudwatch"
        return self

    def put_metric_data(self, **request: Any) -> None:
        model = Session().get_service_model("cloudwatch").operation_model("PutMetricData")
        assert model.input_shape is not None
        validate_parameters(request, model.input_shape)
        self.sent.append(request)


@pytest.mark.parametrize(
    ("found", "statistics"),
    [
        ({}, []),
        (
            {"train:auc": [0.5, 0.75, 0.625], "validation:auc": [0.25]},
            [
                ("train:auc", {"SampleCount": 3, "Sum": 1.875, "Minimum": 0.5, "Maximum": 0.75}),
                (
                    "validation:auc",
                    {"SampleCount": 1, "Sum": 0.25, "Minimum": 0.25, "Maximum": 0.25},
                ),
            ],
        ),
    ],
)
def test_values_of_one_look_are_one_point_of_each_metric(
    found: Mapping[str, Sequence[float]], statistics: list[tuple[str, dict[str, float]]]
) -> None:
    """Under the job's name, in one request; where nothing was logged, none is sent."""
    connection: Any = _Connection()
    Metrics(connection).put("job-1", found)
    data = [each for request in connection.sent for each in request["MetricData"]]
    assert [(each["MetricName"], each["StatisticValues"]) for each in data] == statistics
    assert len(connection.sent) == bool(found)
    for each in data:
        assert each["Dimensions"] == [{"Name": "TrainingJobName", "Value": "job-1"}]

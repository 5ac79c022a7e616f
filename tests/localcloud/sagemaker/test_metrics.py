"""What a training job has measured is in CloudWatch."""

import re
from datetime import timedelta
from typing import Any

import boto3
import pytest

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

"""What CreateTrainingJob refuses beyond the service model, and what a description adds."""

from tests.localcloud.sagemaker.cloud import (
    Cloud,
    refused,
)


def test_spot_needs_a_longest_wait(cloud: Cloud) -> None:
    """Managed spot training needs MaxWaitTimeInSeconds, at least the runtime; others may not."""
    wait = {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 50}
    for changes in (
        {"EnableManagedSpotTraining": True},
        {"EnableManagedSpotTraining": True, "StoppingCondition": wait},
        {"StoppingCondition": wait},
    ):
        _, message = refused(
            lambda changes=changes: cloud.start_training("spotty", **changes)  # type: ignore[misc]
        )
        assert "MaxWaitTimeInSeconds" in message


def test_a_volume_beyond_the_quota_of_a_new_account_is_refused(cloud: Cloud) -> None:
    """1,024 GB for a training job's instance; the message names what was asked for."""
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1025}
    code, message = refused(lambda: cloud.start_training("wide", ResourceConfig=resources))
    assert code == "ResourceLimitExceeded"
    assert "1025 GB" in message
    assert "1024 GB" in message

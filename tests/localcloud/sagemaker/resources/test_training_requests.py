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

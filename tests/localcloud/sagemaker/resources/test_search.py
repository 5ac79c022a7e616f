"""Searching for training jobs."""

import pytest

from tests.localcloud.sagemaker.cloud import Cloud, refused


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("ModelArtifacts.S3ModelArtifacts", "Equals", "ARTIFACT")], True),
        ([("TrainingJobName", "Contains", "raine"), ("TrainingJobStatus", "In", "Failed")], False),
        ([("FailureReason", "NotExists", None), ("TrainingJobName", "Equals", "trained")], True),
        ([("TrainingJobName", "NotEquals", "trained")], False),
        ([("HyperParameters.num_round", "Equals", "42"), ("Tags.stage", "Exists", None)], False),
    ],
)
def test_training_jobs_are_found_by_their_members(
    cloud: Cloud, filters: list[tuple[str, str, str | None]], found: bool
) -> None:
    """Search looks at what DescribeTrainingJob shows, and at tags."""
    artifact = cloud.describe_training("trained")["ModelArtifacts"]["S3ModelArtifacts"]
    given = [
        {"Name": name, "Operator": operator}
        | ({"Value": value.replace("ARTIFACT", artifact)} if value else {})
        for name, operator, value in filters
    ]
    pages = cloud.sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob", SearchExpression={"Filters": given}
    )
    names = [each["TrainingJob"]["TrainingJobName"] for page in pages for each in page["Results"]]
    assert ("trained" in names) == found


def test_search_says_what_it_does_not_offer(cloud: Cloud) -> None:
    """Other resources and nested filters are refused by name."""
    _, message = refused(lambda: cloud.sagemaker.search(Resource="ModelCard"))
    assert "Resource 'ModelCard' of Search is not available locally" in message
    inner = {"Name": "ChannelName", "Value": "train"}
    nested = {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": [inner]}]}
    _, message = refused(
        lambda: cloud.sagemaker.search(Resource="TrainingJob", SearchExpression=nested)
    )
    assert "NestedFilters" in message

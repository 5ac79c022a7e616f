"""Lists, pages and tags."""

from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import Cloud, refused

NAMES = ["page-c", "page-a", "page-e", "page-b", "page-d"]


@pytest.fixture(scope="module")
def models(cloud: Cloud) -> list[str]:
    """Five models, made in this order."""
    for name in NAMES:
        cloud.create_model(name, job="trained")
    return NAMES


def names(cloud: Cloud, **options: Any) -> list[str]:
    """The names that ListModels gives for these models, page after page."""
    pages = cloud.sagemaker.get_paginator("list_models").paginate(NameContains="page-", **options)
    return [model["ModelName"] for page in pages for model in page["Models"]]


def test_lists_are_sorted_as_asked(cloud: Cloud, models: list[str]) -> None:
    """Newest first by default; by name and in either order when asked."""
    assert names(cloud) == NAMES[::-1]
    assert names(cloud, SortOrder="Ascending") == NAMES
    assert names(cloud, SortBy="Name", SortOrder="Ascending") == sorted(NAMES)
    assert names(cloud, SortBy="Name", SortOrder="Descending") == sorted(NAMES)[::-1]


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_hold_everything_once(cloud: Cloud, models: list[str], size: int, order: str) -> None:
    """Pages of any size show each item once and in order."""
    options = {"SortBy": "Name", "SortOrder": order}
    assert names(cloud, PaginationConfig={"PageSize": size}, **options) == sorted(
        NAMES, reverse=order == "Descending"
    )


def test_deleting_between_pages_skips_nothing(cloud: Cloud) -> None:
    """A page goes on after the last item shown, whether that still exists or not."""
    for name in ("sweep-1", "sweep-2", "sweep-3"):
        cloud.create_model(name, job="trained")
    seen, token = [], None
    while True:
        more: dict[str, str] = {"NextToken": token} if token else {}
        page = cloud.sagemaker.list_models(NameContains="sweep-", MaxResults=1, **more)
        for model in page["Models"]:
            seen.append(model["ModelName"])
            cloud.sagemaker.delete_model(ModelName=model["ModelName"])
        token = page.get("NextToken")
        if token is None:
            break
    assert seen == ["sweep-3", "sweep-2", "sweep-1"]


def test_a_false_token_is_refused(cloud: Cloud) -> None:
    """A NextToken that was never given is refused."""
    assert refused(lambda: cloud.sagemaker.list_models(NextToken="x!"))[0] == "ValidationException"


def test_lists_filter_by_status_and_time(cloud: Cloud) -> None:
    """StatusEquals and the time limits choose; training jobs come oldest first."""
    cloud.train("filter-good")
    cloud.train("filter-bad", HyperParameters={})

    def listed(**options: Any) -> list[str]:
        answer = cloud.sagemaker.list_training_jobs(NameContains="FILTER", **options)
        return [job["TrainingJobName"] for job in answer["TrainingJobSummaries"]]

    created = cloud.describe_training("filter-bad")["CreationTime"]
    assert listed() == ["filter-good", "filter-bad"]
    assert listed(StatusEquals="Failed") == ["filter-bad"]
    assert listed(CreationTimeBefore=created) == ["filter-good"]
    assert listed(CreationTimeAfter=created) == []


def test_summaries_hold_what_the_service_models(cloud: Cloud, endpoint: str) -> None:
    """A summary has the members of the service's own summary and no other."""
    jobs = cloud.sagemaker.list_training_jobs(NameContains="trained")["TrainingJobSummaries"]
    assert jobs[0].keys() == {
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    }
    endpoints = cloud.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
    assert endpoints[0].keys() == {
        "EndpointName",
        "EndpointArn",
        "CreationTime",
        "LastModifiedTime",
        "EndpointStatus",
    }
    configs = cloud.sagemaker.list_endpoint_configs(NameContains=endpoint)["EndpointConfigs"]
    assert configs[0]["EndpointConfigName"] == endpoint

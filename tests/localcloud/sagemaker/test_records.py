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


def test_tags_are_kept_changed_and_removed(cloud: Cloud) -> None:
    """Tags come with the resource, and change through its ARN."""
    cloud.train("tagged", Tags=[{"Key": "spine:run", "Value": "run-1"}])
    arn = cloud.describe_training("tagged")["TrainingJobArn"]

    def tags() -> dict[str, str]:
        listed = cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in listed}

    assert tags() == {"spine:run": "run-1"}
    until = {"Key": "spine:keep-until", "Value": "2026-01-01T00:00:00Z"}
    cloud.sagemaker.add_tags(ResourceArn=arn, Tags=[until, {"Key": "spine:run", "Value": "2"}])
    assert tags() == {"spine:run": "2", "spine:keep-until": "2026-01-01T00:00:00Z"}
    cloud.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["spine:run", "never there"])
    assert tags() == {"spine:keep-until": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate tag keys"),
        ([{"Key": "aws:mine", "Value": "1"}], "reserved for AWS"),
        ([{"Key": str(n), "Value": ""} for n in range(51)], "length less than or equal to 50"),
        ([{"Key": "a#b", "Value": ""}], "regular expression pattern"),
    ],
)
def test_tags_have_rules(cloud: Cloud, tags: list[dict[str, str]], reason: str) -> None:
    """Duplicate, reserved, too many and malformed tags are refused, and nothing is made."""
    _, message = refused(lambda: cloud.start_training("ill-tagged", Tags=tags))
    assert reason in message
    refused(lambda: cloud.describe_training("ill-tagged"))


def test_tags_need_a_resource(cloud: Cloud) -> None:
    """An ARN without a resource cannot be tagged."""
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model/none"
    code, message = refused(
        lambda: cloud.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    )
    assert (code, arn in message) == ("ValidationException", True)


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

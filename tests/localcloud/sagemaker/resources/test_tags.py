"""Tags of resources."""

import pytest

from tests.localcloud.sagemaker.cloud import Cloud, refused


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

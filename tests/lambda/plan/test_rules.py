"""What a deployment allows."""

import pytest

from tests.planning import at, refused, says_one_problem

# (field, value, what the message must say besides the field)
REFUSALS: list[tuple[str, object, str]] = [
    ("training.instance_type", "ml.m5.xlage", 'Did you mean "ml.m5.xlarge"?'),
    ("training.instance_type", "m5.xlarge", 'Did you mean "ml.m5.xlarge"?'),
    ("training.instance_type", "ml.p4d.24xlarge", "add it to instance_types in cdk.json"),
    ("training.instance_type", "", "not an instance type"),
    ("endpoint.instance_type", "ml.m99.huge", "for an endpoint"),
    ("batch_transform.instance_type", "ml.t2.medium", "for a batch transform"),
]


@pytest.mark.parametrize(("path", "value", "says"), REFUSALS)
def test_an_instance_type_that_is_unknown_or_not_allowed_is_refused(
    path: str, value: object, says: str
) -> None:
    """The message says whether SageMaker or the deployment does not have it."""
    says_one_problem(refused(at(path, value)), path, says)

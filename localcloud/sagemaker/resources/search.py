"""Search, over training jobs: how clients find the job that a model comes from."""

from typing import Any

from localcloud.sagemaker.errors import invalid
from localcloud.sagemaker.records import Record
from localcloud.sagemaker.resources import Request, Resource, only, operation, value_of
from localcloud.sagemaker.resources.training_jobs import TRAINING_JOB

_SUPPORTED = (
    "Resource",
    "SearchExpression.Filters",
    "SearchExpression.Operator",
    "SortBy",
    "SortOrder",
    "NextToken",
    "MaxResults",
)
_OPERATORS = ("Equals", "NotEquals", "Contains", "Exists", "NotExists", "In")
_NEEDS_VALUE = ("Equals", "NotEquals", "Contains", "In")


class Search(Resource):
    """Search."""

    @operation
    def search(self, request: Request) -> dict[str, Any]:
        """Finds training jobs by their members, as DescribeTrainingJob shows them."""
        only("Search", request, _SUPPORTED)
        value_of("Search", "Resource", request["Resource"], ["TrainingJob"])
        value_of("Search", "SortBy", request.get("SortBy"), ["CreationTime"])
        expression = request.get("SearchExpression", {})
        filters = expression.get("Filters", [])
        for each in filters:
            operator = each.get("Operator", "Equals")
            value_of("Search", f"Operator of {each['Name']}", operator, _OPERATORS)
            if operator in _NEEDS_VALUE and "Value" not in each:
                raise invalid(f"Search: the filter {each['Name']} with {operator} needs a Value.")
        together = all if expression.get("Operator", "And") == "And" else any

        def matches(record: Record) -> bool:
            return not filters or together(_matches(record, each) for each in filters)

        found, token = self.store.page(TRAINING_JOB, request, ascending=False, also=matches)
        answer: dict[str, Any] = {"Results": [{"TrainingJob": each} for each in found]}
        return answer | ({"NextToken": token} if token else {})


def _matches(record: Record, given: dict[str, Any]) -> bool:
    found = _at(record, given["Name"])
    operator: str = given.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return (found is not None) is (operator == "Exists")
    text = "" if found is None else str(found)
    value: str = given["Value"]
    if operator == "In":
        return text in value.split(",")
    if operator == "Contains":
        return value in text
    return bool(text == value) is (operator == "Equals")


def _at(record: Record, path: str) -> Any:
    """A member by its path, `ModelArtifacts.S3ModelArtifacts` or `Tags.stage` for instance."""
    first, _, rest = path.partition(".")
    if first == "Tags":
        return record.tags.get(rest)
    found: Any = record.members
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found

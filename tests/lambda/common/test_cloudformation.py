"""The answer to a custom resource's request goes to CloudFormation, and nowhere else."""

from typing import Any

import pytest

from spine.shipped import load
from tests.leftovers import request

cloudformation = load("common.cloudformation")


def test_an_answer_holds_what_cloudformation_knows_the_request_by(
    answers: tuple[str, list[dict[str, Any]]],
) -> None:
    """Without a content type: the signature of the address covers an empty one."""
    url, received = answers
    cloudformation.respond(request("Update", url), "the-resource", "FAILED", "why")
    assert received == [
        {
            "type": "",
            "Status": "FAILED",
            "Reason": "why",
            "PhysicalResourceId": "the-resource",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Teardown",
        }
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "http://localhost.example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
    ],
)
def test_an_answer_goes_nowhere_but_to_https(url: str) -> None:
    """Plain http stays on this machine."""
    with pytest.raises(cloudformation.SpineError, match="not an https address"):
        cloudformation.respond(request("Create", url), "the-resource", "SUCCESS", "")

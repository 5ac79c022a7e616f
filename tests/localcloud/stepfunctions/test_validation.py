"""What is wrong with a definition, found without a cloud."""

import json
from typing import Any

import pytest

from localcloud.stepfunctions.validation import problems
from tests.localcloud.stepfunctions.machines import PASS, jsonata


def test_a_sound_definition_has_no_problems() -> None:
    """With branches, a map, choices and an error's way, in JSONata."""
    inner = {"StartAt": "I", "States": {"I": PASS}}
    definition = jsonata(
        "Choose",
        Choose={
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n > 1 %}", "Next": "Side by side"}],
            "Default": "Each",
        },
        Side_by_side={
            "Type": "Parallel",
            "Branches": [inner],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Each"}],
            "Next": "Each",
        },
        Each={"Type": "Map", "ItemProcessor": inner, "End": True},
    )
    assert problems(json.dumps(definition)) == []


@pytest.mark.parametrize(
    ("definition", "code", "location"),
    [
        ("{", "INVALID_JSON_DESCRIPTION", "/"),
        ("[]", "INVALID_JSON_DESCRIPTION", "/"),
        (jsonata("B", A=PASS), "MISSING_TRANSITION_TARGET", "/StartAt"),
        (
            jsonata("A", A={"Type": "Pass", "Next": "B"}),
            "MISSING_TRANSITION_TARGET",
            "/States/A/Next",
        ),
        (
            jsonata("A", A={"Type": "Choice", "Choices": [{"Condition": True, "Next": "B"}]}),
            "MISSING_TRANSITION_TARGET",
            "/States/A/Choices[0]/Next",
        ),
        (jsonata("A", A=PASS, B=PASS), "UNREACHABLE_STATE", "/States/B"),
        (
            jsonata("A", A={**PASS, "Output": ["{% 1 + %}"]}),
            "INVALID_JSONATA_EXPRESSION",
            "/States/A/Output[0]",
        ),
        (
            jsonata("A", A={**PASS, "Type": "Parallel", "Branches": [{"StartAt": "X"}]}),
            "SCHEMA_VALIDATION_FAILED",
            "/States/A/Branches[0]/",
        ),
    ],
)
def test_a_problem_has_its_code_and_place(definition: Any, code: str, location: str) -> None:
    """As ValidateStateMachineDefinition gives them."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    found = problems(text)
    assert (code, location) in [(problem.code, problem.location) for problem in found]


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ("arn:aws:states:us-east-1:000000000000:activity:a", "activities"),
        ("arn:aws:states:::apigateway:invoke", "API Gateway's integration"),
        ("arn:aws:states:::http:invoke", "HTTP tasks"),
    ],
)
def test_what_the_local_cloud_does_not_run_is_named(resource: str, what: str) -> None:
    """When the machine is created, not when it runs."""
    task = {"Type": "Task", "Resource": resource, "Parameters": {}, "End": True}
    (found,) = problems(json.dumps({"StartAt": "T", "States": {"T": task}}))
    assert f"does not run {what}" in found.message
    assert found.location == "/States/T/Resource"

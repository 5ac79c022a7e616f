"""The batch: scored by the run's own model line by line, and evaluated from what came of it."""

from typing import Any

import pytest

from gates.machine import Machine
from stacks.steps.transform import NOT_MEASURED
from tests.support import jsonata


def test_lines_stay_lines_from_the_input_to_the_answers(machine: Machine) -> None:
    """The evaluation joins answers with rows by their order."""
    asked = machine.tasks()["Transform the batch"]["Arguments"]
    assert asked["TransformInput"]["SplitType"] == "Line"
    assert asked["TransformOutput"]["AssembleWith"] == "Line"
    seen = {
        "plan": {
            "run": {"name": "spine-dev-x-01234567"},
            "places": {"batch_in": "s3://b/batch-in/", "batch_out": "s3://b/batch-out/"},
        }
    }
    source = asked["TransformInput"]["DataSource"]["S3DataSource"]
    assert jsonata(source["S3Uri"], seen) == "s3://b/batch-in/"
    assert jsonata(asked["TransformOutput"]["S3OutputPath"], seen) == "s3://b/batch-out/"
    assert jsonata(asked["ModelName"], seen) == "spine-dev-x-01234567"


def test_the_evaluation_is_told_which_job_answered(machine: Machine) -> None:
    """Of several tries the last: the folder may hold what an earlier one left."""
    states = machine.states()
    output = states["Transform the batch"]["Output"]
    answer = {"result": {"TransformJobName": "spine-dev-x-0-1"}}
    told = {name: jsonata(value, {"states": answer}) for name, value in output.items()}
    assert told == {"transform_job": "spine-dev-x-0-1"}
    payload = states["Evaluate"]["Arguments"]["Payload"]
    assert jsonata(payload["transform_job"], {"states": {"input": told}}) == "spine-dev-x-0-1"
    assert states["Evaluate"]["Output"] == "{% $states.result.Payload %}"


@pytest.mark.parametrize(
    ("minimum", "maximum", "passed"),
    [({}, {}, True), ({"auc": 0.8}, {}, None), ({}, {"mae": 1}, None)],
)
def test_without_a_batch_the_gate_passes_only_if_nothing_was_asked(
    minimum: dict[str, float], maximum: dict[str, float], passed: Any
) -> None:
    """What was not measured has not reached its minimum."""
    seen = {"plan": {"evaluation": {"minimum": minimum, "maximum": maximum}}}
    gate: Any = NOT_MEASURED["gate"]
    assert jsonata(gate["passed"], seen) is passed
    assert jsonata(str(NOT_MEASURED["metrics"]), seen) is None

"""A preparation job: repeated as the function is, and asked why it refused."""

import json

import pytest

from gates.machine import Machine
from tests.stacks.states import routed
from tests.support import jsonata

PREPARATIONS = ["Prepare on an instance", "Prepare with Spark"]


@pytest.mark.parametrize("creation", PREPARATIONS)
@pytest.mark.parametrize(
    "described",
    [
        '{"FailureReason":"InternalServerError: We encountered an internal error."}',
        '{"ExitMessage":"SourceUnreachableError: https://x could not be fetched"}',
    ],
)
def test_a_preparation_job_is_repeated_for_what_may_pass(
    machine: Machine, creation: str, described: str
) -> None:
    """SageMaker's own failures, and a source that is away, as the function's retries have it."""
    way = routed(machine, creation, "States.TaskFailed", described, 3)
    assert way.startswith("Wait to prepare")
    assert not routed(machine, creation, "States.TaskFailed", described, 4).startswith("Wait")


@pytest.mark.parametrize("creation", PREPARATIONS)
def test_a_preparation_job_that_refuses_is_asked_why(machine: Machine, creation: str) -> None:
    """The error of the run is the one that the job has written, under the job's own name."""
    cause = '{"ProcessingJobName":"r-0-0","ExitMessage":"NotANumberError: line 3"}'
    assert routed(machine, creation, "States.TaskFailed", cause, 0) == "Read why"
    why = machine.definition["States"]["Read why"]
    plan = {"bucket": "b", "places": {"preparation_key": "runs/r/preparation/"}}
    variables = {"plan": plan, "failure": {"Cause": cause}}
    assert jsonata(why["Arguments"]["Key"], variables) == "runs/r/preparation/r-0-0.json"
    failure = {"Error": "NotANumberError", "Cause": "{}"}
    body = json.dumps({"failure": failure})
    seen = jsonata(why["Assign"]["failure"], {"states": {"result": {"Body": body}}})
    assert seen == failure
    assert why["Next"] == "Clean up after failure"


@pytest.mark.parametrize("creation", PREPARATIONS)
def test_a_preparation_job_that_says_nothing_fails_as_it_is(
    machine: Machine, creation: str
) -> None:
    """A job that was killed has left no message: SageMaker's reason is what there is to tell."""
    cause = '{"FailureReason":"AlgorithmError: exit code: 137"}'
    assert routed(machine, creation, "States.TaskFailed", cause, 0) == "Clean up after failure"

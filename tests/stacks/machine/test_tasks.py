"""Task states: a name of its own for every attempt, and a limit just above the function's."""

import itertools
from typing import Any

import pytest

from gates.machine import Machine
from spine.shipped import load
from tests.support import jsonata

names = load("common.names")


@pytest.mark.parametrize(
    ("state", "member"),
    [
        ("Prepare on an instance", "ProcessingJobName"),
        ("Prepare with Spark", "ProcessingJobName"),
        ("Train the model", "TrainingJobName"),
        ("Transform the batch", "TransformJobName"),
    ],
)
def test_every_attempt_of_a_job_has_a_name_of_its_own(
    machine: Machine, state: str, member: str
) -> None:
    """Whenever the state is entered, redriven or retried: names of failed and lost jobs stay taken.

    In a Parallel that is entered again in the same redrive all counts begin anew.
    """
    name = machine.tasks()[state]["Arguments"][member]
    found = []
    # Six attempts are the most that a retry makes of one try.
    for entered, retried in itertools.product(("01.000", "01.001", "02.000", "59.999"), range(6)):
        state_seen = {"EnteredTime": f"2026-01-02T03:04:{entered}Z", "RetryCount": retried}
        execution = {"StartTime": "2026-01-02T03:04:00.000Z", "RedriveCount": 0}
        # Of a state that is redriven without being entered again.
        for redriven in ({}, {"RedriveTime": "2026-03-30T00:00:00.000Z"}):
            context = {"Execution": execution | redriven, "State": state_seen}
            if redriven and entered != "01.000":
                continue
            plan = {"run": {"name": "spine-dev-x-01234567"}}
            found.append(jsonata(name, {"states": {"context": context}, "plan": plan}))
    assert len(set(found)) == len(found)
    assert {len(each) for each in found} == {len("spine-dev-x-01234567-0123456")}
    assert all(names.belongs(each, "spine-dev-x-01234567") for each in found)


def test_after_ninety_days_names_still_fit(machine: Machine) -> None:
    """Their digits begin again at zero."""
    name = machine.tasks()["Train the model"]["Arguments"]["TrainingJobName"]
    execution = {"StartTime": "2026-01-01T00:00:00Z", "RedriveTime": "2026-12-31T00:00:00Z"}
    state = {"EnteredTime": "2026-01-01T00:00:09.999Z", "RetryCount": 5}
    seen = {"context": {"Execution": execution, "State": state}}
    made = jsonata(name, {"states": seen, "plan": {"run": {"name": "x" * 55}}})
    assert len(made) == 63


def test_an_invocation_is_given_up_after_the_function_would_have_been(
    machine: Machine, timeouts: dict[str, int]
) -> None:
    """An answer that was lost is waited for half a minute longer than Lambda lets it take."""
    waited = {
        task["Arguments"]["FunctionName"].rpartition(":")[2]: task["TimeoutSeconds"]
        for task in machine.tasks().values()
        if task["Resource"].endswith(":lambda:invoke")
    }
    assert waited.keys() == {"Plan", "Prepare", "Predict", "Evaluate", "CleanUp"}
    assert waited == {name: timeouts[name] + 30 for name in waited}


@pytest.fixture
def timeouts(dev: Any) -> dict[str, int]:
    """The limit of every function, in seconds."""
    functions = dev.declared("pipeline", "AWS::Lambda::Function")
    return {
        name[:-8]: each["Properties"]["Timeout"]
        for name, each in functions.items()
        if "Timeout" in each["Properties"]
    }

"""Task states: a name of its own for every attempt, and a limit just above the function's."""

import itertools
from typing import Any

import pytest

from gates.machine import Machine
from stacks.machine.tasks import Tasks
from tests.support import jsonata


@pytest.mark.parametrize(
    ("state", "member", "tries"),
    [
        ("Prepare on an instance", "ProcessingJobName", "prepare_tries"),
        ("Prepare with Spark", "ProcessingJobName", "prepare_tries"),
        ("Train the model", "TrainingJobName", "train_tries"),
        ("Transform the batch", "TransformJobName", "transform_tries"),
    ],
)
def test_every_attempt_of_a_job_has_a_name_of_its_own(
    machine: Machine, state: str, member: str, tries: str
) -> None:
    """Redrives, tries and retries all count: the names of failed and lost jobs stay taken."""
    name = machine.tasks()[state]["Arguments"][member]
    found = []
    # Six attempts are the most that a retry makes of one try.
    for redrives, tried, retried in itertools.product(range(3), range(5), range(6)):
        context = {"Execution": {"RedriveCount": redrives}, "State": {"RetryCount": retried}}
        seen: dict[str, Any] = {"states": {"context": context}, tries: tried}
        found.append(jsonata(name, {**seen, "plan": {"run": {"name": "spine-dev-x-01234567"}}}))
    assert len(set(found)) == len(found)
    assert max(map(len, found)) <= len("spine-dev-x-01234567-2-45")


def test_a_job_without_a_counter_of_its_tries_is_refused() -> None:
    """Its second try would find the name of the first taken."""
    nobody: Any = None
    with pytest.raises(ValueError, match="Tune the model: which variable"):
        Tasks.creation(nobody, "Tune the model", "TrainingJob", arguments={})


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

"""What tests of the plan share: the step itself, and its refusals."""

from typing import Any

import pytest

from spine.shipped import load

ARN = "arn:aws:states:eu-west-1:111122223333:execution:spine-dev:My_Run.1"
EXECUTION = {"arn": ARN, "name": "My_Run.1", "started_at": "2026-01-02T03:04:05Z"}
# Of the function; the versions of images are those that a deployment has unless it says others.
ENVIRONMENT = {
    "BUCKET": "spine-bucket",
    "NAME_PREFIX": "spine-dev",
    "SOURCE_HOSTS": "archive.ics.uci.edu, data.example.org",
    "SOURCE_BUCKETS": "partner-bucket",
    "INSTANCE_TYPES": "ml.m4.xlarge,ml.m5.large,ml.m5.xlarge,ml.m5.2xlarge",
    "SPARK_REGISTRY": "173754725891",
    "LARGEST_VOLUME_GB": "1024",
    **{
        each.version_variable: each.image.default for each in load("algorithms").ALGORITHMS.values()
    },
}


def plan(execution_input: object, *, pipeline: str = "", **execution: str) -> Any:
    """Run the handler on an execution input."""
    event = {
        "input": execution_input,
        "pipeline": pipeline,
        "execution": {**EXECUTION, **execution},
    }
    return load("plan.handler").handler(event, None)


def refused(execution_input: object, *, pipeline: str = "", **execution: str) -> str:
    """Return the message the handler refuses an execution, or its input, with."""
    with pytest.raises(load("plan.refusal").InvalidInputError) as caught:
        plan(execution_input, pipeline=pipeline, **execution)
    return str(caught.value)


def at(path: str, value: object) -> dict[str, Any]:
    """Build an input with one field, given by its dotted path."""
    inner: Any = value
    for part in reversed(path.split(".")):
        inner = {part: inner}
    built: dict[str, Any] = inner
    return built


def says_one_problem(message: str, path: str, says: str) -> None:
    """Assert that a refusal is one line that names the field and says what to change."""
    assert message.startswith("The execution input has 1 problem; nothing was started.\n- ")
    line = message.splitlines()[1]
    assert len(message.splitlines()) == 2
    assert line.startswith(f"- {path}: ")
    assert says in line
    assert line.endswith(".")


def with_objective(objective: str, **sections: Any) -> dict[str, Any]:
    """An execution input of another task than the default."""
    return {"training": {"hyperparameters": {"objective": objective}}, **sections}

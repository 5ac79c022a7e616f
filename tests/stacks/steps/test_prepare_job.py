"""A preparation job: repeated as the function is, and asked why it refused."""

import json

import pytest

from gates.machine import Machine
from tests.stacks.states import routed
from tests.support import jsonata

PREPARATIONS = ["Prepare on an instance", "Prepare with Spark"]


# What SageMaker's own submitter leaves of whatever its driver has said.
BY_SPARK = '{"ProcessingJobName":"r-0-0","ExitMessage":"Algorithm Error: (caused by CalledPr..."}'


@pytest.mark.parametrize("creation", PREPARATIONS)
def test_a_preparation_job_is_repeated_for_what_may_pass(machine: Machine, creation: str) -> None:
    """SageMaker's own failures are told by the job's description."""
    described = '{"FailureReason":"InternalServerError: We encountered an internal error."}'
    way = routed(machine, creation, "States.TaskFailed", described, 3)
    assert way.startswith("Wait to prepare")
    assert not routed(machine, creation, "States.TaskFailed", described, 4).startswith("Wait")


@pytest.mark.parametrize("creation", PREPARATIONS)
@pytest.mark.parametrize(
    "cause",
    [
        BY_SPARK,
        '{"ProcessingJobName":"r-0-0","ExitMessage":"NotANumberError: line 3"}',
        '{"ProcessingJobName":"r-0-0","FailureReason":"AlgorithmError: exit code: 137"}',
    ],
)
def test_a_preparation_job_that_fails_is_asked_why(
    machine: Machine, creation: str, cause: str
) -> None:
    """Whatever its description says: the error of the run is what the job itself has written."""
    assert routed(machine, creation, "States.TaskFailed", cause, 0) == "Read why"
    why = machine.definition["States"]["Read why"]
    plan = {"bucket": "b", "places": {"preparation_key": "runs/r/preparation/"}}
    variables = {"plan": plan, "failure": {"Cause": cause}}
    assert jsonata(why["Arguments"]["Key"], variables) == "runs/r/preparation/r-0-0.json"


def _told(machine: Machine, body: object, failure: dict[str, str]) -> object:
    expression = machine.definition["States"]["Read why"]["Assign"]["failure"]
    seen = {"failure": failure, "states": {"result": {"Body": json.dumps(body)}}}
    return jsonata(expression, seen)


def test_what_the_job_has_written_decides(machine: Machine) -> None:
    """Its failure becomes the run's; of a job that failed after its work SageMaker's own stays."""
    first = {"Error": "States.TaskFailed", "Cause": BY_SPARK}
    failure = {"Error": "NotANumberError", "Cause": "{}"}
    assert _told(machine, {"failure": failure}, first) == failure
    assert _told(machine, {"prepared": {"rows": 3}}, first) == first


def test_a_job_that_has_written_nothing_keeps_the_first_failure(machine: Machine) -> None:
    """S3 says "access denied" of an object that is not there: that is not why the run failed."""
    (catch,) = machine.definition["States"]["Read why"]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "Clean up after failure")
    first = {"Error": "States.TaskFailed", "Cause": "exit code: 137"}
    seen = {
        "failure": first,
        "states": {"errorOutput": {"Error": "S3.S3Exception", "Cause": "Access Denied"}},
    }
    assert jsonata(catch["Assign"]["failure"], seen) == first


@pytest.mark.parametrize(
    ("error", "tries", "way"),
    [
        ("SourceUnreachableError", 0, "Wait to prepare again"),
        ("SourceUnreachableError", 3, "Wait to prepare again"),
        ("SourceUnreachableError", 4, "Clean up after failure"),
        ("SourceNotFoundError", 0, "Clean up after failure"),
        ("States.TaskFailed", 0, "Clean up after failure"),
    ],
)
def test_a_source_that_is_away_is_asked_for_again(
    machine: Machine, error: str, tries: int, way: str
) -> None:
    """By another job of the same engine, as the function's retries have it."""
    states = machine.definition["States"]
    assert states["Read why"]["Next"] == "Prepare again?"
    choice = states["Prepare again?"]
    variables = {"failure": {"Error": error, "Cause": "{}"}, "prepare_tries": tries}
    (again,) = choice["Choices"]
    if jsonata(again["Condition"], variables):
        assert again["Next"] == way
        assert jsonata(again["Assign"]["prepare_tries"], variables) == tries + 1
    else:
        assert choice["Default"] == way
    assert states["Wait to prepare again"]["Next"] == "On how many instances?"


@pytest.mark.parametrize(("tries", "least", "most"), [(1, 5, 10), (4, 40, 80)])
def test_the_wait_for_the_source_grows(machine: Machine, tries: int, least: int, most: int) -> None:
    """From ten seconds, drawn anew for each run."""
    seconds = machine.definition["States"]["Wait to prepare again"]["Seconds"]
    assert least <= jsonata(seconds, {"prepare_tries": tries}) <= most


def test_spark_is_started_by_the_python_its_packages_are_built_for(machine: Machine) -> None:
    """In the image another comes first on the path."""
    entrypoints = {
        name: machine.definition["States"][name]["Arguments"]["AppSpecification"][
            "ContainerEntrypoint"
        ][0]
        for name in PREPARATIONS
    }
    assert entrypoints == {"Prepare on an instance": "python3", "Prepare with Spark": "python3.12"}

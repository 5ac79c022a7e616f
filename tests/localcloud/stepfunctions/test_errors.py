"""Failing, retrying, catching and repeating errors."""

import json
import uuid
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import Bench, jsonata

END = {"Type": "Pass", "End": True}


def catch(*errors: str) -> list[dict[str, Any]]:
    """A Catch whose output is the error output."""
    return [{"ErrorEquals": list(errors), "Output": "{% $states.errorOutput %}", "Next": "Z"}]


@pytest.mark.parametrize(
    ("payload", "error", "said"),
    [
        ({"mode": "raise"}, "MyError", "boom"),
        ({"mode": "exit"}, "Runtime.ExitError", "Runtime exited"),
        ({"mode": "unserialisable"}, "Runtime.MarshalError", "Unable to marshal"),
        ({"mode": "sleep", "seconds": 5}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
        ({"mode": "raise-timeout"}, "TimeoutError", "of its own"),
    ],
)
def test_a_functions_error_has_the_name_lambda_gives_it(
    bench: Bench, payload: dict[str, Any], error: str, said: str
) -> None:
    """Exception class, exit, bad result and timeout reach the machine by name, with a cause."""
    outcome = bench.run(jsonata("A", A=bench.task(payload)))
    assert (outcome.status, outcome.error) == ("FAILED", error)
    assert outcome.cause is not None
    details = json.loads(outcome.cause)
    assert details["errorType"] == error
    assert said in details["errorMessage"]
    assert outcome.seconds < 5


def test_catch_by_class_gets_error_and_cause(bench: Bench) -> None:
    """A Catch for the exception's class gets {Error, Cause}, the cause with the stack trace."""
    outcome = bench.run(
        jsonata("A", A=bench.task({"mode": "raise"}, Catch=catch("MyError")), Z=END)
    )
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["Error"] == "MyError"
    cause = json.loads(outcome.output["Cause"])
    assert cause["errorMessage"] == "boom"
    assert "raise MyError" in "".join(cause["stackTrace"])


def test_catch_of_another_class_does_not(bench: Bench) -> None:
    """A Catch for another error leaves the execution failed."""
    outcome = bench.run(jsonata("A", A=bench.task({"mode": "raise"}, Catch=catch("Other")), Z=END))
    assert (outcome.status, outcome.error) == ("FAILED", "MyError")


def test_retry_counts_and_waits(bench: Bench) -> None:
    """Retries wait as configured, RetryCount rises, and the task is recorded at each attempt."""
    payload = {"mode": "flaky", "id": uuid.uuid4().hex, "failures": 2}
    payload["count"] = "{% $states.context.State.RetryCount %}"
    retry = [{"ErrorEquals": ["MyError"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 3}]
    outcome = bench.run(jsonata("A", A=bench.task(payload, Retry=retry)))
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["event"]["count"] == 2
    assert outcome.types.count("TaskScheduled") == 3
    assert outcome.types.count("TaskFailed") == 2
    assert 2 <= outcome.seconds < 4


def test_retry_limits(bench: Bench) -> None:
    """MaxDelaySeconds caps the backoff and jitter only shortens it; then the error stands."""
    retry = [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 1,
            "BackoffRate": 100,
            "MaxDelaySeconds": 1 + 1,
            "MaxAttempts": 2,
            "JitterStrategy": "FULL",
        }
    ]
    outcome = bench.run(jsonata("A", A=bench.task({"mode": "raise"}, Retry=retry)))
    assert (outcome.status, outcome.error) == ("FAILED", "MyError")
    assert outcome.types.count("TaskFailed") == 3
    assert outcome.seconds < 4


def test_a_function_that_raised_keeps_its_process(bench: Bench) -> None:
    """An exception does not cost the next invocation a cold start."""
    after = jsonata(
        "A",
        A=bench.task(
            {"mode": "ok"}, Assign={"first": "{% $states.result.Payload.pid %}"}, Next="B"
        ),
        B=bench.task({"mode": "raise"}, Catch=catch("MyError")),
        Z=bench.task({"mode": "ok"}, Output="{% $states.result.Payload.pid = $first %}"),
    )
    assert bench.run(after).output is True


@pytest.mark.parametrize("error", ["Mine", "States.TaskFailed", "States.Timeout", "Über.Fehler"])
def test_fail_repeats_an_error_by_expression(bench: Bench, error: str) -> None:
    """Fail takes Error and Cause from expressions, reserved names included."""
    definition = jsonata(
        "F",
        F={
            "Type": "Fail",
            "Error": "{% $states.input.Error %}",
            "Cause": "{% $states.input.Cause %}",
        },
    )
    cause = 'why "quoted"\nand unicode ü'
    outcome = bench.run(definition, {"Error": error, "Cause": cause})
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", error, cause)


def test_an_error_passes_through_parallel(bench: Bench) -> None:
    """A branch's error is the Parallel's, and can be caught by its name."""
    branch = {"StartAt": "A", "States": {"A": bench.task({"mode": "raise"})}}
    parallel = {"Type": "Parallel", "Branches": [branch], "Catch": catch("MyError"), "End": True}
    outcome = bench.run(jsonata("P", P=parallel, Z=END))
    assert outcome.output["Error"] == "MyError"
    assert "ParallelStateFailed" in outcome.types


def test_task_failed_does_not_match_a_timeout(bench: Bench) -> None:
    """States.TaskFailed leaves States.Timeout to a later Catch."""
    task = bench.task(
        {"mode": "sleep", "seconds": 1.8},
        TimeoutSeconds=1,
        Catch=[*catch("States.TaskFailed"), *catch("States.Timeout")],
    )
    definition = jsonata("A", A=task, Z=END)
    definition["States"]["A"]["Catch"][0]["Next"] = "Wrong"
    definition["States"]["Wrong"] = {"Type": "Fail", "Error": "Wrong"}
    outcome = bench.run(definition)
    assert outcome.output["Error"] == "States.Timeout"
    assert outcome.seconds < 1.7
    assert "TaskTimedOut" in outcome.types


def test_a_result_over_the_limit(bench: Bench) -> None:
    """More than 256 KiB is States.DataLimitExceeded, which States.ALL does not catch."""
    outcome = bench.run(
        jsonata("A", A=bench.task({"mode": "large"}, Catch=catch("States.ALL")), Z=END)
    )
    assert (outcome.status, outcome.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_missing_function(bench: Bench) -> None:
    """Invoking a function that is not there fails with Lambda's error."""
    task = bench.task({})
    task["Arguments"]["FunctionName"] = "absent"
    outcome = bench.run(jsonata("A", A=task))
    assert (outcome.status, outcome.error) == ("FAILED", "Lambda.ResourceNotFoundException")

"""Stopping, timing out and cancelling."""

import time

import pytest

from tests.localcloud.stepfunctions.machines import LONG, Bench, jsonata


def test_stop_ends_a_wait_at_once(bench: Bench) -> None:
    """StopExecution gives ABORTED with error and cause, and the history ends with it."""
    execution = bench.start(jsonata("W", W=LONG))
    bench.states.stop_execution(executionArn=execution, error="Mine", cause="because")
    outcome = bench.finish(execution)
    assert (outcome.status, outcome.error, outcome.cause) == ("ABORTED", "Mine", "because")
    deadline = time.monotonic() + 2
    while bench.history(execution)[-1]["type"] != "ExecutionAborted":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    details = bench.history(execution)[-1]["executionAbortedEventDetails"]
    assert details == {"error": "Mine", "cause": "because"}


def test_stop_ends_a_task_and_writes_nothing_after(bench: Bench) -> None:
    """A function that still runs when its execution is stopped adds nothing to the history."""
    execution = bench.start(jsonata("A", A=bench.task({"mode": "sleep", "seconds": 1})))
    time.sleep(0.3)
    bench.states.stop_execution(executionArn=execution)
    time.sleep(1.2)
    assert bench.history(execution)[-1]["type"] == "ExecutionAborted"


def test_stop_ends_the_pause_before_a_retry(bench: Bench) -> None:
    """An execution that waits to retry stops at once."""
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30}]
    execution = bench.start(jsonata("A", A=bench.task({"mode": "raise"}, Retry=retry)))
    time.sleep(0.5)
    bench.states.stop_execution(executionArn=execution)
    time.sleep(0.5)
    assert bench.history(execution)[-1]["type"] == "ExecutionAborted"


def test_machine_timeout(bench: Bench) -> None:
    """A machine over its TimeoutSeconds is TIMED_OUT, wherever it is."""
    inner = {"StartAt": "W", "States": {"W": LONG}}
    definition = jsonata("P", P={"Type": "Parallel", "Branches": [inner], "End": True})
    outcome = bench.run(definition | {"TimeoutSeconds": 1})
    assert outcome.status == "TIMED_OUT"
    assert 1 <= outcome.seconds < 2
    assert outcome.types[-1] == "ExecutionTimedOut"


def test_a_failing_branch_cancels_its_siblings(bench: Bench) -> None:
    """A Parallel fails as soon as one branch does, and the others write nothing more."""
    slow = {"StartAt": "S", "States": {"S": bench.task({"mode": "sleep", "seconds": 1})}}
    bad = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad", "Cause": "reason"}}}
    caught = [{"ErrorEquals": ["Bad"], "Output": "{% $states.errorOutput %}", "Next": "Z"}]
    definition = jsonata(
        "P",
        P={"Type": "Parallel", "Branches": [slow, bad], "Catch": caught, "End": True},
        Z={"Type": "Wait", "Seconds": 2, "End": True},
    )
    outcome = bench.run(definition)
    assert outcome.output == {"Error": "Bad", "Cause": "reason"}
    failed = outcome.types.index("ParallelStateFailed")
    assert outcome.types[failed + 1 :] == [
        "ParallelStateExited",
        "WaitStateEntered",
        "WaitStateExited",
        "ExecutionSucceeded",
    ]
    assert outcome.seconds < 2.5


def test_wait_takes_the_time_it_says(bench: Bench) -> None:
    """Wait's Seconds come from an expression and are kept to within a tenth."""
    definition = jsonata("W", W={"Type": "Wait", "Seconds": "{% $states.input.n %}", "End": True})
    assert bench.run(definition, {"n": 1}).seconds == pytest.approx(1, abs=0.15)


def test_threads_of_stopped_tasks_end_quietly(bench: Bench) -> None:
    """Nothing of what the tests before this one stopped is in the gateway's log as an accident."""
    execution = bench.start(jsonata("A", A=bench.task({"mode": "sleep", "seconds": 1})))
    time.sleep(0.2)
    bench.states.stop_execution(executionArn=execution)
    time.sleep(1.2)
    log = (bench.cloud.home / "logs" / "gateway.log").read_text()
    assert "Exception in thread" not in log

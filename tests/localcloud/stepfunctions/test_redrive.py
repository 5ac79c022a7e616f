"""RedriveExecution on the local cloud, as the developer guide of Step Functions describes it."""

import itertools
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import PASS, ROLE, Bench, Outcome, jsonata

_ids = itertools.count()


def once(bench: Bench, **fields: Any) -> dict[str, Any]:
    """A task that fails the first time it is called, and works from then on."""
    mark = f"'redrive-{next(_ids)}-' & $states.context.Execution.Name"
    return bench.task({"mode": "flaky", "id": f"{{% {mark} %}}", "failures": 1}, **fields)


def redrive(bench: Bench, execution: str) -> Outcome:
    """Redrive an execution and wait for its end."""
    bench.states.redrive_execution(executionArn=execution)
    return bench.finish(execution)


def entered(outcome: Outcome) -> list[str]:
    """The states entered, in order."""
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in outcome.events
        if "stateEnteredEventDetails" in event
    ]


def test_a_failed_execution_goes_on_from_the_state_that_failed(bench: Bench) -> None:
    """With its input and variables; what succeeded before is not run again."""
    definition = jsonata(
        "Before",
        Before=bench.task({"n": 1}, Next="Fails once", Assign={"kept": "{% 'as it was' %}"}),
        Fails_once=once(bench, Next="After", Output="{% $states.input.event.n %}"),
        After={
            "Type": "Pass",
            "Output": {
                "n": "{% $states.input %}",
                "kept": "{% $kept %}",
                "redrives": "{% $states.context.Execution.RedriveCount %}",
                "at": "{% $states.context.Execution.RedriveTime %}",
            },
            "End": True,
        },
    )
    execution = bench.start(definition)
    failed = bench.finish(execution)
    assert (failed.status, failed.error) == ("FAILED", "MyError")
    done = redrive(bench, execution)
    assert done.status == "SUCCEEDED"
    described = bench.states.describe_execution(executionArn=execution)
    moment = done.output.pop("at")
    assert done.output == {"n": 1, "kept": "as it was", "redrives": 1}
    assert moment.startswith(described["redriveDate"].strftime("%Y-%m-%dT%H:%M"))
    assert entered(done) == ["Before", "Fails once", "After"]


def test_the_history_goes_on_behind_the_redrive(bench: Bench) -> None:
    """One history; the state is scheduled again, not entered again."""
    execution = bench.start(jsonata("A", A=once(bench)))
    bench.finish(execution)
    done = redrive(bench, execution)
    assert [event["id"] for event in done.events] == list(range(1, len(done.events) + 1))
    at = done.types.index("ExecutionRedriven")
    assert done.types[at - 1 : at + 2] == ["ExecutionFailed", "ExecutionRedriven", "TaskScheduled"]
    assert done.events[at]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert done.events[at + 1]["previousEventId"] == done.types.index("TaskStateEntered") + 1
    assert done.types[-2:] == ["TaskStateExited", "ExecutionSucceeded"]


def test_an_aborted_execution_goes_on_from_where_it_was_stopped(bench: Bench) -> None:
    """Redriven at once, while its interpreter may still be coming to rest."""
    wait = {"Type": "Wait", "Seconds": 1, "Next": "B", "Assign": {"waited": True}}
    definition = jsonata("A", A=wait, B={"Type": "Pass", "Output": "{% $waited %}", "End": True})
    execution = bench.start(definition)
    while "WaitStateEntered" not in [event["type"] for event in bench.history(execution)]:
        time.sleep(0.02)
    bench.states.stop_execution(executionArn=execution, error="Stop", cause="by hand")
    bench.states.redrive_execution(executionArn=execution)
    described = bench.states.describe_execution(executionArn=execution)
    assert (described["status"], described.get("error")) == ("RUNNING", None)
    done = bench.finish(execution)
    assert (done.status, done.output) == ("SUCCEEDED", True)
    assert done.types.count("ExecutionAborted") == 1


def test_the_machines_time_out_begins_anew(bench: Bench) -> None:
    """An execution that timed out has its whole time again."""
    definition = jsonata("A", A=once(bench, Next="B", Retry=[_RETRY]), B=_wait(1.2))
    definition["TimeoutSeconds"] = 2
    execution = bench.start(definition)
    assert bench.finish(execution).status == "TIMED_OUT"
    done = redrive(bench, execution)
    assert done.status == "SUCCEEDED"
    assert "ExecutionTimedOut" in done.types


# Together with B's wait, longer than the machine may run.
_RETRY = {"ErrorEquals": ["MyError"], "IntervalSeconds": 1, "MaxAttempts": 1}


def _wait(seconds: float) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": f"{{% {round(seconds)} %}}", "End": True}


def test_only_branches_that_did_not_succeed_are_redriven(bench: Bench) -> None:
    """One succeeded, one failed, one was stopped by the failure of its sibling."""
    ran = bench.task({"n": 1})
    fails = once(bench, Next="F2")
    fails_after = {"F1": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": fails, "F2": ran}
    definition = jsonata(
        "P",
        P={
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "S", "States": {"S": bench.task({"n": 0})}},
                {"StartAt": "F1", "States": fails_after},
                {"StartAt": "W0", "States": _long(bench)},
            ],
            "Output": "{% $states.result.event.n %}",
            "End": True,
        },
    )
    execution = bench.start(definition)
    assert bench.finish(execution).status == "FAILED"
    done = redrive(bench, execution)
    assert (done.status, done.output) == ("SUCCEEDED", [0, 1, 2])
    names = entered(done)
    assert all(names.count(name) == 1 for name in ("P", "S", "F1", "F", "F2", "W0", "W1", "W2"))


def _long(bench: Bench) -> dict[str, Any]:
    return {
        "W0": bench.task({"n": 2}, Next="W1"),
        "W1": {"Type": "Wait", "Seconds": 2, "Next": "W2"},
        "W2": {"Type": "Pass", "End": True},
    }


def test_what_a_retry_repeats_is_no_redrive(bench: Bench) -> None:
    """A Parallel that is retried runs all its branches again, after a redrive too."""
    fails_thrice = bench.task({"mode": "flaky", "id": f"r-{time.time_ns()}", "failures": 3})
    definition = jsonata(
        "P",
        P={
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}},
                {"StartAt": "F", "States": {"F": fails_thrice}},
            ],
            "Retry": [_RETRY],
            "End": True,
        },
    )
    execution = bench.start(definition)
    assert bench.finish(execution).status == "FAILED"
    done = redrive(bench, execution)
    assert done.status == "SUCCEEDED"
    # Twice before; the redrive's first try keeps its result, its retry begins anew.
    assert entered(done).count("S") == 3


def test_only_iterations_that_did_not_succeed_are_redriven(bench: Bench) -> None:
    """Of an inline Map."""
    mark = f"map-{time.time_ns()}"
    payload = (
        "{% $states.input = 2 ? {'mode': 'flaky', 'id': '" + mark + "', 'failures': 1}"
        " : {'n': $states.input} %}"
    )
    definition = jsonata(
        "M",
        M={
            "Type": "Map",
            "Items": [0, 1, 2],
            "MaxConcurrency": 1,
            "ItemProcessor": {"StartAt": "I", "States": {"I": bench.task(payload)}},
            "Output": "{% $count($states.result) %}",
            "End": True,
        },
    )
    execution = bench.start(definition)
    assert bench.finish(execution).status == "FAILED"
    done = redrive(bench, execution)
    assert (done.status, done.output) == ("SUCCEEDED", 3)
    assert entered(done).count("I") == 3


def test_a_fail_state_fails_again(bench: Bench) -> None:
    """It is entered again, and a caught error is not redriven: that state had been left."""
    definition = jsonata(
        "A",
        A=once(bench, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]),
        Failed={"Type": "Fail", "Error": "E", "Cause": "C"},
    )
    execution = bench.start(definition)
    bench.finish(execution)
    for count in (1, 2):
        again = redrive(bench, execution)
        assert (again.status, again.error, again.cause) == ("FAILED", "E", "C")
        assert entered(again) == ["A"] + ["Failed"] * (count + 1)
        assert again.events[-1]["type"] == "ExecutionFailed"


def test_retries_begin_at_zero(bench: Bench) -> None:
    """A state's attempts before the redrive do not count."""
    mark = f"retry-{time.time_ns()}"
    flaky = bench.task({"mode": "flaky", "id": mark, "failures": 3}, Retry=[_RETRY])
    execution = bench.start(jsonata("A", A=flaky))
    assert bench.finish(execution).status == "FAILED"
    assert redrive(bench, execution).status == "SUCCEEDED"


def test_the_definition_stays_the_one_it_began_with(bench: Bench) -> None:
    """A machine updated in between runs as it was."""
    machine = bench.machine(jsonata("A", A=once(bench)))
    execution = bench.states.start_execution(stateMachineArn=machine)["executionArn"]
    bench.finish(execution)
    other = jsonata("A", A={"Type": "Fail", "Error": "New", "Cause": "definition"})
    bench.states.update_state_machine(stateMachineArn=machine, definition=json.dumps(other))
    assert redrive(bench, execution).status == "SUCCEEDED"


def test_what_describes_an_execution_tells_of_redrives(bench: Bench) -> None:
    """Count, date, status and reason; the list too, and its filter."""
    machine = bench.machine(jsonata("A", A=once(bench)))
    redriven, other = (
        bench.states.start_execution(stateMachineArn=machine, name=name)["executionArn"]
        for name in ("redriven", "other")
    )
    bench.finish(redriven)
    bench.finish(other)
    described = bench.states.describe_execution(executionArn=redriven)
    assert (described["redriveCount"], described["redriveStatus"]) == (0, "REDRIVABLE")
    assert "redriveDate" not in described
    date = bench.states.redrive_execution(executionArn=redriven)["redriveDate"]
    bench.finish(redriven)
    described = bench.states.describe_execution(executionArn=redriven)
    assert (described["redriveCount"], described["redriveDate"]) == (1, date)
    assert described["redriveStatus"] == "NOT_REDRIVABLE"
    assert described["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    for wanted, arn in (("REDRIVEN", redriven), ("NOT_REDRIVEN", other)):
        answer = bench.states.list_executions(stateMachineArn=machine, redriveFilter=wanted)
        assert [each["executionArn"] for each in answer["executions"]] == [arn]
    (listed,) = bench.states.list_executions(stateMachineArn=machine, redriveFilter="REDRIVEN")[
        "executions"
    ]
    assert (listed["redriveCount"], listed["redriveDate"]) == (1, date)


def test_what_cannot_be_redriven_is_refused(bench: Bench) -> None:
    """What runs, what succeeded, what is not there, and what is no execution."""
    done = bench.start(jsonata("A", A={"Type": "Pass", "End": True}))
    bench.finish(done)
    running = bench.start(jsonata("A", A={"Type": "Wait", "Seconds": 30, "End": True}))
    for arn, code in (
        (done, "ExecutionNotRedrivable"),
        (running, "ExecutionNotRedrivable"),
        (f"{done}-none", "ExecutionDoesNotExist"),
        (ROLE, "InvalidArn"),
    ):
        with pytest.raises(ClientError) as refused:
            bench.states.redrive_execution(executionArn=arn)
        assert refused.value.response["Error"]["Code"] == code
    bench.states.stop_execution(executionArn=running)


def test_a_repeated_request_redrives_once(bench: Bench) -> None:
    """The same client token gives the same answer."""
    execution = bench.start(jsonata("A", A=once(bench)))
    bench.finish(execution)
    dates = {
        bench.states.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"]
        for _ in range(3)
    }
    assert len(dates) == 1
    bench.finish(execution)
    assert bench.states.describe_execution(executionArn=execution)["redriveCount"] == 1


def test_redriven_stopped_and_redriven_at_once_it_is_run_once(bench: Bench) -> None:
    """An attempt waits for the one before; one that was stopped before its turn is left out."""
    wait = {"Type": "Wait", "Seconds": 0, "Next": "B"}
    definition = jsonata("A", A=wait, B=bench.task({"n": 1}, Next="C"), C=PASS)
    for _ in range(12):
        execution = bench.start(definition)
        for _ in range(3):
            bench.states.stop_execution(executionArn=execution)
            bench.states.redrive_execution(executionArn=execution)
        done = bench.finish(execution)
        time.sleep(0.2)  # for another interpreter to come to its end as well
        types = [event["type"] for event in bench.history(execution)]
        assert (done.status, types) == ("SUCCEEDED", done.types)
        for once_only in ("WaitStateExited", "TaskStateExited", "ExecutionSucceeded"):
            assert types.count(once_only) == 1
        redriven = [at for at, kind in enumerate(types) if kind == "ExecutionRedriven"]
        assert [types[at - 1] for at in redriven] == ["ExecutionAborted"] * 3

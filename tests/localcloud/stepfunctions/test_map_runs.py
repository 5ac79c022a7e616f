"""Distributed Maps: each item is an execution of its own, and a failure is one."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import LONG, PASS, Bench, Outcome

_EXCEEDED = (
    "States.ExceedToleratedFailureThreshold",
    "The specified tolerated failure threshold was exceeded",
)
_ODD_FAIL: dict[str, Any] = {
    "StartAt": "Odd?",
    "States": {
        "Odd?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$", "NumericEquals": 1, "Next": "Odd"},
                {"Variable": "$", "NumericEquals": 3, "Next": "Odd"},
            ],
            "Default": "Even",
        },
        "Odd": {"Type": "Fail", "Error": "Odd", "Cause": "one too many"},
        "Even": PASS,
    },
}


def distributed(processor: dict[str, Any], kind: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    """A machine that is one Distributed Map."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    state = {"Type": "Map", "ItemProcessor": config | processor, "End": True} | fields
    return {"StartAt": "Map", "States": {"Map": state}}


def map_run(bench: Bench, execution: str) -> dict[str, Any]:
    """What describes the one Map Run of an execution."""
    (listed,) = bench.states.list_map_runs(executionArn=execution)["mapRuns"]
    found: dict[str, Any] = bench.states.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert found["executionArn"] == listed["executionArn"] == execution
    return found


def ran(bench: Bench, definition: dict[str, Any], given: Any) -> tuple[Outcome, dict[str, Any]]:
    """How an execution ended, and its Map Run."""
    execution = bench.start(definition, given)
    return bench.finish(execution), map_run(bench, execution)


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize("field", ["ItemProcessor", "Iterator"])
def test_a_child_that_fails_fails_the_map(bench: Bench, field: str, kind: str) -> None:
    """Nothing is tolerated unless the state says so; the history tells of the run's end."""
    definition = distributed(_ODD_FAIL, kind)
    state = definition["States"]["Map"]
    state[field] = state.pop("ItemProcessor")
    outcome, run = ran(bench, definition, [0, 1, 2])
    assert (outcome.status, outcome.error, outcome.cause) == ("FAILED", *_EXCEEDED)
    assert outcome.types[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    assert run["status"] == "FAILED"
    assert run["executionCounts"]["failed"] == 1


@pytest.mark.parametrize(
    ("tolerates", "status"),
    [
        ({"ToleratedFailureCount": 0}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 0}, "FAILED"),
        ({"ToleratedFailurePercentage": 49.5}, "FAILED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, "FAILED"),
        ({"ToleratedFailureCountPath": "$.count"}, "SUCCEEDED"),
    ],
)
def test_a_map_tolerates_what_it_says(bench: Bench, tolerates: Any, status: str) -> None:
    """By count, by share of the items, and by both: either is exceeded."""
    definition = distributed(_ODD_FAIL, **tolerates, ItemsPath="$.items")
    outcome, run = ran(bench, definition, {"items": [0, 1, 2, 3], "count": 2})
    assert (outcome.status, run["status"]) == (status, status)


def test_a_tolerated_failure_is_told_in_the_output(bench: Bench) -> None:
    """The child's execution stands in its item's place."""
    outcome, run = ran(bench, distributed(_ODD_FAIL, ToleratedFailureCount=1), [0, 1])
    good, failed = outcome.output
    assert good == 0
    told = (failed["Status"], failed["Error"], failed["Cause"], failed["Input"])
    assert told == ("FAILED", "Odd", "one too many", "1")
    counts = run["itemCounts"]
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (1, 1, 2)


def test_children_are_executions(bench: Bench) -> None:
    """Listed by their Map Run, with a history of their own; their events are not the parent's."""
    definition = distributed({"StartAt": "P", "States": {"P": PASS}}, Label="Items")
    execution = bench.start(definition, ["a", "b"])
    outcome = bench.finish(execution)
    run = map_run(bench, execution)
    assert run["mapRunArn"].split(":mapRun:")[1].split("/")[1].startswith("Items:")
    children = bench.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert [each["status"] for each in children] == ["SUCCEEDED"] * 2
    assert {each["stateMachineArn"].rpartition("/")[2] for each in children} == {"Items"}
    described = [bench.states.describe_execution(executionArn=c["executionArn"]) for c in children]
    assert sorted(json.loads(each["input"]) for each in described) == ["a", "b"]
    history = [event["type"] for event in bench.history(children[0]["executionArn"])]
    assert history == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert "PassStateEntered" not in outcome.types


def test_express_children_are_not_listed(bench: Bench) -> None:
    """As express executions are not; the Map Run counts them."""
    express = distributed({"StartAt": "P", "States": {"P": PASS}}, "EXPRESS")
    outcome, run = ran(bench, express, [1, 2])
    assert outcome.output == [1, 2]
    assert bench.states.list_executions(mapRunArn=run["mapRunArn"])["executions"] == []
    assert run["executionCounts"]["succeeded"] == 2


def test_a_stopped_parent_stops_its_children(bench: Bench) -> None:
    """None runs on."""
    execution = bench.start(distributed({"StartAt": "W", "States": {"W": LONG}}), [1, 2])
    while not any(e["type"] == "MapRunStarted" for e in bench.history(execution)):
        pass
    bench.states.stop_execution(executionArn=execution)
    assert bench.finish(execution).status == "ABORTED"
    arn = map_run(bench, execution)["mapRunArn"]
    while bench.states.describe_map_run(mapRunArn=arn)["status"] == "RUNNING":
        pass
    found = bench.states.describe_map_run(mapRunArn=arn)
    counts = found["executionCounts"]
    assert (found["status"], counts["aborted"], counts["running"]) == ("ABORTED", 2, 0)


def test_a_redrive_runs_the_children_that_failed(bench: Bench) -> None:
    """Those that succeeded keep their results; the run is the same, redriven."""
    flaky = (
        "{% $states.input = 1 ? {'mode': 'flaky', 'id': $states.context.StateMachine.Name"
        " ~> $replace('/', '-'), 'failures': 1} : {'n': $states.input} %}"
    )
    child = {"StartAt": "C", "States": {"C": bench.task(flaky, Output="{% $states.input %}")}}
    definition = distributed(child, Items=[0, 1, 2], MaxConcurrency=1, Label="R")
    execution = bench.start({"QueryLanguage": "JSONata"} | definition)
    assert bench.finish(execution).error == _EXCEEDED[0]
    before = map_run(bench, execution)
    assert before["executionCounts"]["aborted"] == 1  # the third was not started
    bench.states.redrive_execution(executionArn=execution)
    outcome = bench.finish(execution)
    assert (outcome.status, outcome.output) == ("SUCCEEDED", [0, 1, 2])
    assert "MapRunRedriven" in outcome.types
    after = map_run(bench, execution)
    assert (after["mapRunArn"], after["redriveCount"]) == (before["mapRunArn"], 1)
    children = bench.states.list_executions(mapRunArn=after["mapRunArn"])["executions"]
    assert sorted(each["redriveCount"] for each in children) == [0, 0, 1]


def test_a_child_is_not_redriven_alone(bench: Bench) -> None:
    """Its Map Run redrives it."""
    _, run = ran(bench, distributed(_ODD_FAIL), [1])
    (child,) = bench.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    described = bench.states.describe_execution(executionArn=child["executionArn"])
    assert described["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    with pytest.raises(ClientError, match="ExecutionNotRedrivable"):
        bench.states.redrive_execution(executionArn=child["executionArn"])


def test_a_map_run_that_is_not_there_is_named(bench: Bench) -> None:
    """By its error code."""
    arn = "arn:aws:states:us-east-1:000000000000:mapRun:none/x:y"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        bench.states.describe_map_run(mapRunArn=arn)

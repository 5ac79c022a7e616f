"""What the history tells, and machines of several kinds from start to end."""

import time

from tests.localcloud.stepfunctions.machines import LONG, PASS, ROLE, Bench, jsonata


def test_history_is_readable_while_running(bench: Bench) -> None:
    """Events appear as they happen, numbered from 1, each with the one it follows."""
    execution = bench.start(jsonata("A", A={"Type": "Pass", "Next": "W"}, W=LONG))
    time.sleep(0.2)
    events = bench.history(execution)
    bench.states.stop_execution(executionArn=execution)
    found = [(event["id"], event["previousEventId"], event["type"]) for event in events]
    assert found == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "PassStateEntered"),
        (3, 2, "PassStateExited"),
        (4, 3, "WaitStateEntered"),
    ]
    assert events[0]["executionStartedEventDetails"]["roleArn"] == ROLE


def test_history_pages_and_turns_around(bench: Bench) -> None:
    """Pages of the history add up to it, and reverse order is the reverse."""
    execution = bench.start(jsonata("A", A={"Type": "Pass", "Next": "B"}, B=PASS))
    types = bench.finish(execution).types
    page = bench.states.get_execution_history(executionArn=execution, maxResults=2)
    assert [event["type"] for event in page["events"]] == types[:2]
    assert page["nextToken"]
    turned = bench.states.get_execution_history(executionArn=execution, reverseOrder=True)
    assert [event["type"] for event in turned["events"]] == types[::-1]


def test_inline_map(bench: Bench) -> None:
    """An inline Map runs its processor for each item, in order of the items."""
    processor = {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "A",
        "States": {"A": bench.task({"n": "{% $states.input %}"})},
    }
    mapped = {"Type": "Map", "Items": "{% [1, 2, 3] %}", "ItemProcessor": processor, "End": True}
    outcome = bench.run(jsonata("M", M=mapped))
    assert [item["event"]["n"] for item in outcome.output] == [1, 2, 3]
    assert outcome.types.count("MapIterationSucceeded") == 3


def test_jsonpath_machines_run_too(bench: Bench) -> None:
    """Paths, intrinsic functions, ResultPath, ResultSelector and variables of JSONPath."""
    definition = {
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": bench.function, "Payload": {"n.$": "$.n"}},
                "ResultSelector": {"n.$": "$.Payload.event.n"},
                "ResultPath": "$.from",
                "Assign": {"kept.$": "$.Payload.event.n"},
                "Next": "B",
            },
            "B": {
                "Type": "Pass",
                "Parameters": {
                    "text.$": "States.Format('{} of {}', $.from.n, $.word)",
                    "kept.$": "$kept",
                    "name.$": "$$.State.Name",
                },
                "End": True,
            },
        },
    }
    outcome = bench.run(definition, {"n": 7, "word": 'a "b"'})
    assert outcome.output == {"text": '7 of a "b"', "kept": 7, "name": "B"}


def test_a_machine_starts_another_and_waits(bench: Bench) -> None:
    """startExecution.sync:2 gives the other execution's output as JSON."""
    inner = bench.machine(jsonata("A", A={"Type": "Pass", "Output": {"x": 1}, "End": True}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": inner, "Input": {"given": "{% 'é' %}"}},
        "Output": "{% $states.result.[Output.x, Input.given] %}",
        "End": True,
    }
    assert bench.run(jsonata("A", A=task)).output == [1, "é"]

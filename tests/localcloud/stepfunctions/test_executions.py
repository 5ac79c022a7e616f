"""Stopping, timing out, cancelling, and what the history and EventBridge tell."""

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import ROLE, Bench, jsonata

LONG = {"Type": "Wait", "Seconds": 60, "End": True}
PASS = {"Type": "Pass", "End": True}
SDK = "arn:aws:states:::aws-sdk:"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error code of a refused call."""
    return str(error.value.response["Error"]["Code"])


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


def test_same_name_same_input_is_the_same_execution(bench: Bench) -> None:
    """A repeated start gives the running execution; other input, or a finished one, is refused."""
    machine = bench.machine(jsonata("W", W=LONG))
    name = uuid.uuid4().hex
    start = bench.states.start_execution
    first = start(stateMachineArn=machine, name=name, input="{}")
    again = start(stateMachineArn=machine, name=name, input="{}")
    assert again["executionArn"] == first["executionArn"]
    assert again["startDate"] == first["startDate"]
    with pytest.raises(ClientError) as other:
        start(stateMachineArn=machine, name=name, input='{"other": 1}')
    assert refusal(other) == "ExecutionAlreadyExists"
    bench.states.stop_execution(executionArn=first["executionArn"])
    with pytest.raises(ClientError) as closed:
        start(stateMachineArn=machine, name=name, input="{}")
    assert refusal(closed) == "ExecutionAlreadyExists"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "a/b"}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
    ],
)
def test_a_malformed_start_is_refused(bench: Bench, given: dict[str, str], code: str) -> None:
    """Names and inputs are checked before anything starts."""
    machine = bench.machine(jsonata("A", A=PASS))
    with pytest.raises(ClientError) as refused:
        bench.states.start_execution(stateMachineArn=machine, **given)
    assert refusal(refused) == code


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"StartAt": "X", "States": {"A": PASS}}, "MISSING_TRANSITION_TARGET"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}, "Next' target: B"),
        ({"StartAt": "A", "States": {"A": PASS, "B": PASS}}, "'B' is not reachable"),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, "either Next or End"),
        ({"StartAt": "A", "States": {"A": {"Type": "Nap", "End": True}}}, "SCHEMA_VALIDATION"),
        (jsonata("A", A={**PASS, "Output": "{% $sum( %}"}), "INVALID_JSONATA_EXPRESSION"),
        (jsonata("A", A={**PASS, "Type": "Parallel", "Branches": [{}]}), "at least one state"),
        (
            jsonata(
                "A",
                A={
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sagemaker:createModel.sync",
                    "Arguments": {},
                    "End": True,
                },
            ),
            "not recognized",
        ),
        (jsonata("A", A={**PASS, "Type": "Task", "Resource": f"{SDK}s3:fooBar"}), "s3:fooBar"),
        (jsonata("A", A={**PASS, "Type": "Task", "Resource": f"{SDK}foo:list"}), "foo:list"),
    ],
)
def test_an_invalid_definition_is_refused(
    bench: Bench, definition: dict[str, Any], said: str
) -> None:
    """Creating, updating and validating all say what is wrong."""
    text = json.dumps(definition)
    with pytest.raises(ClientError) as created:
        bench.states.create_state_machine(name="bad", definition=text, roleArn=ROLE)
    assert refusal(created) == "InvalidDefinition"
    assert said in str(created.value)
    machine = bench.machine(jsonata("A", A=PASS))
    with pytest.raises(ClientError) as updated:
        bench.states.update_state_machine(stateMachineArn=machine, definition=text)
    assert refusal(updated) == "InvalidDefinition"
    verdict = bench.states.validate_state_machine_definition(definition=text)
    assert verdict["result"] == "FAIL"
    assert said in " ".join(f"{each['code']} {each['message']}" for each in verdict["diagnostics"])


def test_a_valid_definition_is_found_valid(bench: Bench) -> None:
    """Validating a sound definition gives OK and no diagnostics."""
    text = json.dumps(jsonata("A", A=PASS))
    verdict = bench.states.validate_state_machine_definition(definition=text)
    assert (verdict["result"], verdict["diagnostics"]) == ("OK", [])


def test_a_template_with_an_invalid_machine_fails(bench: Bench) -> None:
    """CloudFormation fails the stack and says why."""
    formation = bench.cloud.client("cloudformation")
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": ROLE, "DefinitionString": '{"StartAt":"X","States":{}}'},
    }
    template = json.dumps({"Resources": {"Machine": machine}})
    formation.create_stack(StackName="invalid-machine", TemplateBody=template)
    (stack,) = formation.describe_stacks(StackName="invalid-machine")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = formation.describe_stack_events(StackName="invalid-machine")["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert any("Invalid State Machine Definition" in reason for reason in reasons)


def test_status_changes_reach_event_bridge(bench: Bench) -> None:
    """RUNNING and each kind of end are sent as events."""
    queues, rules = bench.cloud.client("sqs"), bench.cloud.client("events")
    url = queues.create_queue(QueueName="statuses")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]},
    }
    rules.put_rule(Name="statuses", EventPattern=json.dumps(pattern))
    rules.put_targets(Rule="statuses", Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    expected = {}
    for definition, status in (
        (jsonata("A", A=PASS), "SUCCEEDED"),
        (jsonata("A", A={"Type": "Fail", "Error": "E"}), "FAILED"),
        (jsonata("A", A=LONG) | {"TimeoutSeconds": 1}, "TIMED_OUT"),
    ):
        execution = bench.start(definition)
        assert bench.finish(execution).status == status
        expected[execution] = status
    aborted = bench.start(jsonata("A", A=LONG))
    bench.states.stop_execution(executionArn=aborted)
    expected[aborted] = "ABORTED"
    found: dict[str, str] = {}
    deadline = time.monotonic() + 5
    while not expected.items() <= found.items() and time.monotonic() < deadline:
        received = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in received.get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            found[detail["executionArn"]] = detail["status"]
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    rules.remove_targets(Rule="statuses", Ids=["q"])
    assert expected.items() <= found.items()


def test_logs_reach_cloudwatch(bench: Bench) -> None:
    """A machine that logs writes its events to its log group."""
    logs = bench.cloud.client("logs")
    group = "/aws/vendedlogs/states/probe"
    logs.create_log_group(logGroupName=group)
    where = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    machine = bench.machine(
        jsonata("A", A=PASS),
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": where}}],
        },
    )
    started = bench.states.start_execution(stateMachineArn=machine, input='{"a": 1}')
    types = bench.finish(started["executionArn"]).types
    deadline = time.monotonic() + 5
    lines: list[dict[str, Any]] = []
    while len(lines) < len(types) and time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(event["message"]) for event in events]
        time.sleep(0.05)
    assert [line["type"] for line in lines] == types
    assert {line["execution_arn"] for line in lines} == {started["executionArn"]}
    assert json.loads(lines[0]["details"]["input"]) == {"a": 1}


def test_a_templates_logging_configuration_is_kept(bench: Bench) -> None:
    """A machine made by a stack describes its logging as one made by a call does."""
    group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/stack:*"
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": "logging",
            "RoleArn": ROLE,
            "DefinitionString": json.dumps(jsonata("A", A=PASS)),
            "LoggingConfiguration": {
                "Level": "ERROR",
                "IncludeExecutionData": False,
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
            },
        },
    }
    template = json.dumps({"Resources": {"Machine": machine}})
    bench.cloud.client("cloudformation").create_stack(StackName="logging", TemplateBody=template)
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:logging"
    found = bench.states.describe_state_machine(stateMachineArn=arn)["loggingConfiguration"]
    assert found == {
        "level": "ERROR",
        "includeExecutionData": False,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
    }


def test_threads_of_stopped_tasks_end_quietly(bench: Bench) -> None:
    """Nothing of what the tests before this one stopped is in the gateway's log as an accident."""
    execution = bench.start(jsonata("A", A=bench.task({"mode": "sleep", "seconds": 1})))
    time.sleep(0.2)
    bench.states.stop_execution(executionArn=execution)
    time.sleep(1.2)
    log = (bench.cloud.home / "logs" / "gateway.log").read_text()
    assert "Exception in thread" not in log


def test_a_task_token_ends_its_task(bench: Bench) -> None:
    """A task that waits for its token ends with the output sent for it."""
    task = bench.task({"token": "{% $states.context.Task.Token %}"}, TimeoutSeconds=10)
    task["Resource"] += ".waitForTaskToken"
    task["Output"] = "{% $states.result %}"
    execution = bench.start(jsonata("A", A=task))
    deadline = time.monotonic() + 5
    while "TaskSubmitted" not in [event["type"] for event in bench.history(execution)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (scheduled,) = [e for e in bench.history(execution) if e["type"] == "TaskScheduled"]
    parameters = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])
    bench.states.send_task_success(
        taskToken=parameters["Payload"]["token"], output='{"answer": 42}'
    )
    assert bench.finish(execution).output == {"answer": 42}
    with pytest.raises(ClientError) as unknown:
        bench.states.send_task_success(taskToken="unknown", output="{}")
    assert refusal(unknown) == "TaskDoesNotExist"


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

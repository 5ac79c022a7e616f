"""Express workflows are what AWS's are: started often, awaited, told of by logs alone."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import PASS, ROLE, Bench

_ECHO = {"StartAt": "A", "States": {"A": PASS}}
_FAIL = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "Own", "Cause": "why"}}}


def express(bench: Bench, definition: dict[str, Any]) -> str:
    """An express machine's ARN."""
    return bench.machine(definition, type="EXPRESS")


def test_a_synchronous_execution_answers_with_its_end(bench: Bench) -> None:
    """Output, ARN and what is billed, by 100 ms."""
    machine = express(bench, _ECHO)
    found = bench.states.start_sync_execution(stateMachineArn=machine, input='{"a": 1}', name="n")
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"a": 1})
    arn = machine.replace(":stateMachine:", ":express:") + ":n:"
    assert found["executionArn"].startswith(arn)
    assert found["name"] == "n"
    assert found["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    assert found["billingDetails"]["billedMemoryUsedInMB"] == 64


def test_a_synchronous_execution_that_fails_says_why(bench: Bench) -> None:
    """Without an output."""
    found = bench.states.start_sync_execution(stateMachineArn=express(bench, _FAIL))
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Own", "why")
    assert "output" not in found


def test_one_name_starts_any_number(bench: Bench) -> None:
    """Each is an execution of its own."""
    machine = express(bench, _ECHO)
    arns = {
        bench.states.start_execution(stateMachineArn=machine, name="same")["executionArn"]
        for _ in range(2)
    }
    assert len(arns) == 2


def test_the_api_tells_nothing_of_express_executions(bench: Bench) -> None:
    """It refuses their ARNs, and to list them."""
    machine = express(bench, _ECHO)
    arn = bench.states.start_execution(stateMachineArn=machine)["executionArn"]
    for call in ("describe_execution", "stop_execution", "get_execution_history"):
        with pytest.raises(ClientError) as refused:
            getattr(bench.states, call)(executionArn=arn)
        assert refused.value.response["Error"] == {
            "Code": "InvalidArn",
            "Message": "Invalid Arn: 'Resource type not valid in this context: express'",
        }
    with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
        bench.states.list_executions(stateMachineArn=machine)


def test_a_standard_machine_is_not_awaited(bench: Bench) -> None:
    """StartSyncExecution is for the other type."""
    with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
        bench.states.start_sync_execution(stateMachineArn=bench.machine(_ECHO))


def test_its_context_has_no_redrives(bench: Bench) -> None:
    """Express executions cannot be redriven."""
    definition = {
        "StartAt": "A",
        "States": {"A": {**PASS, "Parameters": {"execution.$": "$$.Execution"}}},
    }
    found = bench.states.start_sync_execution(stateMachineArn=express(bench, definition))
    execution = json.loads(found["output"])["execution"]
    assert set(execution) == {"Id", "Input", "Name", "RoleArn", "StartTime"}
    assert execution["Id"] == found["executionArn"]


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", "'.waitForTaskToken'"),
        ("arn:aws:states:::sagemaker:createTrainingJob.sync", "'.sync'"),
        ("arn:aws:states:::states:startExecution.sync:2", "'.sync'"),
        ("arn:aws:states:us-east-1:000000000000:activity:a", "Activity ARN"),
    ],
)
def test_what_waits_is_refused(bench: Bench, resource: str, problem: str) -> None:
    """When the machine is created, inside of branches too."""
    task = {"Type": "Task", "Resource": resource, "Parameters": {}, "End": True}
    branch = {"StartAt": "T", "States": {"T": task}}
    parallel = {"Type": "Parallel", "Branches": [branch], "End": True}
    with pytest.raises(ClientError) as refused:
        express(bench, {"StartAt": "P", "States": {"P": parallel}})
    message = refused.value.response["Error"]["Message"]
    assert f"Express state machine does not support {problem}" in message
    assert "/States/P/Branches[0]/States/T/Resource" in message


def test_a_distributed_map_is_refused(bench: Bench) -> None:
    """It belongs in a standard machine; its children may be express."""
    processor = _ECHO | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True}
    with pytest.raises(ClientError, match="does not support Distributed Map"):
        express(bench, {"StartAt": "M", "States": {"M": state}})


def test_any_client_reaches_the_synchronous_calls(bench: Bench) -> None:
    """With the variables of the local cloud alone: the host's prefix `sync-` is left out."""
    script = (
        "import boto3, sys; sfn = boto3.client('stepfunctions');"
        "print(sfn.start_sync_execution(stateMachineArn=sys.argv[1])['status']);"
        "print(sfn.test_state(definition=sys.argv[2], roleArn=sys.argv[3])['status'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, express(bench, _ECHO), json.dumps(PASS), ROLE],
        env={"PATH": os.environ["PATH"]} | bench.cloud.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.split() == ["SUCCEEDED", "SUCCEEDED"]

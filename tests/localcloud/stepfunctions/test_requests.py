"""Requests of the API: starts, definitions, task tokens."""

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.stepfunctions.machines import LONG, PASS, ROLE, Bench, jsonata

SDK = "arn:aws:states:::aws-sdk:"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error code of a refused call."""
    return str(error.value.response["Error"]["Code"])


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


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "a", "versionDescription": "first"}, "ValidationException"),
    ],
)
def test_a_machine_is_created_as_it_may_be(bench: Bench, given: dict[str, Any], code: str) -> None:
    """With a name that names may be, and a version's description with a version."""
    definition = json.dumps({"StartAt": "A", "States": {"A": PASS}})
    with pytest.raises(ClientError) as refused:
        bench.states.create_state_machine(definition=definition, roleArn=ROLE, **given)
    assert refused.value.response["Error"]["Code"] == code


def test_an_update_of_nothing_is_refused(bench: Bench) -> None:
    """Something must be given."""
    machine = bench.machine({"StartAt": "A", "States": {"A": PASS}})
    with pytest.raises(ClientError, match="MissingRequiredParameter"):
        bench.states.update_state_machine(stateMachineArn=machine)


def test_a_revision_has_one_version(bench: Bench) -> None:
    """Published again it is the same; another revision's is another."""
    machine = bench.machine({"StartAt": "A", "States": {"A": PASS}})
    first, again = (
        bench.states.publish_state_machine_version(stateMachineArn=machine) for _ in range(2)
    )
    assert first["stateMachineVersionArn"] == again["stateMachineVersionArn"] == f"{machine}:1"
    same = json.dumps({"StartAt": "A", "States": {"A": PASS}})
    update = bench.states.update_state_machine
    revision = update(stateMachineArn=machine, definition=same)["revisionId"]
    other = json.dumps({"StartAt": "B", "States": {"B": PASS}})
    update(stateMachineArn=machine, definition=other)
    second = bench.states.publish_state_machine_version(stateMachineArn=machine)
    assert second["stateMachineVersionArn"] == f"{machine}:2"
    with pytest.raises(ClientError) as refused:
        bench.states.publish_state_machine_version(stateMachineArn=machine, revisionId=revision)
    assert f"version for revision {revision}." in refused.value.response["Error"]["Message"]


def test_activities_are_created_and_deleted_any_number_of_times(bench: Bench) -> None:
    """Both operations are idempotent; a name is one that names may be."""
    arns = {bench.states.create_activity(name="task")["activityArn"] for _ in range(2)}
    (arn,) = arns
    for _ in range(2):
        bench.states.delete_activity(activityArn=arn)
    with pytest.raises(ClientError, match="InvalidName"):
        bench.states.create_activity(name="a/b")


def test_a_failed_execution_is_described_without_output(bench: Bench) -> None:
    """There is none, and no details of it."""
    arn = bench.start({"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E"}}})
    bench.finish(arn)
    assert (
        not {"output", "outputDetails"} & bench.states.describe_execution(executionArn=arn).keys()
    )


def test_a_revision_is_shown_once_a_machine_was_updated(bench: Bench) -> None:
    """An update that changes nothing keeps it."""
    machine = bench.machine({"StartAt": "A", "States": {"A": PASS}})
    found = bench.states.describe_state_machine(stateMachineArn=machine)
    assert "revisionId" not in found
    assert found["tracingConfiguration"] == {"enabled": False}
    revisions = [
        bench.states.update_state_machine(stateMachineArn=machine, definition=definition)[
            "revisionId"
        ]
        for definition in (
            found["definition"],
            found["definition"],
            '{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}',
        )
    ]
    assert revisions[0] == revisions[1] != revisions[2]
    described = bench.states.describe_state_machine(stateMachineArn=machine)
    assert described["revisionId"] == revisions[2]


def test_a_version_shows_its_revision_unless_it_is_the_first(bench: Bench) -> None:
    """Nor a description that it has not."""
    machine = bench.machine({"StartAt": "A", "States": {"A": PASS}})
    publish = bench.states.publish_state_machine_version
    first = publish(stateMachineArn=machine)["stateMachineVersionArn"]
    other = json.dumps({"StartAt": "B", "States": {"B": PASS}})
    bench.states.update_state_machine(stateMachineArn=machine, definition=other)
    second = publish(stateMachineArn=machine, description="new")["stateMachineVersionArn"]
    described = [
        bench.states.describe_state_machine(stateMachineArn=arn) for arn in (first, second)
    ]
    assert ["revisionId" in each for each in described] == [False, True]
    assert [each.get("description") for each in described] == [None, "new"]


def test_an_executions_machine_is_described_with_its_logging(bench: Bench) -> None:
    """As the machine is."""
    arn = bench.start({"StartAt": "A", "States": {"A": PASS}})
    found = bench.states.describe_state_machine_for_execution(executionArn=arn)
    assert found["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}

"""State machines in templates."""

import json

from tests.localcloud.stepfunctions.machines import PASS, ROLE, Bench, jsonata


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

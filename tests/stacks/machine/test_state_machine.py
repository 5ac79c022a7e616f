"""A state machine in a stack: its limit, its log, its trace and its role."""

import json
from typing import Any

from gates.assembly import Assembly
from gates.machine import Machine
from tests.stacks.guarding import KEY

MACHINE = "AWS::StepFunctions::StateMachine"


def declared(assembly: Assembly) -> dict[str, Any]:
    """The properties of the pipeline's machine."""
    (properties,) = assembly.properties("pipeline", MACHINE)
    return properties


def test_a_run_ends_within_a_day_unless_the_settings_say_another_limit(machine: Machine) -> None:
    """Whatever it waits for."""
    assert machine.definition["TimeoutSeconds"] == 24 * 3600


def test_what_a_run_was_given_is_not_in_the_log(dev: Assembly) -> None:
    """All events are, without their data, in a log of the name that Step Functions may write to."""
    properties = declared(dev)
    logging = properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert properties["TracingConfiguration"] == {"Enabled": True}
    (destination,) = logging["Destinations"]
    (name, _) = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"]
    group = dev.declared("pipeline", "AWS::Logs::LogGroup")[name]
    assert group["Properties"]["LogGroupName"] == "/aws/vendedlogs/states/spine-dev"
    assert group["DeletionPolicy"] == "Delete"


def test_only_machines_of_this_account_act_under_its_role(dev: Assembly) -> None:
    """Step Functions would else be a deputy for anybody's machine."""
    (role,) = (
        each["Properties"]
        for name, each in dev.declared("pipeline", "AWS::IAM::Role").items()
        if name.startswith("MachineRole")
    )
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }


def test_a_machine_has_one_name_with_a_key_and_without(dev: Assembly, guarded: Assembly) -> None:
    """The policy over the key must name it, and another name would be another machine."""
    assert declared(dev)["StateMachineName"] == "spine-dev"
    assert "EncryptionConfiguration" not in declared(dev)
    properties = declared(guarded)
    assert properties["StateMachineName"] == "spine-dev"
    assert properties["EncryptionConfiguration"]["KmsKeyId"] == KEY
    assert KEY in json.dumps(
        [
            each["Properties"]["KmsKeyId"]
            for name, each in guarded.declared("pipeline", "AWS::Logs::LogGroup").items()
            if name.startswith("MachineLog")
        ]
    )

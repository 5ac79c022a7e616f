"""What a run finds that goes on with the definition of an earlier deployment.

The definition names functions, roles and the bucket by what CloudFormation called them then.
Docs: `docs/decisions/0015-a-run-may-be-older-than-what-is-deployed.md`.
"""

import json
import re

import pytest

from gates.assembly import Assembly

# What definitions name, by room, with what it is. The logical id follows from the construct's path.
# If one changes, the former is deleted with the next deployment, and every run of before fails that
# is at work or redriven.
NAMED = {
    "pipeline": {
        "CleanUp0B94A1AB": "AWS::Lambda::Function",
        "Evaluate79BF8C60": "AWS::Lambda::Function",
        "PlanDAF4E53A": "AWS::Lambda::Function",
        "Predict6CE45951": "AWS::Lambda::Function",
        "Prepare75E8D311": "AWS::Lambda::Function",
        "PreparationCodeKept": "Custom::SpineJobCode",
        "PreparationRoleBBC702A5": "AWS::IAM::Role",
        # The execution's own.
        "MachineRole7E10B2C3": "AWS::IAM::Role",
        "Machine6FC8AE80": "AWS::StepFunctions::StateMachine",
    },
    "storage": {
        "Data666C94C7": "AWS::S3::Bucket",
        "SageMakerRoleD4FCFA3F": "AWS::IAM::Role",
    },
}
# What CloudFormation makes another one for ("Update requires: Replacement", template reference).
REPLACED_FOR = {
    "AWS::Lambda::Function": {"FunctionName", "PackageType"},
    "AWS::IAM::Role": {"RoleName", "Path"},
    "AWS::S3::Bucket": {"BucketName"},
}


def test_what_definitions_name_keeps_its_logical_id(dev: Assembly) -> None:
    """Everything that the machine's definition refers to, and the machine itself."""
    (machine,) = dev.declared("pipeline", "AWS::StepFunctions::StateMachine").items()
    text = json.dumps(machine[1]["Properties"])
    own = re.findall(r'"(?:Fn::GetAtt": \[|Ref": )"(\w+)"', text)
    pipeline = dev.templates["pipeline"]["Resources"]
    declared = {name: pipeline[name]["Type"] for name in (machine[0], *own) if name in pipeline}
    logged = {name for name, kind in declared.items() if kind == "AWS::Logs::LogGroup"}
    assert {name: declared[name] for name in declared.keys() - logged} == NAMED["pipeline"]
    imported = set(re.findall(r'"Fn::ImportValue": "[\w-]+:(\w+)"', text))
    outputs = dev.templates["storage"]["Outputs"]
    values = (outputs[each]["Value"] for each in imported)
    named = {each.get("Ref") or each["Fn::GetAtt"][0] for each in values}
    resources = dev.templates["storage"]["Resources"]
    assert {name: resources[name]["Type"] for name in named} == NAMED["storage"]


@pytest.mark.parametrize("room", NAMED)
def test_nothing_that_definitions_name_can_be_replaced_by_a_setting(
    dev: Assembly, room: str
) -> None:
    """None has a property, such as a name, whose change makes CloudFormation make another one."""
    for name, kind in NAMED[room].items():
        given = dev.templates[room]["Resources"][name].get("Properties", {})
        assert not given.keys() & REPLACED_FOR.get(kind, set()), name

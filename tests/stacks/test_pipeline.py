"""The functions and the machine may do what their step needs, and nothing else."""

import json
from typing import Any

import pytest

from gates.assembly import Assembly
from tests.support import ROOT

ROOMS = ("storage", "pipeline", "triggers")


def of_function(assembly: Assembly, name: str) -> str:
    """What the policy of one function's role allows, as text."""
    (statements,) = (
        each["PolicyDocument"]["Statement"]
        for room in ROOMS
        for each in assembly.properties(room, "AWS::IAM::Policy")
        if each["PolicyName"].startswith(f"{name}Role")
    )
    return json.dumps([each for each in statements if each["Effect"] == "Allow"])


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("function", "may", "may_not"),
    [
        ("Plan", ["logs:PutLogEvents", "/incoming/*"], ["s3:Put", "/runs/*", "sagemaker:"]),
        ("Prepare", ["/runs/*/train/*", "/incoming/*"], ["sagemaker:", "/runs/*/model/*"]),
        ("PreparationCodePublish", ["/code/*"], ["/runs/*", "s3:Delete", "sagemaker:"]),
        ("Predict", ["sagemaker:InvokeEndpoint"], ["s3:PutObject"]),
        ("Evaluate", ["/runs/*/evaluation/*"], ["sagemaker:", "/incoming/*"]),
        ("CleanUp", ["sagemaker:DeleteEndpoint"], ["s3:", "sagemaker:Create"]),
        ("TearDown", ["sagemaker:DeleteModel"], ["s3:", "sagemaker:Create"]),
        ("Start", ["states:StartExecution"], ["s3:", "sagemaker:"]),
        ("Sweep", ["states:DescribeExecution"], ["s3:", "states:StartExecution"]),
    ],
)
def test_a_function_has_its_steps_permissions_only(
    dev: Assembly, function: str, may: list[str], may_not: list[str]
) -> None:
    """Each function's role names what it touches; what it has no business with is absent."""
    policy = of_function(dev, function)
    assert [text for text in may if text not in policy] == []
    assert [text for text in may_not if text in policy] == []


def test_the_machine_creates_isolated_resources_of_allowed_types_only(dev: Assembly) -> None:
    """IAM itself refuses a training job with a network, or an instance type not in the settings."""
    (policy,) = (
        each["PolicyDocument"]["Statement"]
        for each in dev.properties("pipeline", "AWS::IAM::Policy")
        if each["PolicyName"].startswith("MachineRole")
    )
    conditions = {
        action: each.get("Condition", {})
        for each in policy
        for action in as_list(each["Action"])
        if action.startswith("sagemaker:Create")
    }
    for action in ("CreateTrainingJob", "CreateModel"):
        assert conditions[f"sagemaker:{action}"]["Bool"] == {"sagemaker:NetworkIsolation": "true"}
    for action in ("CreateTrainingJob", "CreateEndpointConfig", "CreateTransformJob"):
        types = conditions[f"sagemaker:{action}"]["ForAllValues:StringEquals"]
        assert "ml.m5.xlarge" in types["sagemaker:InstanceTypes"]


def test_removal_stops_the_machine_before_it_sweeps(dev: Assembly) -> None:
    """CloudFormation deletes in reverse: what stops runs, the machine, what sweeps."""
    machines = dev.declared("pipeline", "AWS::StepFunctions::StateMachine")
    (leftovers,) = dev.declared("pipeline", "Custom::SpineLeftovers")
    assert all(leftovers in machine["DependsOn"] for machine in machines.values())
    running = dev.properties("pipeline", "Custom::SpineRunning")
    assert [each["StateMachineArn"] for each in running] == [{"Ref": name} for name in machines]


def test_the_removal_of_leftovers_may_go_on_for_an_hour(dev: Assembly) -> None:
    """Its function may call itself, and nothing else; the policy outlives the resource."""
    (leftovers,) = dev.declared("pipeline", "Custom::SpineLeftovers").values()
    assert leftovers["Properties"]["ServiceTimeout"] == "3600"
    policies = dev.declared("pipeline", "AWS::IAM::Policy")
    (again,) = (name for name in policies if name.startswith("TearDownAgain"))
    assert again in leftovers["DependsOn"]
    (statement,) = policies[again]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == leftovers["Properties"]["ServiceToken"]


def test_handlers_name_modules_that_exist(dev: Assembly) -> None:
    """What the template tells Lambda to import is in the function's own code."""
    for room in ("pipeline", "triggers"):
        for function in dev.properties(room, "AWS::Lambda::Function"):
            if function["Runtime"] != "python3.13":
                continue  # CDK's own bucket emptier
            module, name = function["Handler"].rsplit(".", 1)
            path = module.replace(".", "/") + ".py"
            assert f"def {name}(" in (ROOT / path).read_text(), path

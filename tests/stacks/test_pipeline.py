"""The functions and the machine may do what their step needs, and nothing else."""

import json
from typing import Any

import pytest

from gates.assembly import Assembly
from tests.support import ROOT

ROOMS = ("storage", "pipeline", "triggers")


def statements(assembly: Assembly) -> list[dict[str, Any]]:
    """Every statement of every policy."""
    return [
        statement
        for room in ROOMS
        for policy in assembly.properties(room, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def of_function(assembly: Assembly, name: str) -> str:
    """The policy of one function's role, as text."""
    (policy,) = (
        each["PolicyDocument"]
        for room in ROOMS
        for each in assembly.properties(room, "AWS::IAM::Policy")
        if each["PolicyName"].startswith(f"{name}Role")
    )
    return json.dumps(policy)


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the one."""
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_every_action_of_anything(dev: Assembly) -> None:
    """Actions are spelled out, one by one."""
    actions = [action for each in statements(dev) for action in as_list(each["Action"])]
    assert actions
    assert not [action for action in actions if "*" in action]


def test_no_role_has_a_managed_full_access_policy(dev: Assembly) -> None:
    """The only managed policy is the log writing of CDK's own bucket emptier."""
    managed = [
        json.dumps(role["ManagedPolicyArns"])
        for room in ROOMS
        for role in dev.properties(room, "AWS::IAM::Role")
        if "ManagedPolicyArns" in role
    ]
    assert [("AWSLambdaBasicExecutionRole" in arns, arns.count("arn:")) for arns in managed] == [
        (True, 1)
    ]


def test_a_star_resource_stands_only_where_iam_has_nothing_narrower(dev: Assembly) -> None:
    """The actions that the IAM service authorization reference lists without a resource."""
    allowed = {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "sagemaker:ListEndpoints",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "sagemaker:ListProcessingJobs",
        "sagemaker:ListTrainingJobs",
        "sagemaker:ListTransformJobs",
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
        "states:SendTaskFailure",
    }
    wide = {
        action
        for each in statements(dev)
        if "*" in as_list(each["Resource"])
        for action in as_list(each["Action"])
    }
    assert wide
    assert wide <= allowed


def test_passing_a_role_means_named_roles_to_one_service(dev: Assembly) -> None:
    """Nobody can hand SageMaker another role, or one of these to another service."""
    (passing,) = (each for each in statements(dev) if "iam:PassRole" in as_list(each["Action"]))
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    own, shared = sorted(map(json.dumps, as_list(passing["Resource"])))
    assert "PreparationRole" in own
    assert "SageMakerRole" in shared


@pytest.mark.parametrize(
    ("function", "may", "may_not"),
    [
        ("Plan", ["logs:PutLogEvents", "/incoming/*"], ["s3:Put", "/runs/*", "sagemaker:"]),
        ("Prepare", ["/runs/*/train/*", "/incoming/*"], ["sagemaker:", "/runs/*/model/*"]),
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


def test_the_machine_logs_without_data_and_traces(dev: Assembly) -> None:
    """The log tells the states; inputs and results stay in the history."""
    (machine,) = dev.properties("pipeline", "AWS::StepFunctions::StateMachine")
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    groups = dev.properties("pipeline", "AWS::Logs::LogGroup")
    assert "/aws/vendedlogs/states/spine-dev" in [group.get("LogGroupName") for group in groups]


def test_removal_stops_the_machine_before_it_sweeps(dev: Assembly) -> None:
    """CloudFormation deletes in reverse: what stops runs, the machine, what sweeps."""
    (machine,) = dev.declared("pipeline", "AWS::StepFunctions::StateMachine").values()
    (leftovers,) = dev.declared("pipeline", "Custom::SpineLeftovers")
    assert leftovers in machine["DependsOn"]
    (name,) = dev.declared("pipeline", "AWS::StepFunctions::StateMachine")
    (running,) = dev.properties("pipeline", "Custom::SpineRunning")
    assert running["StateMachineArn"] == {"Ref": name}


def test_handlers_name_modules_that_exist(dev: Assembly) -> None:
    """What the template tells Lambda to import is in the function's own code."""
    for room in ("pipeline", "triggers"):
        for function in dev.properties(room, "AWS::Lambda::Function"):
            if function["Runtime"] != "python3.13":
                continue  # CDK's own bucket emptier
            module, name = function["Handler"].rsplit(".", 1)
            path = module.replace(".", "/") + ".py"
            assert f"def {name}(" in (ROOT / path).read_text(), path

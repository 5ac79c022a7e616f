"""What is called is allowed, what is allowed is needed, and each rule notices what it is for."""

import copy
import json
from typing import Any

import pytest

from gates import permissions
from gates.assembly import Assembly, as_list
from tests.gates.mutants import Change, Templates, add, mutated, policy_of, role_of


def test_the_app_has_the_permissions_it_needs_and_no_other(assembly: Assembly) -> None:
    """Every recorded call is allowed by an independent evaluator, and every grant has its need."""
    assert permissions.problems(assembly) == []


def test_the_record_holds_every_role_that_calls_aws() -> None:
    """Calls of the machine, of SageMaker and of all functions but the one that calls nothing."""
    roles = {call["role"] for call in permissions.recorded()}
    assert {
        "MachineRole",
        "SageMakerRole",
        "PrepareRole",
        "PredictRole",
        "EvaluateRole",
        "CleanUpRole",
        "TearDownRole",
        "StartRole",
        "SweepRole",
    } <= roles
    assert all(call["allowed"] for call in permissions.recorded())


def test_taking_any_needed_action_away_is_noticed(assembly: Assembly) -> None:
    """For each action that recorded calls need, one of them is refused without it."""
    documents = permissions.policies(assembly)
    needed = 0
    for grant in permissions.grants(assembly):
        calls = permissions.shown_by_calls(documents, grant, permissions.recorded())
        for call in calls:
            without = copy.deepcopy(documents[grant.role])
            statement = without[grant.index]
            actions = as_list(statement["Action"])
            statement["Action"] = [each for each in actions if each != grant.action] or ["x:Y"]
            assert not permissions.allowed(without, call), str(grant)
        needed += bool(calls)
    assert needed >= 50


def test_a_call_that_no_policy_allows_is_refused(assembly: Assembly) -> None:
    """The evaluator looks at resources and conditions, not only at names of actions."""
    arn = "arn:aws:sagemaker:us-east-1:000000000000"
    fine = {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:NetworkIsolation": "true",
    }
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    role = "arn:aws:iam::000000000000:role"
    asked = [
        ("CreateTrainingJob", f"{arn}:training-job/spine-dev-x", fine),
        ("CreateTrainingJob", f"{arn}:training-job/other-x", fine),
        (
            "CreateTrainingJob",
            f"{arn}:training-job/spine-dev-x",
            fine | {"sagemaker:NetworkIsolation": "false"},
        ),
        (
            "CreateTrainingJob",
            f"{arn}:training-job/spine-dev-x",
            fine | {"sagemaker:InstanceTypes": ["ml.p4d.24xlarge"]},
        ),
        ("DeleteEndpoint", f"{arn}:endpoint/spine-dev-x", {}),
    ]
    calls: list[dict[str, Any]] = [
        {
            "role": "MachineRole",
            "action": f"sagemaker:{action}",
            "resource": resource,
            "context": context,
        }
        for action, resource, context in asked
    ] + [
        {"role": "MachineRole", "action": "iam:PassRole", "resource": each, "context": context}
        for each, context in (
            (f"{role}/SageMakerRole", passed),
            (f"{role}/Admin", passed),
            (f"{role}/SageMakerRole", {"iam:PassedToService": "ec2.amazonaws.com"}),
        )
    ]
    refused = permissions.refused(assembly, calls)
    assert len(refused) == len(calls) - 2
    documents = permissions.policies(assembly)["MachineRole"]
    assert [permissions.allowed(documents, call) for call in calls] == [
        True,
        *[False] * 4,
        True,
        False,
        False,
    ]


def _pass_anything(templates: Templates) -> None:
    for statement in policy_of(templates, "MachineRole"):
        if statement["Action"] == "iam:PassRole":
            statement["Resource"] = "arn:aws:iam::000000000000:role/*"
            statement["Condition"]["StringEquals"]["iam:PassedToService"] = [
                "sagemaker.amazonaws.com",
                "ec2.amazonaws.com",
            ]


def _trust_anybody(templates: Templates) -> None:
    trust = role_of(templates, "MachineRole")["AssumeRolePolicyDocument"]
    del trust["Statement"][0]["Condition"]


def _open_function(templates: Templates) -> None:
    for resource in templates["triggers"]["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Permission":
            del resource["Properties"]["SourceArn"]


def _take_put_object(templates: Templates) -> None:
    statements = policy_of(templates, "EvaluateRole")
    statements[:] = [each for each in statements if each["Action"] != "s3:PutObject"]


def _withhold(templates: Templates) -> None:
    for statement in policy_of(templates, "PlanRole"):
        if "logs:PutLogEvents" in statement["Action"]:
            statement["Action"] = ["logs:CreateLogStream"]


def _open_folders(templates: Templates) -> None:
    statements = policy_of(templates, "PrepareRole")
    statements[:] = [each for each in statements if each["Effect"] == "Allow"]


_MUTANTS: dict[str, tuple[Change, str]] = {
    "wildcard": (lambda each: add(each, "s3:Get*", "arn:aws:s3:::x/*"), "not one action"),
    "star": (lambda each: add(each, "s3:GetObject", "*"), "IAM knows narrower resources"),
    "unneeded": (
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::x/y"),
        "no recorded call and no named requirement needs it",
    ),
    "managed": (
        lambda each: role_of(each, "PlanRole").update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"]
        ),
        "has the managed policy",
    ),
    "pass": (_pass_anything, "may pass"),
    "trust": (_trust_anybody, "on behalf of any account"),
    "function": (_open_function, "may invoke the function for any account"),
    "folders": (_open_folders, "s3:PutObject on train/* of a run reaches runs/a-run/model/train/x"),
    "missing": (_take_put_object, "ImplicitlyDenied"),
    "withheld": (_withhold, "logs:PutLogEvents is not granted to PlanRole"),
    "bucket": (
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::Data/*"),
        "reaches beyond what is the app's",
    ),
}


@pytest.mark.parametrize("mutant", _MUTANTS)
def test_a_mutant_of_the_policies_is_noticed(assembly: Assembly, mutant: str) -> None:
    """One change to the real policies, and the problem is named."""
    change, said = _MUTANTS[mutant]
    assert any(said in problem for problem in permissions.problems(mutated(assembly, change)))


def test_every_named_need_says_why_and_where_it_is_written() -> None:
    """A need without a source is an opinion."""
    for need in json.loads(permissions.NEEDS.read_text()):
        assert len(need["because"].split()) >= 5, need
        assert need["source"].startswith(("https://docs.aws.amazon.com/", "docs/", "tests/")), need

"""A function: its code, its log, and only the permissions it is given."""

import json
import re
from typing import Any, get_args

import pytest

from gates.assembly import Assembly
from stacks.functions import RETENTION
from stacks.settings import LogRetention
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


def test_handlers_name_modules_that_exist(dev: Assembly) -> None:
    """What the template tells Lambda to import is in the function's own code."""
    for room in ("pipeline", "triggers"):
        for function in dev.properties(room, "AWS::Lambda::Function"):
            if function["Runtime"] != "python3.13":
                continue  # CDK's own bucket emptier
            module, name = function["Handler"].rsplit(".", 1)
            path = module.replace(".", "/") + ".py"
            assert f"def {name}(" in (ROOT / path).read_text(), path


def test_each_retention_of_the_settings_is_one_of_the_logs() -> None:
    """The settings offer these numbers of days, and CloudWatch takes them."""
    assert set(RETENTION) == set(get_args(LogRetention))


def test_every_function_has_a_log_a_trace_and_a_role_of_its_own(dev: Assembly) -> None:
    """Its log is gone with the stack, and its role writes that log only."""
    for room in ("pipeline", "triggers"):
        functions = dev.declared(room, "AWS::Lambda::Function")
        ours = [each for each in functions.values() if _is_ours(each["Properties"])]
        assert ours
        roles = [json.dumps(each["Properties"]["Role"]) for each in ours]
        logs = [each["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for each in ours]
        assert len(set(roles)) == len(set(logs)) == len(ours)
        groups = dev.declared(room, "AWS::Logs::LogGroup")
        for each, log in zip(ours, logs, strict=True):
            assert each["Properties"]["TracingConfig"] == {"Mode": "Active"}
            assert groups[log]["DeletionPolicy"] == "Delete"
            name = re.sub("Log[0-9A-F]{8}$", "", log)
            written = re.findall(
                r'"logs:PutLogEvents".*?"Fn::GetAtt": \["(\w+)"', of_function(dev, name)
            )
            assert written == [log]


def _is_ours(properties: dict[str, Any]) -> bool:
    return str(properties["Handler"]).startswith("lambda.")

"""No policy reaches beyond what is the app's, and each rule notices what it is for."""

from typing import Any

import pytest

from gates import bounds, permissions
from gates.assembly import Assembly
from tests.gates.mutants import Change, Templates, add, mutated, role_of


def findings(assembly: Assembly) -> list[str]:
    """What reaches too far."""
    return list(bounds.findings(assembly, permissions.policies(assembly)))


def test_no_policy_of_the_app_reaches_too_far(assembly: Assembly) -> None:
    """Although some have wildcards: below a folder of the app, and after its own names."""
    assert findings(assembly) == []


def _resource_policy(templates: Templates, room: str, kind: str) -> list[dict[str, Any]]:
    for resource in templates[room]["Resources"].values():
        if resource["Type"] == kind:
            found: list[dict[str, Any]] = resource["Properties"]["PolicyDocument"]["Statement"]
            return found
    raise AssertionError(kind)


def _buckets(templates: Templates) -> list[dict[str, Any]]:
    return _resource_policy(templates, "storage", "AWS::S3::BucketPolicy")


def _queues(templates: Templates) -> list[dict[str, Any]]:
    return _resource_policy(templates, "triggers", "AWS::SQS::QueuePolicy")


def _allowing(statements: list[dict[str, Any]], sort: str) -> dict[str, Any]:
    return next(
        each for each in statements if each["Effect"] == "Allow" and sort in each["Principal"]
    )


def _trust_nobody(templates: Templates) -> None:
    role_of(templates, "MachineRole")["AssumeRolePolicyDocument"]["Statement"].clear()


def _person(action: str) -> Change:
    """Allow an action on whatever a person has called as they liked."""
    return lambda each: add(each, action, "arn:aws:sagemaker:us-east-1:000000000000:endpoint/*")


_MUTANTS: dict[str, tuple[Change, str]] = {
    "assumed": (_trust_nobody, "nobody may assume it"),
    "bucket": (
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::Data/*"),
        "reaches beyond what is the app's",
    ),
    "run": (
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::Data/runs/*/*"),
        "reaches beyond what is the app's",
    ),
    "stage": (
        lambda each: add(
            each,
            "sagemaker:DescribeModel",
            "arn:aws:sagemaker:us-east-1:000000000000:model/spine-*",
        ),
        "reaches beyond what is the app's",
    ),
    "plain": (lambda each: _buckets(each).pop(0), "does not deny every call without TLS"),
    "old": (lambda each: _buckets(each).pop(1), "does not deny every call with an old TLS"),
    "half": (
        lambda each: _buckets(each)[0].update(Resource=_buckets(each)[0]["Resource"][1:]),
        "does not deny every call without TLS",
    ),
    "anybody": (
        lambda each: _allowing(_buckets(each), "AWS").update(Principal={"AWS": "*"}),
        "who is no role of the app",
    ),
    "queue": (lambda each: _queues(each).pop(0), "does not deny every call without TLS"),
    "rule": (
        lambda each: _allowing(_queues(each), "Service").pop("Condition"),
        "events.amazonaws.com may use it for anything",
    ),
    "services": (
        lambda each: _allowing(_queues(each), "Service").update(
            Principal={"Service": ["events.amazonaws.com", "ec2.amazonaws.com"]}
        ),
        "rather than one service",
    ),
    "account": (
        lambda each: _allowing(_buckets(each), "Service")["Condition"].pop("StringEquals"),
        "of any account",
    ),
    "elsewhere": (
        lambda each: _allowing(_queues(each), "Service").update(Resource="*"),
        "which is not its own",
    ),
    "unnamed": (_person("sagemaker:DeleteEndpoint"), "endpoint/* reaches beyond"),
    "service": (
        lambda each: add(each, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/spine-*"),
        "reaches beyond what is the app's",
    ),
    "whole": (
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::Data/*/model/*"),
        "reaches beyond what is the app's",
    ),
}


@pytest.mark.parametrize("mutant", _MUTANTS)
def test_what_reaches_too_far_is_noticed(assembly: Assembly, mutant: str) -> None:
    """One change to the real policies, and what is found is that, and nothing else."""
    change, said = _MUTANTS[mutant]
    found = findings(mutated(assembly, change))
    assert found
    assert all(said in each for each in found)


@pytest.mark.parametrize(
    "change",
    [
        _person("sagemaker:DescribeEndpoint"),
        lambda each: add(each, "s3:GetObject", "arn:aws:s3:::Data/runs/*/model/*"),
        lambda each: add(
            each,
            "sagemaker:DescribeModel",
            "arn:aws:sagemaker:us-east-1:000000000000:model/spine-dev-*",
        ),
    ],
    ids=["looking at what serves", "one part of each run", "what is called after the stage"],
)
def test_what_is_the_apps_may_be_reached(assembly: Assembly, change: Change) -> None:
    """And a person's endpoint may be looked at, because it has no name to be told by."""
    assert findings(mutated(assembly, change)) == []

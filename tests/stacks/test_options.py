"""A permissions boundary, a customer-managed key and a VPC: off by default, everywhere when on."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gates import definition, permissions
from gates.assembly import Assembly
from gates.machine import machines
from tests.stacks.guarding import KEY, NETWORK

ROOMS = ("storage", "pipeline", "triggers")


def arguments(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """What each Task asks for, by state."""

    def tasks(scope: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, state in scope["States"].items():
            if state["Type"] == "Task":
                yield name, state["Arguments"]
            for branch in state.get("Branches", []):
                yield from tasks(branch)

    (machine,) = machines(assembly)
    return dict(tasks(machine.definition))


def statements(assembly: Assembly, role: str) -> list[dict[str, Any]]:
    """The statements of one role's policy."""
    return [
        statement
        for room in ROOMS
        for policy in assembly.properties(room, "AWS::IAM::Policy")
        if policy["PolicyName"].startswith(role)
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_without_them_nothing_of_them_is_there(dev: Assembly) -> None:
    """The default is AWS's own keys, no boundary, and SageMaker's own network."""
    text = "".join(dev.text(room) for room in ROOMS)
    for word in ("PermissionsBoundary", "kms:", "KmsKeyId", "VpcConfig", "ec2:"):
        assert word not in text


def test_the_key_encrypts_the_data_and_every_log(guarded: Assembly) -> None:
    """The bucket of the data, every log group; not the access logs, which S3 cannot write then."""
    buckets = guarded.declared("storage", "AWS::S3::Bucket")
    (data,) = (each for name, each in buckets.items() if name.startswith("Data"))
    (rule,) = data["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": KEY,
        "SSEAlgorithm": "aws:kms",
    }
    groups = [each for room in ROOMS for each in guarded.properties(room, "AWS::Logs::LogGroup")]
    assert len(groups) > 8
    assert {group.get("KmsKeyId") for group in groups} == {KEY}


def test_the_key_encrypts_events_that_wait(guarded: Assembly) -> None:
    """An event names a file: the dead-letter queues hold it for days."""
    queues = guarded.properties("triggers", "AWS::SQS::Queue")
    assert queues
    assert {queue.get("KmsMasterKeyId") for queue in queues} == {KEY}


def test_the_key_encrypts_all_that_sagemaker_writes(guarded: Assembly) -> None:
    """Volumes and output of training and transform, and the volumes of endpoints."""
    asked = arguments(guarded)
    train, transform = asked["Train the model"], asked["Transform the batch"]
    assert train["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert train["OutputDataConfig"]["KmsKeyId"] == KEY
    assert transform["TransformResources"]["VolumeKmsKeyId"] == KEY
    assert transform["TransformOutput"]["KmsKeyId"] == KEY
    assert asked["Create the endpoint config"]["KmsKeyId"] == KEY


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("PrepareRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("PredictRole", {"kms:Decrypt"}),
        ("EvaluateRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("PlanRole", {"kms:Decrypt"}),
        (
            "PreparationRole",
            {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:DescribeKey"},
        ),
        ("CleanUpRole", set()),
        (
            "MachineRole",
            {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:DescribeKey"},
        ),
        ("SweepRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        (
            "SageMakerRole",
            {
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:CreateGrant",
                "kms:DescribeKey",
            },
        ),
    ],
)
def test_a_role_may_use_the_key_for_its_step_only(
    guarded: Assembly, role: str, actions: set[str]
) -> None:
    """Only that key, and only through the service that holds the data."""
    using = [each for each in statements(guarded, role) if "kms:" in json.dumps(each["Action"])]
    found = {
        action
        for each in using
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
    }
    assert found == actions
    for each in using:
        assert each["Resource"] == KEY
        condition = each["Condition"]
        narrowed = " ".join(condition.get("StringEquals", {}))
        assert re.search(r"kms:(ViaService|EncryptionContext)", narrowed) or condition.get(
            "Bool"
        ) == {"kms:GrantIsForAWSResource": "true"}


def test_the_key_encrypts_what_step_functions_and_dynamodb_keep(guarded: Assembly) -> None:
    """The machine's definition and histories, and the record of the files that were started."""
    (machine,) = guarded.properties("pipeline", "AWS::StepFunctions::StateMachine")
    assert machine["EncryptionConfiguration"]["KmsKeyId"] == KEY
    (using,) = (
        each["Condition"]["StringEquals"]["kms:EncryptionContext:aws:states:stateMachineArn"]
        for each in statements(guarded, "MachineRole")
        if "stateMachineArn" in json.dumps(each.get("Condition", {}))
    )
    assert json.dumps(using).endswith(f':stateMachine:{machine["StateMachineName"]}"]]}}')
    (records,) = guarded.properties("triggers", "AWS::DynamoDB::Table")
    assert records["SSESpecification"]["KMSMasterKeyId"] == KEY


def test_setting_or_removing_the_key_replaces_no_machine(dev: Assembly, guarded: Assembly) -> None:
    """It keeps its name: the executions of one that was replaced cannot be looked up any more."""
    with_key, without = (
        each.declared("pipeline", "AWS::StepFunctions::StateMachine") for each in (guarded, dev)
    )
    assert with_key.keys() == without.keys()
    for name, machine in without.items():
        assert machine["Properties"]["StateMachineName"] == "spine-dev"
        assert with_key[name]["Properties"]["StateMachineName"] == "spine-dev"


def test_every_gate_holds_with_them_on(guarded: Assembly) -> None:
    """The definition's rules, the permissions both ways, cfn-lint; cdk-nag at the synthesis."""
    assert definition.problems(guarded) == []
    settings = frozenset({"encryption_key", "network"})
    assert permissions.unneeded(guarded, permissions.recorded(), settings) == []
    assert permissions.refused(guarded, permissions.recorded()) == []
    lint = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "eu-west-1", "--"]
    done = subprocess.run(
        [*lint, *map(str, guarded.folder.glob("*.template.json"))], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stdout


def test_training_and_models_stand_in_the_network(guarded: Assembly) -> None:
    """Both, in the same subnets and groups; transform jobs and endpoints follow their model."""
    expected = {"Subnets": NETWORK["subnets"], "SecurityGroupIds": NETWORK["security_groups"]}
    asked = arguments(guarded)
    assert asked["Train the model"]["VpcConfig"] == expected
    assert asked["Create the model"]["VpcConfig"] == expected
    making = [each for each in statements(guarded, "SageMakerRole") if "ec2:" in json.dumps(each)]
    assert len(making) == 3
    (interface,) = (each for each in making if each["Action"] == "ec2:CreateNetworkInterface")
    text = json.dumps(interface["Resource"])
    assert all(name in text for names in NETWORK.values() for name in names)

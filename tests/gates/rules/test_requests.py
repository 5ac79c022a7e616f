"""The rules for what tasks ask of the services."""

from typing import Any

import pytest

from gates.machine import Machine
from gates.rules.requests import RULES
from tests.gates.rules.mutants import Mutants, Mutation, States, caught, mutated

MUTANTS = Mutants()


@MUTANTS.of("training-isolation")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["EnableNetworkIsolation"] = "{% $plan.isolated %}"


@MUTANTS.of("training-encryption")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Train the model"]["Arguments"]["EnableInterContainerTrafficEncryption"]


@MUTANTS.of("model-isolation")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Create the model"]["Arguments"]["EnableNetworkIsolation"]


@MUTANTS.of("tags")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the endpoint"]["Arguments"]["Tags"].pop()


@MUTANTS.of("unique-job-names")
def _(whole: dict[str, Any], states: States) -> None:
    states["Transform the batch"]["Arguments"]["TransformJobName"] = "{% $plan.run.name %}"


@MUTANTS.of("run-names")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the endpoint config"]["Arguments"]["EndpointConfigName"] = "spine-dev-config"


@MUTANTS.of("stopping-condition")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Train the model"]["Arguments"]["StoppingCondition"]


@MUTANTS.of("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["TimeoutSeconds"] = 600


@MUTANTS.of("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare on an instance"]["TimeoutSeconds"] = 60


@MUTANTS.of("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    timeout = states["Prepare with Spark"]["TimeoutSeconds"]
    states["Prepare with Spark"]["TimeoutSeconds"] = timeout.replace(" + 3600", "")


@MUTANTS.of("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    # Spot training may wait for longer than it may run.
    states["Train the model"]["TimeoutSeconds"] = (
        "{% $plan.training.stopping_condition.MaxRuntimeInSeconds + 3600 %}"
    )


@MUTANTS.of("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    preparing = states["Prepare on an instance"]
    preparing["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = 7200
    preparing["TimeoutSeconds"] = 7200


@MUTANTS.of("kinds")
def _(whole: dict[str, Any], states: States) -> None:
    config = states["Create the endpoint config"]
    config["Resource"] = "arn:aws:states:::aws-sdk:sagemaker:createInferenceComponent"


@MUTANTS.of("sync")
def _(whole: dict[str, Any], states: States) -> None:
    task = states["Transform the batch"]
    task["Resource"] = task["Resource"].removesuffix(".sync")


@MUTANTS.of("own-image")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"] = (
        "{% $plan.training.image %}"
    )


@MUTANTS.of("one-image")
def _(whole: dict[str, Any], states: States) -> None:
    container = states["Create the model"]["Arguments"]["PrimaryContainer"]
    container["Image"] = container["Image"].partition(":")[0] + ":1.7-1"


@MUTANTS.of("own-role")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the model"]["Arguments"]["ExecutionRoleArn"] = "{% $plan.role %}"


@MUTANTS.of("own-functions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Arguments"]["FunctionName"] = (
        "arn:aws:lambda:us-east-1:000000000000:function:*"
    )


@MUTANTS.of("services")
def _(whole: dict[str, Any], states: States) -> None:
    states["Finish"]["Resource"] = "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue"


@MUTANTS.of("places")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["OutputDataConfig"]["S3OutputPath"] = (
        "{% $plan.source.uri %}"
    )


@MUTANTS.of("by-reference")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Output"] = "{% $states.result %}"


@MUTANTS.of("input-read-once")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["HyperParameters"] = (
        "{% $states.context.Execution.Input.training.hyperparameters %}"
    )


@MUTANTS.of("kms-everywhere")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["ResourceConfig"]["VolumeKmsKeyId"] = "arn:aws:kms:key"


@MUTANTS.of("vpc-everywhere")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["VpcConfig"] = {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }


@pytest.mark.parametrize(("rule", "mutation"), MUTANTS)
def test_a_mutant_is_caught_by_its_rule_alone(
    machine: Machine, rule: str, mutation: Mutation
) -> None:
    """One change to the real definition, one finding: the rule works and repeats no other."""
    assert caught(mutated(machine, mutation)) == {rule}


def test_no_rule_is_without_its_mutant() -> None:
    """A rule that catches nothing known is a rule nobody has seen working."""
    assert {rule.name for rule in RULES} == MUTANTS.rules()

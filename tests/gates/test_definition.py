"""Every rule over the definition catches a mutant of the real one that no other rule catches."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.definition import findings, problems
from gates.machine import Machine, machines
from gates.rules import RULES

States = dict[str, dict[str, Any]]
Mutation = Callable[[dict[str, Any], States], None]


@pytest.fixture(scope="module")
def machine(assembly: Assembly) -> Machine:
    """The pipeline's machine."""
    return next(each for each in machines(assembly) if each.name == "Machine")


def test_no_real_definition_breaks_a_rule(assembly: Assembly) -> None:
    """What ships is clean, machine by machine."""
    assert problems(assembly) == []


def test_every_rule_says_why_and_who_says_so() -> None:
    """A finding is of use only with its reason."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source.startswith("https://"), rule.name
        assert len(rule.why.split()) >= 5, rule.name


# Each takes the whole definition, and all its states by name.
_DEFINITION: list[tuple[str, Mutation]] = []


def mutant(rule: str) -> Callable[[Mutation], Mutation]:
    """Register a mutant that a rule must catch."""

    def register(mutation: Mutation) -> Mutation:
        _DEFINITION.append((rule, mutation))
        return mutation

    return register


@mutant("machine-timeout")
def _(whole: dict[str, Any], states: States) -> None:
    del whole["TimeoutSeconds"]


@mutant("comments")
def _(whole: dict[str, Any], states: States) -> None:
    whole["Comment"] = " "


@mutant("jsonata")
def _(whole: dict[str, Any], states: States) -> None:
    states["Sum up"]["QueryLanguage"] = "JSONPath"


@mutant("expressions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Assign"] = {"prepared": "{% $states.result.Payload[ %}"}


@mutant("transitions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Sum up"]["Default"] = "Tidy up"


@mutant("reachable")
def _(whole: dict[str, Any], states: States) -> None:
    whole["States"]["Never"] = {"Type": "Pass", "Next": "Sum up"}


@mutant("names")
def _(whole: dict[str, Any], states: States) -> None:
    batch = states["Serve and score"]["Branches"][1]
    batch["States"]["No batch "] = batch["States"].pop("No batch")
    states["Batch wanted?"]["Default"] = "No batch "


@mutant("keys")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Comment "] = "On train.csv"


@mutant("choice-default")
def _(whole: dict[str, Any], states: States) -> None:
    gate = states["Quality gate"]
    gate["Choices"].append({"Condition": "{% true %}", "Next": gate.pop("Default")})


@mutant("bounded-loops")
def _(whole: dict[str, Any], states: States) -> None:
    for choice in states["Endpoint in service?"]["Choices"]:
        if "$look <" in choice["Condition"]:
            choice["Condition"] = "{% $states.input.status = 'Creating' %}"


@mutant("bounded-waits")
def _(whole: dict[str, Any], states: States) -> None:
    states["Wait for the endpoint"]["Seconds"] = "{% $states.input.seconds %}"


@mutant("fail-states")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Endpoint failed"]["Cause"]


@mutant("task-timeout")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Create the endpoint"]["TimeoutSeconds"]


@mutant("retry")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Predict with the endpoint"]["Retry"]


@mutant("retry-jitter")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Evaluate"]["Retry"][0]["JitterStrategy"]


@mutant("retry-cap")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Evaluate"]["Retry"][0]["MaxDelaySeconds"]


@mutant("retry-budget")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Retry"][0]["MaxAttempts"] = 500


@mutant("retry-backoff")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Retry"][0]["BackoffRate"] = 1


@mutant("retry-named-errors")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Retry"][0]["ErrorEquals"] = ["States.ALL"]


@mutant("task-catch")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Catch"][0]["ErrorEquals"] = ["States.Timeout"]


@mutant("parallel-catch")
def _(whole: dict[str, Any], states: States) -> None:
    states["Serve and score"]["Catch"][0]["ErrorEquals"] = ["States.TaskFailed"]


@mutant("catch-keeps-error")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Prepare the data"]["Catch"][0]["Assign"]


@mutant("clean-up-keeps-error")
def _(whole: dict[str, Any], states: States) -> None:
    catch = states["Clean up after failure"]["Catch"][0]
    catch["Assign"] = {"failure": "{% $states.errorOutput %}"}


@mutant("catch-keeps-ids")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Catch"][0]["Assign"]["plan"] = "{% $states.errorOutput.Cause %}"


@mutant("clean-up-after-create")
def _(whole: dict[str, Any], states: States) -> None:
    states["Quality gate"]["Default"] = "Sum up"


@mutant("failure-ends-in-fail")
def _(whole: dict[str, Any], states: States) -> None:
    states["Clean up after failure"]["Next"] = "Well"
    whole["States"]["Well"] = {"Type": "Succeed"}


@mutant("failure-is-original")
def _(whole: dict[str, Any], states: States) -> None:
    states["Run failed"]["Arguments"]["Cause"] = "The run failed."


@mutant("failure-redrives")
def _(whole: dict[str, Any], states: States) -> None:
    states["Clean up after failure"]["Next"] = "Run failed for good"


@mutant("training-isolation")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["EnableNetworkIsolation"] = "{% $plan.isolated %}"


@mutant("training-encryption")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Train the model"]["Arguments"]["EnableInterContainerTrafficEncryption"]


@mutant("model-isolation")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Create the model"]["Arguments"]["EnableNetworkIsolation"]


@mutant("tags")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the endpoint"]["Arguments"]["Tags"].pop()


@mutant("unique-job-names")
def _(whole: dict[str, Any], states: States) -> None:
    states["Transform the batch"]["Arguments"]["TransformJobName"] = "{% $plan.run.name %}"


@mutant("run-names")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the endpoint config"]["Arguments"]["EndpointConfigName"] = "spine-dev-config"


@mutant("stopping-condition")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Train the model"]["Arguments"]["StoppingCondition"]


@mutant("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["TimeoutSeconds"] = 600


@mutant("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare on an instance"]["TimeoutSeconds"] = 60


@mutant("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    timeout = states["Prepare with Spark"]["TimeoutSeconds"]
    states["Prepare with Spark"]["TimeoutSeconds"] = timeout.replace(" + 3600", "")


@mutant("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    # Spot training may wait for longer than it may run.
    states["Train the model"]["TimeoutSeconds"] = (
        "{% $plan.training.stopping_condition.MaxRuntimeInSeconds + 3600 %}"
    )


@mutant("timeout-above-runtime")
def _(whole: dict[str, Any], states: States) -> None:
    preparing = states["Prepare on an instance"]
    preparing["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = 7200
    preparing["TimeoutSeconds"] = 7200


@mutant("kinds")
def _(whole: dict[str, Any], states: States) -> None:
    config = states["Create the endpoint config"]
    config["Resource"] = "arn:aws:states:::aws-sdk:sagemaker:createInferenceComponent"


@mutant("sync")
def _(whole: dict[str, Any], states: States) -> None:
    task = states["Transform the batch"]
    task["Resource"] = task["Resource"].removesuffix(".sync")


@mutant("own-image")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"] = (
        "{% $plan.training.image %}"
    )


@mutant("one-image")
def _(whole: dict[str, Any], states: States) -> None:
    container = states["Create the model"]["Arguments"]["PrimaryContainer"]
    container["Image"] = container["Image"].partition(":")[0] + ":1.7-1"


@mutant("own-role")
def _(whole: dict[str, Any], states: States) -> None:
    states["Create the model"]["Arguments"]["ExecutionRoleArn"] = "{% $plan.role %}"


@mutant("own-functions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Arguments"]["FunctionName"] = (
        "arn:aws:lambda:us-east-1:000000000000:function:*"
    )


@mutant("services")
def _(whole: dict[str, Any], states: States) -> None:
    states["Finish"]["Resource"] = "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue"


@mutant("places")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["OutputDataConfig"]["S3OutputPath"] = (
        "{% $plan.source.uri %}"
    )


@mutant("by-reference")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Output"] = "{% $states.result %}"


@mutant("input-read-once")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["HyperParameters"] = (
        "{% $states.context.Execution.Input.training.hyperparameters %}"
    )


@mutant("kms-everywhere")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["ResourceConfig"]["VolumeKmsKeyId"] = "arn:aws:kms:key"


@mutant("vpc-everywhere")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Arguments"]["VpcConfig"] = {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }


def caught(machine: Machine) -> set[str]:
    """The names of the rules that find something."""
    return {finding.rule.name for finding in findings(machine)}


@pytest.mark.parametrize(("rule", "mutation"), _DEFINITION)
def test_a_mutant_is_caught_by_its_rule_alone(
    machine: Machine, rule: str, mutation: Mutation
) -> None:
    """One change to the real definition, one finding: the rule works and repeats no other."""
    mutated = replace(machine, definition=copy.deepcopy(machine.definition))
    mutation(mutated.definition, mutated.states())
    assert caught(mutated) == {rule}


# The log and the trace stand beside the definition; places stand in its text.
_BESIDE: dict[str, Callable[[Machine], Machine]] = {
    "no-data-in-logs": lambda machine: _logging(machine, IncludeExecutionData=True),
    "logs": lambda machine: _logging(machine, Level="ERROR"),
    "tracing": lambda machine: replace(
        machine, properties={**machine.properties, "TracingConfiguration": {"Enabled": False}}
    ),
    "no-place": lambda machine: replace(
        machine, literal=machine.literal + "arn:aws:iam::111122223333:role/x"
    ),
}


def _logging(machine: Machine, **change: Any) -> Machine:
    changed = {**machine.properties["LoggingConfiguration"], **change}
    return replace(machine, properties={**machine.properties, "LoggingConfiguration": changed})


@pytest.mark.parametrize("rule", _BESIDE)
def test_a_mutant_beside_the_definition_is_caught_by_its_rule_alone(
    machine: Machine, rule: str
) -> None:
    """The same for what CloudFormation configures."""
    assert caught(_BESIDE[rule](machine)) == {rule}


def test_no_rule_is_without_its_mutant() -> None:
    """A rule that catches nothing known is a rule nobody has seen working."""
    assert {rule.name for rule in RULES} == dict(_DEFINITION).keys() | _BESIDE.keys()

"""The rules for what follows a failure."""

from typing import Any

import pytest

from gates.machine import Machine
from gates.rules.failures import RULES
from tests.gates.rules.mutants import Mutants, Mutation, States, caught, mutated

MUTANTS = Mutants()


@MUTANTS.of("task-timeout")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Create the endpoint"]["TimeoutSeconds"]


@MUTANTS.of("retry")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Predict with the endpoint"]["Retry"]


@MUTANTS.of("retry-jitter")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Evaluate"]["Retry"][0]["JitterStrategy"]


@MUTANTS.of("retry-cap")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Evaluate"]["Retry"][0]["MaxDelaySeconds"]


@MUTANTS.of("retry-budget")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Retry"][0]["MaxAttempts"] = 500


@MUTANTS.of("retry-backoff")
def _(whole: dict[str, Any], states: States) -> None:
    states["Evaluate"]["Retry"][0]["BackoffRate"] = 1


@MUTANTS.of("retry-named-errors")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Retry"][0]["ErrorEquals"] = ["States.ALL"]


@MUTANTS.of("task-catch")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Catch"][0]["ErrorEquals"] = ["States.Timeout"]


@MUTANTS.of("parallel-catch")
def _(whole: dict[str, Any], states: States) -> None:
    states["Serve and score"]["Catch"][0]["ErrorEquals"] = ["States.TaskFailed"]


@MUTANTS.of("catch-keeps-error")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Prepare the data"]["Catch"][0]["Assign"]


@MUTANTS.of("catch-keeps-error")
def _(whole: dict[str, Any], states: States) -> None:
    # Nothing has failed before it: there is no first error to keep.
    states["Prepare the data"]["Catch"][0]["Assign"]["failure"] = "{% $failure %}"


@MUTANTS.of("clean-up-keeps-error")
def _(whole: dict[str, Any], states: States) -> None:
    catch = states["Clean up after failure"]["Catch"][0]
    catch["Assign"] = {"failure": "{% $states.errorOutput %}"}


@MUTANTS.of("catch-keeps-ids")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Catch"][0]["Assign"]["plan"] = "{% $states.errorOutput.Cause %}"


@MUTANTS.of("clean-up-after-create")
def _(whole: dict[str, Any], states: States) -> None:
    states["Quality gate"]["Default"] = "Sum up"


@MUTANTS.of("failure-ends-in-fail")
def _(whole: dict[str, Any], states: States) -> None:
    states["Clean up after failure"]["Next"] = "Well"
    whole["States"]["Well"] = {"Type": "Succeed"}


@MUTANTS.of("failure-is-original")
def _(whole: dict[str, Any], states: States) -> None:
    states["Run failed"]["Arguments"]["Cause"] = "The run failed."


@MUTANTS.of("failure-is-original")
def _(whole: dict[str, Any], states: States) -> None:
    states["Run failed for good"]["Error"] = "{% ($failure.Error = null ? 'None' : 'Failed') %}"


@MUTANTS.of("failure-redrives")
def _(whole: dict[str, Any], states: States) -> None:
    states["Clean up after failure"]["Next"] = "Run failed for good"


@pytest.mark.parametrize(("rule", "mutation"), MUTANTS)
def test_a_mutant_is_caught_by_its_rule_alone(
    machine: Machine, rule: str, mutation: Mutation
) -> None:
    """One change to the real definition, one finding: the rule works and repeats no other."""
    assert caught(mutated(machine, mutation)) == {rule}


def test_no_rule_is_without_its_mutant() -> None:
    """A rule that catches nothing known is a rule nobody has seen working."""
    assert {rule.name for rule in RULES} == MUTANTS.rules()

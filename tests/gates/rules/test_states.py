"""The rules for how states hang together."""

from typing import Any

import pytest

from gates.machine import Machine
from gates.rules.states import RULES
from tests.gates.rules.mutants import Mutants, Mutation, States, caught, mutated

MUTANTS = Mutants()


@MUTANTS.of("transitions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Sum up"]["Default"] = "Tidy up"


@MUTANTS.of("reachable")
def _(whole: dict[str, Any], states: States) -> None:
    whole["States"]["Never"] = {"Type": "Pass", "Next": "Sum up"}


@MUTANTS.of("names")
def _(whole: dict[str, Any], states: States) -> None:
    batch = states["Serve and score"]["Branches"][1]
    batch["States"]["No batch "] = batch["States"].pop("No batch")
    states["Batch wanted?"]["Default"] = "No batch "


@MUTANTS.of("keys")
def _(whole: dict[str, Any], states: States) -> None:
    states["Train the model"]["Comment "] = "On train.csv"


@MUTANTS.of("choice-default")
def _(whole: dict[str, Any], states: States) -> None:
    gate = states["Quality gate"]
    gate["Choices"].append({"Condition": "{% true %}", "Next": gate.pop("Default")})


@MUTANTS.of("bounded-loops")
def _(whole: dict[str, Any], states: States) -> None:
    for choice in states["Endpoint in service?"]["Choices"]:
        if "$look <" in choice["Condition"]:
            choice["Condition"] = "{% $states.input.status = 'Creating' %}"


@MUTANTS.of("bounded-waits")
def _(whole: dict[str, Any], states: States) -> None:
    states["Wait for the endpoint"]["Seconds"] = "{% $states.input.seconds %}"


@MUTANTS.of("fail-states")
def _(whole: dict[str, Any], states: States) -> None:
    del states["Endpoint failed"]["Cause"]


@pytest.mark.parametrize(("rule", "mutation"), MUTANTS)
def test_a_mutant_is_caught_by_its_rule_alone(
    machine: Machine, rule: str, mutation: Mutation
) -> None:
    """One change to the real definition, one finding: the rule works and repeats no other."""
    assert caught(mutated(machine, mutation)) == {rule}


def test_no_rule_is_without_its_mutant() -> None:
    """A rule that catches nothing known is a rule nobody has seen working."""
    assert {rule.name for rule in RULES} == MUTANTS.rules()

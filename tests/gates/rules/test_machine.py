"""The rules for the whole machine: limits, comments, logs, places."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gates.machine import Machine
from gates.rules.machine import RULES
from tests.gates.rules.mutants import Mutants, Mutation, States, caught, mutated

MUTANTS = Mutants()


@MUTANTS.of("machine-timeout")
def _(whole: dict[str, Any], states: States) -> None:
    del whole["TimeoutSeconds"]


@MUTANTS.of("comments")
def _(whole: dict[str, Any], states: States) -> None:
    whole["Comment"] = " "


@MUTANTS.of("jsonata")
def _(whole: dict[str, Any], states: States) -> None:
    states["Sum up"]["QueryLanguage"] = "JSONPath"


@MUTANTS.of("expressions")
def _(whole: dict[str, Any], states: States) -> None:
    states["Prepare the data"]["Assign"] = {"prepared": "{% $states.result.Payload[ %}"}


@pytest.mark.parametrize(("rule", "mutation"), MUTANTS)
def test_a_mutant_is_caught_by_its_rule_alone(
    machine: Machine, rule: str, mutation: Mutation
) -> None:
    """One change to the real definition, one finding: the rule works and repeats no other."""
    assert caught(mutated(machine, mutation)) == {rule}


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
    assert {rule.name for rule in RULES} == MUTANTS.rules() | _BESIDE.keys()

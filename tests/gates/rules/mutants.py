"""Mutants of the real definition, each of which one rule must catch, and no other rule."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gates.definition import findings
from gates.machine import Machine

States = dict[str, dict[str, Any]]
# Takes the whole definition, and all its states by name.
Mutation = Callable[[dict[str, Any], States], None]


class Mutants(list[tuple[str, Mutation]]):
    """The mutants that the rules of one module must catch, each with the rule's name."""

    def of(self, rule: str) -> Callable[[Mutation], Mutation]:
        """Register the function below as a mutant that a rule must catch."""

        def register(mutation: Mutation) -> Mutation:
            self.append((rule, mutation))
            return mutation

        return register

    def rules(self) -> set[str]:
        """The names of the rules that have a mutant."""
        return {rule for rule, _ in self}


def mutated(machine: Machine, mutation: Mutation) -> Machine:
    """A copy of a machine with one change."""
    changed = replace(machine, definition=copy.deepcopy(machine.definition))
    mutation(changed.definition, changed.states())
    return changed


def caught(machine: Machine) -> set[str]:
    """The names of the rules that find something, of every module."""
    return {finding.rule.name for finding in findings(machine)}

"""Rules over definitions of state machines, which no template scanner looks into.

What SageMaker makes is made by state machines, so that scanners of templates find none of it.
Each :class:`~gates.rules.registry.Rule` is one thing that has gone wrong in pipelines of this kind,
looked for in every synthesized definition. `tests/gates/rules` proves each one with a mutant of the
real definition that this rule, and no other, catches.
"""

from dataclasses import dataclass

from gates.assembly import Assembly
from gates.machine import Machine, machines
from gates.rules import RULES
from gates.rules.registry import Rule


@dataclass(frozen=True)
class Finding:
    """A rule broken somewhere."""

    rule: Rule
    machine: str
    state: str
    problem: str

    def __str__(self) -> str:
        where = f"{self.machine}: {self.state}"
        return f"{self.rule.name}: {where}: {self.problem}. {self.rule.why}"


def findings(machine: Machine) -> list[Finding]:
    """Every broken rule of a machine, everywhere it is broken."""
    return [
        Finding(rule, machine.name, state, problem)
        for rule in RULES
        for state, problem in rule.check(machine)
    ]


def problems(assembly: Assembly) -> list[str]:
    """Everything that is wrong with the state machines of an app, in sentences."""
    return [str(each) for machine in machines(assembly) for each in findings(machine)]

"""Steps side by side: each branch may be off, and fails in its own name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine import fragment
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.step import Step, merged
from stacks.machine.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Steps beside others, which cannot assign the machine's variables.

    Attributes:
        noun: What it is called in the names of its states.
        result: The variable of the machine that gets the output of its last state.
        wanted: An expression: whether it is on.
        steps: In order; the last one ends in one state.
        otherwise: The output where it is off.
        comment: On the state that it consists of where it is off.
    """

    noun: str
    result: str
    wanted: str
    steps: tuple[Step, ...]
    otherwise: Mapping[str, Any]
    comment: str | None = None

    def fragment(self, tasks: Tasks, around: Failing) -> Fragment:
        """Make its states.

        Args:
            tasks: Of the machine.
            around: How the Parallel fails.

        Raises:
            ValueError: Its last step ends in more than one state.
        """
        failure = f"{self.noun.lower()}_failure"
        failed = sfn.Fail.jsonata(
            tasks,
            f"{self.noun} failed",
            error=f"{{% ${failure}.Error %}}",
            cause=f"{{% ${failure}.Cause %}}",
        )
        failing = Failing(to=failed, variable=failure, sweepable=around.sweepable)
        whole = reduce(Fragment.next, (step.fragment(tasks, failing) for step in self.steps))
        if len(whole.ends) != 1:
            raise ValueError(f"The branch {self.noun} ends in more than one state")
        off = sfn.Pass.jsonata(
            tasks, f"No {self.noun.lower()}", comment=self.comment, outputs=self.otherwise
        )
        start = sfn.Choice.jsonata(tasks, f"{self.noun} wanted?").otherwise(off)
        counters: dict[str, Any] = {}
        for step in self.steps:
            counters |= {**step.variables, **step.counters}
        start.when(sfn.Condition.jsonata(self.wanted), whole.start, assign=counters or None)
        return Fragment(start=start)


class SideBySide(Step):
    """A Parallel: one catch for all that its branches do."""

    def __init__(self, name: str, comment: str, *branches: Branch) -> None:
        """Put branches side by side, under the name of the Parallel."""
        self.name = name
        steps = [step for branch in branches for step in branch.steps]
        self.survives = all(step.survives for step in steps)
        self.output = merged(step.output for step in steps)
        self._comment = comment
        self._branches = branches

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """The Parallel."""
        parallel = sfn.Parallel.jsonata(
            tasks,
            self.name,
            comment=self._comment,
            assign={
                branch.result: f"{{% $states.result[{index}] %}}"
                for index, branch in enumerate(self._branches)
            },
        )
        for branch in self._branches:
            parallel.branch(branch.fragment(tasks, failing).start)
        failing.guard_swept(parallel)
        return fragment.of(parallel)

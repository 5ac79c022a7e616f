"""Finish: put the output of the run together, and write it as its manifest."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks


class Finish(Step):
    """The last step of any pipeline: what all steps add is the output, `$output`."""

    name = "Finish"
    variables: Mapping[str, Any] = {"finished": False}

    def __init__(self, *, output: Mapping[str, Any] | None = None, result: str = "true") -> None:
        """Say what is the pipeline's own.

        Args:
            output: What no single step adds.
            result: An expression: whether what the sweeper takes from aborted runs is the result
                of this one, so that it is made again.
        """
        self.output = output or {}
        self._result = result

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Sum up, write, and look whether the result is still there."""
        sum_up = sfn.Pass.jsonata(tasks, "Sum up", assign={"output": tasks.output})
        finish = tasks.put(
            self.name,
            key="{% $plan.places.manifest_key %}",
            body="{% $output %}",
            pattern="runs/*/manifest.json",
            Comment="Writes the manifest, last, and returns the same",
            Assign={"finished": True},
        )
        failing.guard(finish)
        sum_up.next(finish)
        if failing.sweepable is None:
            return Fragment(start=sum_up, ends=(finish.next,))
        swept = sfn.Choice.jsonata(
            tasks,
            "Model swept meanwhile?",
            comment="The run was stopped at its end and redriven; its model is its result",
        )
        finish.next(swept)
        failing.sweepable.step.when(swept, f"{failing.sweepable.swept} and {self._result}")
        return Fragment(start=sum_up, ends=(swept.otherwise,))


class UnlessFinished(Step):
    """Ends a run that had come to its end and has only made again what was swept since."""

    name = "Finished already?"
    # It makes nothing that could be lost.
    survives = True

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """One choice; it cannot fail."""
        del failing
        already = sfn.Choice.jsonata(tasks, self.name)
        finished = sfn.Condition.jsonata("{% $finished %}")
        return Fragment(
            start=already,
            ends=(already.otherwise,),
            done=(lambda done: already.when(finished, done),),
        )

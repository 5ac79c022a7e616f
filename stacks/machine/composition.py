"""A pipeline: steps in the order in which things happen, and the states they become."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from aws_cdk import aws_stepfunctions as sfn

from stacks.base import SpineStack
from stacks.machine.failing import FailedRun, Failing, Resumption, Sweepable
from stacks.machine.step import Step, merged
from stacks.machine.tasks import Tasks
from stacks.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """What a machine is composed of.

    Where a failed run goes on when it is redriven follows from the order of the steps: with the
    step that failed, as long as what those before it have made is still there. The first step whose
    result does not survive the clean-up after a failure is the last to go on with: everything later
    needs it made again.

    Attributes:
        comment: What it does, for who looks at the machine.
        steps: In the order in which things happen; the first one plans, and makes nothing.
        after_failure: Makes the state that cleans up after all others.
    """

    comment: str
    steps: tuple[Step, ...]
    after_failure: Callable[[Tasks], sfn.CustomState]

    @property
    def variables(self) -> dict[str, Any]:
        """What its steps want assigned from the start."""
        found: dict[str, Any] = {}
        for step in self.steps:
            found |= {**step.variables, **step.counters}
        return found

    @property
    def output(self) -> dict[str, Any]:
        """What its steps add to the output of a run."""
        return merged(step.output for step in self.steps)


def compose(pipeline: Pipeline, tasks: Tasks) -> sfn.State:
    """Make the states of a pipeline, and return the first.

    Args:
        pipeline: What to make.
        tasks: Of a machine that has no states yet.
    """
    failed = FailedRun(tasks)
    cleaned_up = pipeline.after_failure(tasks)
    cleaned_up.next(failed.start)
    # Even a clean-up that fails ends with the error that began it; the sweeper tries again.
    cleaned_up.add_catch(failed.start, errors=["States.ALL"])
    first, *later = pipeline.steps
    # Nothing exists yet that could need cleaning up.
    failing = Failing(to=failed.start, again_from=first.name)
    whole = first.fragment(tasks, failing)
    failed.resumes_at(_resumption(first, whole.start))
    failing = replace(failing, to=cleaned_up)
    is_there = first.survives
    for step in later:
        if is_there:
            failing = replace(failing, again_from=step.name)
        fragment = step.fragment(tasks, failing)
        whole = whole.next(fragment)
        if is_there:
            resumption = _resumption(step, fragment.start)
            failed.resumes_at(resumption)
            if step.made_in is not None:
                failing = _or_remade(
                    failing, Sweepable(step=resumption, made_in=step.made_in), tasks
                )
        is_there = is_there and step.survives
    done = sfn.Succeed.jsonata(tasks, "Done", outputs="{% $output %}")
    for end in (*whole.ends, *whole.done):
        end(done)
    return whole.start


def _resumption(step: Step, start: sfn.State) -> Resumption:
    return Resumption(name=step.name, start=start, assign=step.counters)


def _or_remade(failing: Failing, sweepable: Sweepable, tasks: Tasks) -> Failing:
    """How steps fail that need what the sweeper takes: redriven, the run makes it again, once."""
    swept = sfn.Choice.jsonata(tasks, "Redriven and swept?").otherwise(failing.to)
    sweepable.step.when(swept, sweepable.swept)
    return replace(failing, sweepable=sweepable, unless_swept=swept)


S = TypeVar("S")


class Steps:
    """What the pipelines of one stack are made of: provisioned once, in however many they are.

    Attributes:
        stack: Where it is provisioned.
        storage: Holds the runs.
    """

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Begin without any."""
        self.stack = stack
        self.storage = storage
        self._provisioned: dict[Callable[..., Any], Any] = {}

    def __call__(self, step: Callable[[SpineStack, Storage], S]) -> S:
        """The step of a class, provisioned at the first call."""
        if step not in self._provisioned:
            self._provisioned[step] = step(self.stack, self.storage)
        return cast("S", self._provisioned[step])

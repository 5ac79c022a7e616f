"""Clean up: delete what a run left in SageMaker."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from spine.shipped import load
from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine import fragment
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.grants import of_runs
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks
from stacks.permissions import Permission, allow
from stacks.storage import Storage

# An endpoint cannot be deleted while it is being created, which takes minutes.
# 5 + 7.5 + ... + 120 s, 26 times, 41 minutes in all; what is stuck for longer is the sweeper's.
_BUSY_RETRY = {
    "ErrorEquals": ["EndpointBusyError"],
    "IntervalSeconds": 5,
    "BackoffRate": 1.5,
    "MaxAttempts": 26,
    "MaxDelaySeconds": 120,
    "JitterStrategy": "NONE",
}


def cleaning(stack: SpineStack) -> list[Permission]:
    """What it takes to find and delete whatever this stage's runs made in SageMaker."""
    kinds = sorted(load("common.kinds").KINDS, key=lambda kind: kind.resource_type)
    return [
        allow(
            *(f"sagemaker:{kind.operation('List')}" for kind in kinds),
            on=["*"],
            because="IAM knows no resource for SageMaker's lists.",
        ),
        *(
            of_runs(
                stack,
                kind,
                # What cannot be deleted in every status is looked at before.
                *((kind.operation("Describe"),) if kind.in_progress else ()),
                kind.operation(kind.ending),
                "ListTags",
            )
            for kind in kinds
        ),
    ]


class Cleaner:
    """Deletes what a run made in SageMaker, by the run's name and the execution's tag."""

    def __init__(self, stack: SpineStack, _storage: Storage) -> None:
        """Provision the function."""
        self._function = Function(
            stack,
            "CleanUp",
            bundle="cleanup",
            description="deletes what one run left in SageMaker",
            permissions=cleaning(stack),
            environment={},
            timeout=Duration.minutes(2),
        )

    def after_failure(self, tasks: Tasks) -> sfn.CustomState:
        """The state that every failure after planning passes."""
        return self.state(
            tasks,
            "Clean up after failure",
            comment="Whatever failed, nothing is left behind",
            models="{% true %}",
        )

    def state(self, tasks: Tasks, name: str, *, comment: str, models: str) -> sfn.CustomState:
        """A state that cleans up.

        Args:
            tasks: Of the machine.
            name: Of the state.
            comment: On it.
            models: Whether the model goes, too, which costs nothing.
        """
        return tasks.function(
            name,
            self._function,
            comment=comment,
            payload={"run_name": "{% $plan.run.name %}", "delete_model": models},
            retries=(_BUSY_RETRY,),
        )


class CleanUp(Step):
    """Cleans up after a run that has come to its end."""

    name = "Clean up"

    def __init__(self, cleaner: Cleaner, *, comment: str, models: str) -> None:
        """See `Cleaner.state`."""
        self._cleaner = cleaner
        self._comment = comment
        self._models = models

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """One state."""
        state = self._cleaner.state(tasks, self.name, comment=self._comment, models=self._models)
        failing.guard(state)
        return fragment.of(state)

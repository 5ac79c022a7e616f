"""Clean up: delete what a run left in SageMaker."""

from collections.abc import Iterator
from typing import Any

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

# 5 + 10 + 20 s at most: 35 s. Cleaning up again is harmless, and another environment may have the
# memory or the time. What Lambda says of a function that came to no answer of its own:
# out of memory, killed, or over its time; `Lambda.Unknown` where Step Functions knows no more.
_KILLED_RETRY = {
    "ErrorEquals": [
        "Runtime.ExitError",
        "Runtime.OutOfMemory",
        "Sandbox.Timedout",
        "Lambda.Unknown",
        "Lambda.ClientExecutionTimeoutException",
        "States.Timeout",
    ],
    "IntervalSeconds": 5,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}


def cleaning(stack: SpineStack) -> list[Permission]:
    """What it takes to find and delete whatever this stage's runs made in SageMaker."""
    table = load("common.kinds")
    kinds = sorted(table.KINDS, key=lambda kind: kind.resource_type)
    held = table.held()
    users = {user.resource_type: user for kind in kinds for user in table.users_of(kind)}
    return [
        allow(
            *(f"sagemaker:{kind.operation('List')}" for kind in (*kinds, *held)),
            on=["*"],
            because="IAM knows no resource for SageMaker's lists.",
        ),
        *(
            allow(
                f"sagemaker:{kind.operation('Describe')}",
                on=stack.arns("sagemaker", f"{kind.resource_type}/*"),
                because="Whoever uses what a run made calls it as they like.",
            )
            for _, kind in sorted(users.items())
        ),
        *(
            allow(
                f"sagemaker:{kind.operation('Delete')}",
                on=stack.arns("sagemaker", f"{kind.resource_type}/*"),
                because="Whoever put one onto a run's endpoint called it as they like.",
            )
            for kind in held
        ),
        *_deregistering(stack, [*kinds, *held]),
        *(
            of_runs(
                stack,
                kind,
                kind.operation(kind.ending),
                "ListTags",
            )
            for kind in kinds
        ),
    ]


def _deregistering(stack: SpineStack, kinds: list[Any]) -> Iterator[Permission]:
    """Taking off the automatic scaling that keeps SageMaker from deleting something.

    SageMaker itself does so in the name of whoever deletes.
    """
    dimensions = sorted({each for kind in kinds for each in kind.scalable_dimensions})
    if dimensions:
        yield allow(
            "application-autoscaling:DeregisterScalableTarget",
            on=stack.arns("application-autoscaling", "scalable-target/*"),
            when={
                "StringEquals": {
                    "application-autoscaling:service-namespace": "sagemaker",
                    "application-autoscaling:scalable-dimension": dimensions,
                }
            },
            because="Application Auto Scaling gives its targets ids of its own.",
        )


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
            retries=(_BUSY_RETRY, _KILLED_RETRY),
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

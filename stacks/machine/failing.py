"""How a run fails: what a catch keeps, how a failed run ends, and where a redrive goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine.tasks import Tasks
from stacks.permissions import allow

# 1 + 2 + 4 s at most, for the call that ends a failed run.
_STATES_RETRY = {
    "ErrorEquals": ["Sfn.SfnException", "Sfn.SdkClientException"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "MaxDelaySeconds": 10,
    "JitterStrategy": "FULL",
}

# Of a Parallel that failed without them both are null, which no function of text takes.
_ERROR = "($failure.Error = null ? 'UnnamedError' : $failure.Error)"
_CAUSE = "($failure.Cause = null ? '' : $failure.Cause)"

# What a redriven run reports to itself.
_REDRIVEN = "RunRedriven"
IS_REDRIVEN = "$states.context.Execution.RedriveCount > 0"
_FAILED_BEFORE = "$states.context.Execution.RedriveCount > $failed_in"


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """Where a redriven run may go on.

    Attributes:
        name: What a catch records.
        start: The state that is entered.
        assign: What begins anew there.
    """

    name: str
    start: sfn.State
    assign: Mapping[str, Any] = field(default_factory=dict)

    def when(self, choice: sfn.Choice, condition: str) -> None:
        """Give a choice the way there."""
        choice.when(
            sfn.Condition.jsonata(f"{{% {condition} %}}"),
            self.start,
            assign=self.assign or None,
        )


@dataclass(frozen=True, kw_only=True)
class Sweepable:
    """A step whose result the sweeper takes when the run is aborted or times out.

    Redriven, the run makes it again, once: a failure after that is a failure.

    Attributes:
        step: Where it is made.
        made_in: The variable that holds the redrive count of the attempt that made it.
    """

    step: Resumption
    made_in: str

    @property
    def swept(self) -> str:
        """An expression: whether it may have been swept since it was made."""
        return f"$states.context.Execution.RedriveCount > ${self.made_in}"


@dataclass(frozen=True, kw_only=True)
class Failing:
    """Where the failures of a step lead, and what they leave for who comes after.

    Attributes:
        to: Where they lead.
        again_from: Where a redrive of the failed run goes on; None in a branch, which can neither
            assign the machine's variables nor go on anywhere: its Parallel fails with it.
        variable: Holds the error and its cause. A branch has one of its own.
        sweepable: What was made before and may have been swept since.
        unless_swept: Where a failure leads for want of it; the same as `to` when there is none.
    """

    to: sfn.State
    again_from: str | None = None
    variable: str = "failure"
    sweepable: Sweepable | None = None
    unless_swept: sfn.State | None = None

    def catch(
        self,
        state: sfn.CustomState | sfn.Parallel,
        *,
        to: sfn.State | None = None,
        keeping_first: bool = False,
    ) -> None:
        """Catch every error of a state, keep it, and go where failures lead or elsewhere.

        Args:
            state: Has no catch yet.
            to: Where else.
            keeping_first: For a state that is entered after a failure: that one is kept.
        """
        error = f"${self.variable}" if keeping_first else "$states.errorOutput"
        kept: dict[str, Any] = {self.variable: f"{{% {error} %}}"}
        if self.again_from is not None:
            kept["failed_in"] = "{% $states.context.Execution.RedriveCount %}"
            kept["again_from"] = self.again_from
        state.add_catch(to or self.to, errors=["States.ALL"], assign=kept)

    def guard(self, state: sfn.CustomState | sfn.Parallel) -> None:
        """Catch every error of a state, unless it is in a branch: there the Parallel does."""
        if self.again_from is not None:
            self.catch(state)

    def guard_swept(self, state: sfn.CustomState | sfn.Parallel) -> None:
        """Guard a state that may also fail because what it needs was swept."""
        if self.again_from is not None:
            self.catch(state, to=self.unless_swept)


class FailedRun:
    """The end of a failed run, which can be redriven.

    Step Functions redrives a run from the state that did not succeed, and a Fail state only fails
    again. So a failed run ends in a task that fails: it reports to itself, by its own task token,
    the error and cause of what failed first. Redriven, the task is run again, and now reports that
    it was, which is caught: the run goes on where it had failed.

    Attributes:
        start: The task.
    """

    def __init__(self, tasks: Tasks) -> None:
        """Make the task, and the choice of where to go on, which has no ways yet."""
        for_good = sfn.Fail.jsonata(
            tasks,
            "Run failed for good",
            comment="Only if the run could not fail by itself; it cannot be redriven",
            error=f"{{% {_ERROR} %}}",
            cause=f"{{% {_CAUSE} %}}",
        )
        self._where = sfn.Choice.jsonata(
            tasks,
            "Where did it fail?",
            comment="What the clean-up deleted is made again, nothing else is",
        ).otherwise(for_good)
        self.start = tasks.task(
            "Run failed",
            "aws-sdk:sfn:sendTaskFailure.waitForTaskToken",
            Comment="Fails with the first error and cause; redriven, goes on where it had failed",
            Arguments={
                "TaskToken": "{% $states.context.Task.Token %}",
                "Error": f"{{% {_FAILED_BEFORE} ? '{_REDRIVEN}' : $substring({_ERROR}, 0, 256) %}}",
                # SendTaskFailure, API reference: the longest that it takes.
                "Cause": f"{{% $substring({_CAUSE}, 0, 32768) %}}",
            },
            TimeoutSeconds=120,
            # Of a time-out that is the run's own error the name is another.
            HeartbeatSeconds=60,
            Retry=[_STATES_RETRY],
        )
        tasks.grants.also(
            allow(
                "states:SendTaskFailure",
                on=["*"],
                because="IAM knows no resource for it; whoever calls needs the task's token.",
            )
        )
        self.start.add_catch(self._where, errors=[_REDRIVEN])
        self.start.add_catch(
            for_good,
            errors=[
                "Sfn.SfnException",
                "Sfn.SdkClientException",
                "Sfn.InvalidTokenException",
                "Sfn.TaskDoesNotExistException",
                "Sfn.TaskTimedOutException",
                "States.HeartbeatTimeout",
            ],
        )
        self.start.next(for_good)

    def resumes_at(self, step: Resumption) -> None:
        """Let a redriven run that failed there, or later, go on there."""
        step.when(self._where, f"{_FAILED_BEFORE} and $again_from = '{step.name}'")

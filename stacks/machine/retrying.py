"""Trying a creation again that failed for a transient reason.

Step Functions gives everything that SageMaker's API refuses one error name, which no Retry can tell
apart: a choice after the creation reads the cause.
"""

from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine.adopting import Adopting
from stacks.machine.failing import Failing
from stacks.machine.fragment import End, Fragment
from stacks.machine.tasks import Tasks

# How often a creation is repeated that failed for no fault of the input: after 3 + 6 + 12 + 24 s,
# 45 s in all; for a quota that others use up after 10 + 20 + 40 + 80 s; for want of capacity after
# 1 + 2 + 4 + 8 minutes, 15 in all.
MOST_TRIES = 4
# The cause tells throttling, failures of the service, and a resource that SageMaker does not find
# yet (CreateEndpoint, API reference), from a request that can never work.
_TRANSIENT = (
    "/Throttl|TooManyRequests|Rate exceeded|Status Code: 5[0-9][0-9]"
    "|Could not find (model|endpoint configuration)/"
)
# A job says in its description that there was no capacity.
_TRANSIENT_OF_JOB = '/"FailureReason": ?"(CapacityError|InternalServerError)/'
_NO_CAPACITY = "/CapacityError/"
_QUOTA = "SageMaker.ResourceLimitExceededException"


@dataclass(frozen=True, kw_only=True)
class Retrying:
    """Repeats a creation.

    Attributes:
        question: Name of the choice that reads the cause.
        wait: Name of the wait before the next try.
        tries: The variable that counts the tries; 0 before the first.
    """

    question: str
    wait: str
    tries: str

    def around(
        self,
        creation: sfn.CustomState,
        tasks: Tasks,
        failing: Failing,
        *,
        adopting: Adopting | None = None,
        told: sfn.State | None = None,
    ) -> Fragment:
        """Repeat a creation, and adopt what a lost answer made.

        Args:
            creation: Has no catch and no successor yet.
            tasks: Of the same machine.
            failing: Where any other error leads.
            adopting: What it makes, if that has the run's own name.
            told: Where a job leads that failed, and may have written why.
        """
        choice = sfn.Choice.jsonata(
            tasks, self.question, comment="Only what may pass by itself is tried again"
        )
        failing.catch(creation, to=choice)
        ends: list[End] = [creation.next]
        if adopting is not None:
            adopted = adopting.fragment(tasks, failing)
            ends += adopted.ends
            _when(
                choice,
                f"$contains(${failing.variable}.Error & ${failing.variable}.Cause,"
                " /already existing/)",
                adopted.start,
            )
        wait = sfn.Wait.jsonata(tasks, self.wait, time=self._time(failing))
        wait.next(creation)
        transient = self._transient(failing, may_exist=adopting is not None)
        choice.when(
            sfn.Condition.jsonata(f"{{% ${self.tries} < {MOST_TRIES} and {transient} %}}"),
            wait,
            assign={self.tries: f"{{% ${self.tries} + 1 %}}"},
        )
        if told is not None:
            _when(choice, f"${failing.variable}.Error = 'States.TaskFailed'", told)
        choice.otherwise(failing.to)
        return Fragment(start=creation, ends=tuple(ends))

    def _transient(self, failing: Failing, *, may_exist: bool) -> str:
        """An expression: whether another try may help."""
        failure = f"${failing.variable}"
        found = (
            f"$contains({failure}.Cause, {failure}.Error = 'States.TaskFailed'"
            f" ? {_TRANSIENT_OF_JOB} : {_TRANSIENT})"
        )
        found = f"({found} or {_quota_may_become_free(failing.variable)})"
        if failing.sweepable is not None:
            # Swept since the attempt before: waiting does not bring it back.
            missing = f"$contains({failure}.Cause, /Could not find/)"
            found = f"({found} and $not({failing.sweepable.swept} and {missing}))"
        if may_exist:
            # Whether it took effect is not known; the next try tells.
            found = f"({failure}.Error = 'States.Timeout' or {found})"
        return found

    def _time(self, failing: Failing) -> sfn.WaitTime:
        failure = f"${failing.variable}"
        return sfn.WaitTime.seconds(
            f"{{% $ceil((0.5 + $random() / 2) * $power(2, ${self.tries} - 1)"
            f" * ($contains({failure}.Cause, {_NO_CAPACITY}) ? 60"
            f" : {failure}.Error = '{_QUOTA}' ? 10 : 3)) %}}"
        )


def _when(choice: sfn.Choice, condition: str, following: sfn.State) -> None:
    choice.when(sfn.Condition.jsonata(f"{{% {condition} %}}"), following)


def _quota_may_become_free(failure: str) -> str:
    """Whether an error is a quota's, and large enough for what was asked for, once others end.

    SageMaker says "The account-level service limit 'ml.m5.xlarge for training job usage' is 0
    Instances, with current utilization of 0 Instances and a request delta of 1 Instances."
    """
    cause = f"${failure}.Cause"
    return (
        f"(${failure}.Error = '{_QUOTA}'"
        f" and ($contains({cause}, /is [0-9]+ Instances.*request delta of [0-9]+ /)"
        f" ? $number($match({cause}, /is ([0-9]+) Instances/)[0].groups[0])"
        f" >= $number($match({cause}, /request delta of ([0-9]+) /)[0].groups[0]) : true))"
    )

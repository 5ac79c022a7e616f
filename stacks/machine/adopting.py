"""Going on with what exists already because a try whose answer was lost has made it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.requests import kind_of
from stacks.machine.tasks import Tasks


@dataclass(frozen=True, kw_only=True)
class Adopting:
    """Adopts what has the run's name when its tags say that this execution made it.

    Attributes:
        noun: What the API calls it, such as `EndpointConfig`.
        assign: What the creation itself would have assigned.
    """

    noun: str
    assign: Mapping[str, Any] = field(default_factory=dict)

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Ends where the creation would have ended."""
        kind = kind_of(self.noun)
        tasks.grants.adoption(kind)
        noun = kind.key.replace("_", " ")
        whose = tasks.call(
            f"Whose is the {noun}?",
            "ListTags",
            self.noun,
            arguments={"ResourceArn": tasks.arn(self.noun)},
            Comment="It exists already: made by a try whose answer was lost, or by somebody else",
            Output="{% $states.result.Tags[Key = 'spine:execution'].Value %}",
        )
        failing.catch(whose)
        taken = sfn.Pass.jsonata(
            tasks,
            f"Another's {noun}",
            assign={
                failing.variable: {
                    "Error": "NameTakenError",
                    "Cause": f"{{% 'There is already a {noun} ' & $plan.run.name & ', and"
                    " its tags do not say that this execution made it. Delete it, or start"
                    " a new execution under another name.' %}",
                }
            },
        )
        taken.next(failing.to)
        ours = sfn.Choice.jsonata(tasks, f"This run's {noun}?").otherwise(taken)
        whose.next(ours)
        condition = sfn.Condition.jsonata("{% $states.input = $plan.run.execution_tag %}")
        return Fragment(
            start=whose,
            ends=(lambda following: ours.when(condition, following, assign=self.assign or None),),
        )

"""What an algorithm is trained for, and what its model answers then. Pure."""

from typing import Literal, NamedTuple

from ..common.tasks import Task

# What the model answers for a row: the probability of class 1; the log-odds of it; a probability
# for each class; the number of a class; a number.
Output = Literal["probability", "score", "probabilities", "class", "value"]
# Labels of a regression: more than -1; 0 or more; more than 0; from 0 to 1.
Domain = Literal["above_minus_one", "non_negative", "positive", "share"]


class Objective(NamedTuple):
    """What follows from an objective.

    Attributes:
        task: What the label is for.
        output: What the model answers.
        domain: The labels of a regression that it takes; any number where it is None.
        metrics: Those that training may watch with it; none where the algorithm has no such choice.
        default_metric: The one of them that it watches unless others are given.
    """

    task: Task
    output: Output
    domain: Domain | None = None
    metrics: tuple[str, ...] = ()
    default_metric: str | None = None

    @property
    def tells_probabilities(self) -> bool:
        """Whether the model tells more of a row than its class."""
        return self.output != "class"

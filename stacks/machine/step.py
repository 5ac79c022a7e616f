"""What a step of a pipeline is: what it provisions, its states, and what others know of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.tasks import Tasks


class Step(ABC):
    """One step: its function or SageMaker call with its permissions, and its states.

    Its constructor provisions what the step needs in a stack, so that several machines may share
    it; its states are made for each machine.

    Attributes:
        name: Of its main state; a redrive of a failed run finds it by that.
        variables: With their first values: what others read on paths that do not pass the step.
        tries: The variable that counts the tries of its creation, if it has one.
        survives: Whether its result outlives the clean-up after a failure.
        made_in: The variable that holds the redrive count of the attempt that made its result, if
            the sweeper takes that from runs that were aborted.
        output: What it adds to the run's output; objects of the same name are merged.
    """

    name: str
    variables: Mapping[str, Any] = {}
    tries: str | None = None
    survives: bool = False
    made_in: str | None = None
    output: Mapping[str, Any] = {}

    @property
    def counters(self) -> dict[str, Any]:
        """What begins anew whenever the step does."""
        return {self.tries: 0} if self.tries else {}

    @abstractmethod
    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Make its states.

        Args:
            tasks: Of the machine whose states they become.
            failing: Where failures lead.
        """


def merged(outputs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several outputs as one; objects of the same name become one, too."""
    found: dict[str, Any] = {}
    for output in outputs:
        for name, value in output.items():
            both = name in found and isinstance(value, Mapping)
            found[name] = merged([found[name], value]) if both else value
    return found

"""What a rule is, and how one is written down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gates.machine import Machine

Found = Iterator[tuple[str, str]]

# Where rules come from.
ASL = "https://states-language.net/spec.html"
STEP_FUNCTIONS = "https://docs.aws.amazon.com/step-functions/latest/dg"
SAGEMAKER_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference"
SECURITY_HUB = "https://docs.aws.amazon.com/securityhub/latest/userguide/sagemaker-controls.html"


@dataclass(frozen=True)
class Rule:
    """One thing that must not be.

    Attributes:
        name: Short, and the same for ever: findings and mutants refer to it.
        why: What happens otherwise.
        source: Who says so.
        check: Yields a state (or "-") and what is wrong with it.
    """

    name: str
    why: str
    source: str
    check: Callable[[Machine], Found]


class Rules(list[Rule]):
    """The rules of one module, in the order in which they stand there."""

    def rule(
        self, name: str, *, why: str, source: str
    ) -> Callable[[Callable[[Machine], Found]], None]:
        """Write the function below down as a rule."""

        def register(check: Callable[[Machine], Found]) -> None:
            self.append(Rule(name, why, source, check))

        return register

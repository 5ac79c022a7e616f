"""Reading what a model answers. Pure.

Answers are CSV text: a line a row, several values of a row separated by commas. A container that
writes otherwise has a `Form` of its own.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .objectives import Output

# float() also takes "nan", "inf", "1_0" and digits of other scripts, none of which a container
# writes for a prediction.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
# Containers' probabilities are 32-bit floats.
_ROUNDING = 1e-3

_EXPECTED: dict[Output, str] = {
    "probability": "a probability between 0 and 1",
    "score": "a score, the log-odds of class 1",
    "probabilities": "a probability for each class, together 1",
    "class": "the number of a class",
    "value": "a number",
}


@dataclass(frozen=True)
class Form:
    """What a model answers for a row.

    Attributes:
        output: The kind of it.
        classes: How many classes there are; of no meaning for a value.
        accept: What its container is asked to write.
    """

    accept: ClassVar[str] = "text/csv"
    output: Output
    classes: int

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return self.classes if self.output == "probabilities" else 1

    @property
    def expected(self) -> str:
        """A row's answer in words."""
        return _EXPECTED[self.output]

    def split(self, line: str) -> list[str]:
        """Return the values of a line of the container's answer, of one row or of several."""
        return [value.strip() for value in line.split(",")]

    def read(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        """Return a row's numbers, or None when they are not what the model would answer.

        A score becomes the probability it stands for, by the logistic function.
        """
        if len(texts) != self.width or not all(map(_NUMBER.fullmatch, texts)):
            return None
        numbers = tuple(map(float, texts))
        if not all(map(math.isfinite, numbers)):
            return None
        if self.output == "score":
            return (logistic(numbers[0]),)
        return numbers if self._holds(numbers) else None

    def _holds(self, numbers: tuple[float, ...]) -> bool:
        if self.output == "value":
            return True
        if self.output == "class":
            return numbers[0].is_integer() and 0 <= numbers[0] < self.classes
        whole = self.output == "probability" or abs(sum(numbers) - 1) <= _ROUNDING
        return whole and all(0 <= number <= 1 for number in numbers)

    def label(self, text: str) -> float | None:
        """Return a label as the preparation writes it, or None when it is something else."""
        if not _NUMBER.fullmatch(text):
            return None
        number = float(text)
        if self.output == "value":
            return number if math.isfinite(number) else None
        return number if text.isdigit() and number < self.classes else None


def logistic(score: float) -> float:
    """Return the probability that log-odds stand for."""
    # math.exp overflows from 710 on; so far out the probability is 0 or 1 to the last digit.
    if score < 0:
        odds = math.exp(max(score, -700))
        return odds / (1 + odds)
    return 1 / (1 + math.exp(-min(score, 700)))

"""What each task brings to an evaluation. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..algorithms.objectives import Output
from .gate import Gate
from .join import Joined


class Columns(NamedTuple):
    """A table of the rows: the names of its columns, and each of shape (n,)."""

    names: Sequence[str]
    values: Sequence[NDArray[np.generic]]


@dataclass(frozen=True)
class Evaluation(ABC):
    """The test rows of a run, measured and shown as its task asks.

    Attributes:
        event: The handler's.
        joined: The test rows with the model's answers.
        output: What the model answers with.
    """

    event: dict[str, Any]
    joined: Joined
    output: Output

    @abstractmethod
    def columns(self) -> Columns:
        """Return what predictions.csv says of the rows, beside their numbers."""

    @abstractmethod
    def metrics(self) -> dict[str, Any]:
        """Return the metrics of the execution's output; one that cannot be computed is None."""

    @abstractmethod
    def undefined(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        """Say for each metric that is None what is missing."""

    @abstractmethod
    def report(self, metrics: dict[str, Any], reasons: dict[str, str], gate: Gate) -> str:
        """Return the page for what was measured; names in it may be hostile."""

"""What each task brings to an evaluation. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .gate import Gate
from .join import Joined

RowsT = TypeVar("RowsT")


class Columns(NamedTuple):
    """A table of the rows: the names of its columns, and each of shape (n,)."""

    names: Sequence[str]
    values: Sequence[NDArray[np.generic]]


class Evaluation(ABC, Generic[RowsT]):
    """The test rows of a run, measured and shown as its task asks.

    Attributes:
        event: The handler's.
        rows: The test rows as the task sees them.
    """

    def __init__(self, event: dict[str, Any], joined: Joined) -> None:
        self.event = event
        # What is joined has eight bytes for every label, whatever the task, so it is not kept.
        self.rows = self._seen(joined)

    @abstractmethod
    def _seen(self, joined: Joined) -> RowsT:
        """Return the rows as the task sees them."""

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

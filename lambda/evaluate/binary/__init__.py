"""Two classes, told apart at a threshold. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..evaluation import Columns, Evaluation
from ..gate import Gate
from ..join import Joined
from . import measure, report
from .rows import Scored


class Binary(Evaluation[Scored]):
    """An evaluation of two classes."""

    def _seen(self, joined: Joined) -> Scored:
        # A score has become a probability when it was read.
        return Scored(joined.labels.astype(np.int8), joined.answers[:, 0])

    @property
    def _threshold(self) -> float:
        threshold: float | None = self.event["plan"]["evaluation"]["threshold"]
        if threshold is None:
            raise ValueError("two classes are told apart at a threshold, and the plan has none")
        return threshold

    def columns(self) -> Columns:
        """Return `label,probability,class`."""
        labels, probabilities = self.rows
        classes = (probabilities > self._threshold).astype(np.int8)
        return Columns(("label", "probability", "class"), (labels, probabilities, classes))

    def metrics(self) -> dict[str, Any]:
        """Measure at the plan's threshold."""
        return measure.metrics(self.rows, self._threshold)

    def undefined(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        """Say what is missing."""
        return measure.undefined(metrics)

    def report(self, metrics: dict[str, Any], reasons: dict[str, str], gate: Gate) -> str:
        """Return the page."""
        return report.render(self.event, self.rows, metrics, reasons, gate)

"""Several classes. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import algorithms
from ...common.tasks import class_names
from ..evaluation import Columns, Evaluation
from ..gate import Gate
from ..join import Joined
from . import measure, report
from .rows import Classified


class Multiclass(Evaluation[Classified]):
    """An evaluation of several classes."""

    def _seen(self, joined: Joined) -> Classified:
        labels, answers, output = joined
        if output == "class":
            return Classified(labels.astype(np.int64), answers[:, 0].astype(np.int64), None)
        # What 32-bit floats leave out of 1 is taken for rounding.
        shares = answers / answers.sum(axis=1, keepdims=True)
        return Classified(labels.astype(np.int64), shares.argmax(axis=1), shares)

    def columns(self) -> Columns:
        """Return `label,class`, and the probability of each class where there is one."""
        labels, classes, probabilities = self.rows
        if probabilities is None:
            return Columns(("label", "class"), (labels, classes))
        columns = list(probabilities.T)
        names = [f"probability_{number}" for number in range(len(columns))]
        return Columns(("label", "class", *names), (labels, classes, *columns))

    def metrics(self) -> dict[str, Any]:
        """Measure the whole and each class against the rest."""
        return measure.metrics(self.rows, class_names(self.event["prepared"]["classes"]))

    def undefined(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        """Say what is missing."""
        plan = self.event["plan"]
        hyperparameters = plan["training"]["hyperparameters"]
        objective = algorithms.of_plan(plan).objective_name(hyperparameters)
        return measure.undefined(self.rows, metrics, objective)

    def report(self, metrics: dict[str, Any], reasons: dict[str, str], gate: Gate) -> str:
        """Return the page."""
        return report.render(self.event, self.rows, metrics, reasons, gate)

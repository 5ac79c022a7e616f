"""Numbers. Pure."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..evaluation import Columns, Evaluation
from ..gate import Gate
from . import measure, report
from .rows import Estimated


class Regression(Evaluation):
    """An evaluation of a regression."""

    @cached_property
    def rows(self) -> Estimated:
        """The test rows as this task sees them."""
        return Estimated(self.joined.labels, self.joined.answers[:, 0])

    def columns(self) -> Columns:
        """Return `label,prediction`."""
        return Columns(("label", "prediction"), self.rows)

    def metrics(self) -> dict[str, Any]:
        """Measure the errors."""
        return measure.metrics(self.rows)

    def undefined(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        """Say what is missing."""
        return measure.undefined(metrics)

    def report(self, metrics: dict[str, Any], reasons: dict[str, str], gate: Gate) -> str:
        """Return the page."""
        return report.render(self.event, self.rows, metrics, reasons, gate)

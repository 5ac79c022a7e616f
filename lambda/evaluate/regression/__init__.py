"""Numbers. Pure."""

from collections.abc import Mapping
from typing import Any

from ..evaluation import Columns, Evaluation
from ..gate import Gate
from ..join import Joined
from . import measure, report
from .rows import Estimated


class Regression(Evaluation[Estimated]):
    """An evaluation of a regression."""

    def _seen(self, joined: Joined) -> Estimated:
        return Estimated(joined.labels, joined.answers[:, 0])

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

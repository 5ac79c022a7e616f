"""The algorithms that a run can train: a folder each, and a row here. Pure."""

from collections.abc import Mapping
from typing import Any

from .algorithm import Algorithm
from .xgboost import XGBOOST

ALGORITHMS: dict[str, Algorithm] = {algorithm.name: algorithm for algorithm in (XGBOOST,)}
DEFAULT = XGBOOST


def of_plan(plan: Mapping[str, Any]) -> Algorithm:
    """Return the algorithm of a run by its plan."""
    # The plan of a run that began before there was a choice does not name it.
    return ALGORITHMS[plan.get("algorithm", DEFAULT.name)]


def of_image(uri: str) -> Algorithm | None:
    """Return the algorithm whose image this is, of whatever account, region and version."""
    repository = uri.rpartition("/")[2].partition(":")[0].partition("@")[0]
    return next((each for each in ALGORITHMS.values() if each.image.repository == repository), None)

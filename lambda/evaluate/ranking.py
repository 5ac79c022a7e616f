"""Rows ranked by score, and the curves and areas that follow from the ranks. Pure.

Names and formulas are scikit-learn's (`roc_curve`, `precision_recall_curve`, and their areas); the
tests hold every figure to it. numpy alone is imported in a tenth of the time.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .measure import Curve


class Ranking(NamedTuple):
    """What lies at or above each distinct score, the highest score first.

    Attributes:
        true: Rows of the class, shape (k,), not falling.
        false: Rows of any other class, shape (k,), not falling.
    """

    true: NDArray[np.int64]
    false: NDArray[np.int64]


def rank(of_class: NDArray[np.bool_], scores: NDArray[np.float64]) -> Ranking:
    """Rank at least one row by its score; rows of one score share a rank.

    Args:
        of_class: Whether a row is of the class, shape (n,).
        scores: How much it is taken for one, finite, shape (n,).
    """
    order = np.argsort(scores)[::-1]
    ordered = scores[order]
    # The last row of each distinct score.
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    del ordered
    true = np.cumsum(of_class[order], dtype=np.int64)[last]
    return Ranking(true, last + 1 - true)


def roc(ranking: Ranking) -> Curve | None:
    """Return the false positive rate against the true positive rate, or None for one class.

    It begins with nothing predicted, and leaves out what lies on a line between its neighbours. Its
    area is the ROC AUC: the share of pairs of one row in the class and one outside that are ranked
    rightly, a tie counting half (Hanley and McNeil, Radiology 143, 1982).
    """
    true, false = ranking
    if not true[-1] or not false[-1]:
        return None
    if len(true) > 2:
        corner = (np.diff(true, 2) != 0) | (np.diff(false, 2) != 0)
        kept = np.concatenate(([True], corner, [True]))
        true, false = true[kept], false[kept]
    x = np.concatenate(([0.0], false / false[-1]))
    y = np.concatenate(([0.0], true / true[-1]))
    return Curve(x, y, float(np.trapezoid(y, x)))


def precision_recall(ranking: Ranking) -> Curve | None:
    """Return recall against precision, or None where no row is of the class.

    It begins at recall 0 and precision 1. Its area is the average precision: the mean of the
    precisions, weighted by how much recall each adds (Zhu, University of Waterloo, 2004).
    """
    true, false = ranking
    if not true[-1]:
        return None
    precision = true / (true + false)
    recall = np.concatenate(([0.0], true / true[-1]))
    area = float(np.sum(np.diff(recall) * precision))
    return Curve(recall, np.concatenate(([1.0], precision)), area)

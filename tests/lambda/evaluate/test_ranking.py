"""Curves and areas are scikit-learn's, whatever the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from spine.shipped import load
from tests.evaluation import LABELS, SCORES

ranking = load("evaluate.ranking")

# Few distinct scores make many ties, within a class and across.
_SCORE = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
_ROWS = st.lists(st.tuples(st.booleans(), _SCORE), min_size=1, max_size=60)


def _arrays(rows: list[tuple[bool, float]]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels, scores = zip(*rows, strict=True)
    return np.array(labels), np.array(scores)


@settings(deadline=None)
@given(_ROWS)
def test_the_roc_curve_is_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    """Point by point and the area to the bit, as it was when scikit-learn computed it."""
    labels, scores = _arrays(rows)
    curve = ranking.roc(ranking.rank(labels, scores))
    if labels.all() or not labels.any():
        assert curve is None
        return
    x, y, _ = sk.roc_curve(labels, scores)
    np.testing.assert_array_equal(curve.x, x)
    np.testing.assert_array_equal(curve.y, y)
    assert curve.area == sk.roc_auc_score(labels, scores)


@settings(deadline=None)
@given(_ROWS)
def test_precision_and_recall_are_scikit_learns(rows: list[tuple[bool, float]]) -> None:
    """From recall 0 to 1, which is the other way round."""
    labels, scores = _arrays(rows)
    curve = ranking.precision_recall(ranking.rank(labels, scores))
    if not labels.any():
        assert curve is None
        return
    y, x, _ = sk.precision_recall_curve(labels, scores)
    np.testing.assert_array_equal(curve.x, x[::-1])
    np.testing.assert_array_equal(curve.y, y[::-1])
    assert curve.area == pytest.approx(sk.average_precision_score(labels, scores), abs=1e-12)


def test_many_rows_are_ranked_as_few_are() -> None:
    """Distinct scores by the hundred thousand, in 32-bit steps as the container writes them."""
    chance = np.random.default_rng(7)
    labels = chance.random(200_000) < 0.3
    scores = chance.normal(labels, 1.0).astype(np.float32).astype(np.float64)
    ranked = ranking.rank(labels, scores)
    assert ranking.roc(ranked).area == sk.roc_auc_score(labels, scores)
    average = sk.average_precision_score(labels, scores)
    assert ranking.precision_recall(ranked).area == pytest.approx(average, abs=1e-12)


def test_curves_begin_and_end_where_they_must() -> None:
    """ROC from nothing to everything predicted; precision-recall from recall 0 to 1."""
    ranked = ranking.rank(np.array(LABELS) == 1, np.array(SCORES))
    roc = ranking.roc(ranked)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    curve = ranking.precision_recall(ranked)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 1, 1, 0.6)

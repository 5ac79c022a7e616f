"""Several classes: what their rows say, with and without probabilities."""

import numpy as np

from tests.evaluation import evaluation

SPLIT = ["2,5,6", "0,5,6"]


def test_the_class_is_the_most_probable_one() -> None:
    """Each class has a column; what 32-bit floats leave out of 1 is taken for rounding."""
    output = ["[0.2, 0.30000001, 0.5]", "[0.4, 0.35, 0.25]"]
    found = evaluation(SPLIT, output, objective="multi:softprob", classes=3).columns()
    assert found.names == (
        "label",
        "class",
        "probability_0",
        "probability_1",
        "probability_2",
    )
    assert [list(column) for column in found.values[:2]] == [[2, 0], [2, 0]]
    np.testing.assert_allclose(np.sum(found.values[2:], axis=0), [1, 1], atol=1e-15)


def test_a_model_that_answers_classes_tells_no_probabilities() -> None:
    """Its rows have two columns."""
    found = evaluation(SPLIT, ["2.0", "1.0"], objective="multi:softmax", classes=3).columns()
    assert found.names == ("label", "class")
    assert [list(column) for column in found.values] == [[2, 0], [2, 1]]

"""The metrics that the XGBoost container adds to the library's."""

import numpy as np
import pytest
from sklearn import metrics as reference

from localcloud.sagemaker.containers.xgboost import metrics


@pytest.mark.parametrize("classes", [2, 4])
def test_the_containers_metrics_are_those_of_scikit_learn(classes: int) -> None:
    """Each metric the container adds to XGBoost's is computed as scikit-learn does."""

    class Matrix:
        def get_label(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            return labels

    random = np.random.default_rng(classes)
    labels = random.integers(0, classes, 200).astype(float)
    scores = random.random((200, classes))
    predictions = scores[:, 1] if classes == 2 else scores
    predicted = np.round(predictions) if classes == 2 else scores.argmax(axis=1)

    def average(name: str) -> dict[str, float]:
        function = getattr(reference, f"{name}_score")
        return {
            f"{name}_macro": function(labels, predicted, average="macro"),
            f"{name}_micro": function(labels, predicted, average="micro"),
        }

    expected = {
        "accuracy": reference.accuracy_score(labels, predicted),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, predicted),
        "f1": reference.f1_score(labels, predicted, average="macro"),
        "f1_macro": reference.f1_score(labels, predicted, average="macro"),
        **average("precision"),
        **average("recall"),
    }
    if classes == 2:
        expected |= {
            "f1_binary": reference.f1_score(labels, predicted),
            "precision": reference.precision_score(labels, predicted),
            "recall": reference.recall_score(labels, predicted),
            "mse": reference.mean_squared_error(labels, predictions),
            "r2": reference.r2_score(labels, predictions),
        }
    evaluate = metrics.evaluator(list(expected))
    assert evaluate is not None
    assert dict(evaluate(predictions, Matrix())) == pytest.approx(expected)

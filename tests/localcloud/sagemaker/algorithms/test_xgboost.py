"""XGBoost as an algorithm of the service: what its logs tell."""

from localcloud.sagemaker.algorithms import find
from tests.localcloud.sagemaker.cloud import IMAGE


def test_the_last_round_of_a_log_gives_the_metrics() -> None:
    """FinalMetricDataList is the last value of each of the algorithm's metrics."""
    log = (
        "[0]#011train-auc:0.10000#011validation-auc:0.20000\n"
        "something else\n"
        "[1]#011train-auc:0.30000#011train-error@0.7:0.5#011validation-auc:0.40000\n"
    )
    assert find(IMAGE).algorithm.metrics(log) == {
        "train:auc": 0.3,
        "train:error@0.7": 0.5,
        "validation:auc": 0.4,
    }
    assert find(IMAGE).algorithm.metrics("no round") == {}

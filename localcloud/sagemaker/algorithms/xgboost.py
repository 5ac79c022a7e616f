"""Amazon's XGBoost images in algorithm mode."""

import math
import re
from collections.abc import Sequence

from localcloud.sagemaker.algorithms import Algorithm
from localcloud.sagemaker.containers.xgboost.hyperparameters import MAXIMIZED, MINIMIZED

# Source: the metric definitions of aws/sagemaker-xgboost-container, `algorithm_mode/metrics.py`:
# the tab between metrics reaches CloudWatch as #011.
_ROUND = re.compile(r"\[[0-9]+\]#011.*")
_METRIC = re.compile(r"#011(train|validation)-([^\s:#]+):([^\s#]+)")


def _metrics(log: str) -> dict[str, float]:
    rounds = _ROUND.findall(log)
    if not rounds:
        return {}
    return {f"{data}:{metric}": float(value) for data, metric, value in _METRIC.findall(rounds[-1])}


def _series(lines: Sequence[str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for line in lines:
        if _ROUND.search(line):
            for data, metric, value in _METRIC.findall(line):
                number = float(value)
                if math.isfinite(number):
                    found.setdefault(f"{data}:{metric}", []).append(number)
    return found


# A job has at most 40 definitions, and clients hand a described job's back in a new request
# (`estimator.attach`): these are the metrics of the documentation's table and the common rest.
_DEFINED = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "cox-nloglik", "error", "f1"),
    *("gamma-deviance", "gamma-nloglik", "logloss", "mae", "map", "merror", "mlogloss", "mse"),
    *("ndcg", "poisson-nloglik", "r2", "rmse", "rmsle"),
)
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


ALGORITHM = Algorithm(
    repository="sagemaker-xgboost",
    container=f"{__package__.rpartition('.')[0]}.containers.xgboost",
    # Source: the Dockerfiles of aws/sagemaker-xgboost-container at each release.
    versions={
        "1.0-1": "1.0.0",
        # The last version whose tag the SageMaker SDK writes with the platform spelled out.
        "1.0-1-cpu-py3": "1.0.0",
        "1.2-1": "1.2.0",
        "1.2-2": "1.2.0",
        "1.3-1": "1.3.3",
        "1.5-1": "1.5.2",
        "1.7-1": "1.7.4",
        "3.0-5": "3.0.5",
        "3.2-0": "3.2.0",
    },
    library="XGBoost",
    distributions=("xgboost-cpu", "xgboost"),
    metrics=_metrics,
    series=_series,
    # Source: answers of DescribeTrainingJob for image 1.5-1, the CLI's output as people show it.
    definitions=tuple(
        {"Name": f"{data}:{name}", "Regex": rf".*\[[0-9]+\].*#011{data}-{name}:{_NUMBER}.*"}
        for data in ("train", "validation")
        for name in _DEFINED
    ),
    # Script mode, selectable inference and multi-model hosting.
    unsupported_environment=frozenset(
        {
            "SAGEMAKER_INFERENCE_OUTPUT",
            "SAGEMAKER_MULTI_MODEL",
            "SAGEMAKER_PROGRAM",
            "SAGEMAKER_SUBMIT_DIRECTORY",
        }
    ),
    # Source: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html
    objectives={
        **{f"validation:{name}": "Maximize" for name in MAXIMIZED},
        **{f"validation:{name}": "Minimize" for name in MINIMIZED},
    },
)

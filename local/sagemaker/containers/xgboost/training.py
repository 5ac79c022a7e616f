"""`train`: reads the job's folder, trains, and leaves `model/xgboost-model`."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from . import data, hyperparameters, metrics
from .errors import AlgorithmError, UserError, brief
from .library import xgboost as xgb

MODEL_NAME = "xgboost-model"
# XGBoost's complaints about what it was given, which the container reports as the user's error.
_USERS_FAULT = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "feature_names mismatch",
    "the dataset only contains pos or neg samples",
    "base_score must be in (0,1)",
    "label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)


def train(base: Path) -> None:
    """Runs a training job in the container's folder `base` (`/opt/ml` on AWS).

    Raises:
        UserError: Hyperparameters, channels or data are not right.
        AlgorithmError: XGBoost has failed.
    """
    config = base / "input" / "config"
    parameters = hyperparameters.validate(_load(config / "hyperparameters.json"))
    channels = _load(config / "inputdataconfig.json")
    content_type = data.check_channels(channels)
    _refuse_unavailable(parameters)
    folder = base / "input" / "data"
    weighted = bool(parameters.pop("csv_weights", 0))
    matrices: dict[str, xgb.DMatrix] = {}
    for name in ("train", "validation"):
        if name in channels:
            matrices[name] = _matrix(folder / name, content_type, weighted=weighted)
    rows, columns = matrices["train"].num_row(), matrices["train"].num_col()
    _log("Single node training.")
    _log(f"Train matrix has {rows} rows and {columns} columns")
    if "validation" in matrices:
        _log(f"Validation matrix has {matrices['validation'].num_row()} rows")
    model = _train(parameters, matrices)
    model.save_model(base / "model" / MODEL_NAME)


def _train(parameters: dict[str, Any], matrices: dict[str, xgb.DMatrix]) -> xgb.Booster:
    rounds = parameters.pop("num_round")
    patience = parameters.pop("early_stopping_rounds", None)
    save_when_stopped = parameters.pop("save_model_on_termination", "false") == "true"
    objective_metric = parameters.pop("_tuning_objective_metric", "").partition(":")[2]
    asked = parameters.pop("eval_metric", [])
    wanted = sorted({*asked, objective_metric}) if objective_metric else asked
    native = [name for name in wanted if name not in metrics.CUSTOM]
    if native:
        parameters["eval_metric"] = native
    if "updater" in parameters:
        parameters["updater"] = ",".join(parameters["updater"])

    callbacks: list[xgb.callback.TrainingCallback] = [_Monitor()]
    if save_when_stopped:
        callbacks.append(_StopOnSignal())
    watched = objective_metric or (asked[-1] if asked else None)
    if patience and watched and "validation" in matrices:
        callbacks.append(
            xgb.callback.EarlyStopping(
                rounds=patience,
                data_name="validation",
                metric_name=watched,
                maximize=watched in hyperparameters.MAXIMIZED,
                save_best=True,
            )
        )
    try:
        return xgb.train(
            parameters,
            matrices["train"],
            num_boost_round=rounds,
            evals=[(matrix, name) for name, matrix in matrices.items()],
            custom_metric=metrics.evaluator([name for name in wanted if name in metrics.CUSTOM]),
            callbacks=callbacks,
            verbose_eval=False,
        )
    except (xgb.core.XGBoostError, ValueError) as error:
        if any(text in str(error) for text in _USERS_FAULT):
            raise UserError(brief(error)) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {brief(error)}") from error


def _refuse_unavailable(parameters: dict[str, Any]) -> None:
    for name in ("_kfold", "_num_cv_round"):
        if name in parameters:
            raise UserError(f"Hyperparameter {name} (cross validation) is not available locally")
    if parameters.pop("use_dask_gpu_training", "false") == "true":
        raise UserError("Hyperparameter use_dask_gpu_training needs a GPU instance")


def _matrix(folder: Path, content_type: str, *, weighted: bool) -> xgb.DMatrix:
    texts = [(path, path.read_bytes()) for path in data.files(folder)]
    texts = [(path, text) for path, text in texts if text.strip()]
    if not texts:
        raise UserError(f"No data in {folder.name} channel path {folder}")
    kind = "csv" if content_type in data.CSV else "libsvm"
    try:
        if kind == "csv":
            return _csv_matrix([data.read_csv(text) for _, text in texts], weighted=weighted)
        labels, weights, features = data.read_libsvm(b"\n".join(text for _, text in texts))
    except (ValueError, UnicodeDecodeError) as error:
        names = ", ".join(path.name for path, _ in texts)
        line = texts[0][1].splitlines()[0][:50].decode(errors="replace")
        raise UserError(
            f"Failed to load {kind} data with exception:\n{error} (files: {names}; first line: "
            f"'{line}'). The file must have no header, and its first column must be the label."
        ) from error
    return xgb.DMatrix(features, label=labels, weight=weights)


def _csv_matrix(parts: list[data.Matrix], *, weighted: bool) -> xgb.DMatrix:
    table = np.concatenate(parts) if len(parts) > 1 else parts[0]
    first = 2 if weighted else 1
    if table.shape[1] <= first:
        raise ValueError(f"rows of {table.shape[1]} columns leave no feature beside the label")
    weight = table[:, 1] if weighted else None
    return xgb.DMatrix(table[:, first:], label=table[:, 0], weight=weight)


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return loaded


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Monitor(xgb.callback.TrainingCallback):
    """Writes each round's metrics as CloudWatch shows the container's: tabs as #011."""

    def after_iteration(
        self,
        model: xgb.Booster,  # noqa: ARG002 (XGBoost's signature)
        epoch: int,
        evals_log: dict[str, dict[str, list[Any]]],
    ) -> bool:
        """Called by XGBoost after each round."""
        parts = [
            f"{name}-{metric}:{_last(values):.5f}"
            for name, scores in evals_log.items()
            for metric, values in scores.items()
        ]
        _log("#011".join([f"[{epoch}]", *parts]))
        return False


def _last(values: list[Any]) -> float:
    value = values[-1]
    return float(value[0] if isinstance(value, tuple) else value)


class _StopOnSignal(xgb.callback.TrainingCallback):
    """Ends training after the current round on SIGTERM, so that the model so far is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def after_iteration(self, *_: object) -> bool:
        """Called by XGBoost after each round; true ends training."""
        return self._stopped

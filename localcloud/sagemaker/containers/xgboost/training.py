"""`train`: reads the job's folder, trains, and leaves `model/xgboost-model`."""

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from localcloud.sagemaker.containers.xgboost import (
    checkpoints,
    cluster,
    data,
    hyperparameters,
    metrics,
)
from localcloud.sagemaker.containers.xgboost.cluster import Cluster
from localcloud.sagemaker.containers.xgboost.errors import AlgorithmError, UserError, brief
from localcloud.sagemaker.containers.xgboost.library import xgboost as xgb

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
    resources = _load(config / "resourceconfig.json")
    place = _load(config / "checkpointconfig.json").get("LocalPath")
    read = _Reader(content_type, weighted=weighted)
    alone = len(resources.get("hosts", [])) <= 1
    # Inside a collective making a matrix waits for the other hosts, who may have none to make.
    rows = read.matrix(folder / "train", needed=alone)
    validation = None
    if rows is not None and "validation" in channels:
        validation = read.matrix(folder / "validation", needed=alone) or _nothing_like(rows)
    with cluster.join(resources, has_data=rows is not None) as joined:
        if joined is None or rows is None:
            _log(
                f"Host {resources['current_host']} does not have data and will not be used in "
                "distributed training."
            )
            return
        many = f"Distributed node training with {len(joined.hosts)} hosts: {list(joined.hosts)}"
        _log(many if joined.distributed else "Single node training.")
        _log(f"Train matrix has {rows.num_row()} rows and {rows.num_col()} columns")
        matrices = {"train": rows}
        if validation is not None:
            if not joined.any(validation.num_row() > 0):
                raise UserError(f"No data in validation channel path {folder / 'validation'}")
            _log(f"Validation matrix has {validation.num_row()} rows")
            matrices["validation"] = validation
        model = _train(parameters, matrices, joined, Path(place) if place else None)
        if joined.first:
            model.save_model(base / "model" / MODEL_NAME)


def _nothing_like(rows: xgb.DMatrix) -> xgb.DMatrix:
    """A matrix without rows: every host must measure on the same ones, be they empty."""
    empty = np.empty((0, rows.num_col()), np.float32)
    return xgb.DMatrix(empty, label=np.empty(0, np.float32))


def _train(
    parameters: dict[str, Any],
    matrices: dict[str, xgb.DMatrix],
    joined: Cluster,
    place: Path | None,
) -> xgb.Booster:
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

    earlier, done = (checkpoints.last(place) if place else None) or (None, 0)
    if earlier:
        _log(f"Checkpoint loaded from {earlier}")
        _log(f"Resuming from iteration {done}")
    callbacks: list[xgb.callback.TrainingCallback] = [_Monitor(done)]
    if place and joined.first:
        callbacks.append(checkpoints.Save(place, done))
    if save_when_stopped:
        callbacks.append(_StopOnSignal(joined.any))
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
            num_boost_round=max(0, rounds - done),
            xgb_model=earlier,
            evals=[(matrix, name) for name, matrix in matrices.items()],
            custom_metric=metrics.evaluator(
                [name for name in wanted if name in metrics.CUSTOM],
                scores=parameters.get("objective") == "binary:logitraw",
            ),
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


class _Reader:
    """Reads channels of one content type."""

    def __init__(self, content_type: str, *, weighted: bool) -> None:
        self._kind = data.kind_of(content_type)
        self._weighted = weighted

    def matrix(self, folder: Path, *, needed: bool) -> xgb.DMatrix | None:
        """A channel's rows; None when it has none and need not have any.

        Raises:
            UserError: The files are not of the content type, or there is nothing in them.
        """
        paths = [path for path in data.files(folder) if path.stat().st_size]
        if self._kind == "parquet":
            found = paths
        else:
            found = [path for path in paths if data.has_content(path)]
        if not found:
            if needed:
                raise UserError(f"No data in {folder.name} channel path {folder}")
            return None
        try:
            return self._read(found)
        except (ValueError, UnicodeDecodeError) as error:
            names = ", ".join(path.name for path in found)
            with found[0].open("rb") as file:
                line = file.read(50).splitlines()[0].decode(errors="replace")
            raise UserError(
                f"Failed to load {self._kind} data with exception:\n{error} (files: {names}; "
                f"first line: '{line}'). {_REMEDIES[self._kind]}"
            ) from error

    def _read(self, paths: list[Path]) -> xgb.DMatrix:
        if self._kind == "libsvm":
            text = b"\n".join(path.read_bytes() for path in paths)
            labels, weights, features = data.read_libsvm(text)
            return xgb.DMatrix(features, label=labels, weight=weights)
        if self._kind == "parquet":
            return _table_matrix([data.read_parquet(path) for path in paths], weighted=False)
        return _table_matrix([data.read_csv_file(path) for path in paths], weighted=self._weighted)


_REMEDIES = {
    "csv": "The file must have no header, and its first column must be the label.",
    "libsvm": "Each line must be: label index:value index:value ...",
    "parquet": "Every column must be a number, and the first the label.",
}


def _table_matrix(parts: list[data.Matrix], *, weighted: bool) -> xgb.DMatrix:
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

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

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
        _log("#011".join([f"[{self._start + epoch}]", *parts]))
        return False


def _last(values: list[Any]) -> float:
    value = values[-1]
    return float(value[0] if isinstance(value, tuple) else value)


class _StopOnSignal(xgb.callback.TrainingCallback):
    """Ends training after the current round on SIGTERM, so that the model so far is kept."""

    def __init__(self, on_any_host: Callable[[bool], bool]) -> None:
        super().__init__()
        self._on_any_host = on_any_host
        self._stopped = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def after_iteration(self, *_: object) -> bool:
        """Called by XGBoost after each round; true ends training, on every host after the same."""
        return self._on_any_host(self._stopped)

"""`serve`: `/ping`, `/execution-parameters` and `/invocations` for one model."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from localcloud.sagemaker.containers import http
from localcloud.sagemaker.containers.xgboost import data
from localcloud.sagemaker.containers.xgboost.errors import brief
from localcloud.sagemaker.containers.xgboost.library import xgboost as xgb

_ACCEPTED = [
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
    "text/csv",
]
_MEGABYTE = 1024**2


class Model:
    """The boosters of a model folder; several are averaged, or vote on classes.

    Args:
        folder: Holds the model files, whatever their names.
        joined: Write predictions separated by commas, as images up to 1.2-1 do.

    Raises:
        ValueError: The folder holds no model, or a file that XGBoost cannot load.
    """

    def __init__(self, folder: Path, *, joined: bool) -> None:
        files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        if not files:
            raise ValueError(f"{folder} holds no model file")
        if os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") != "true":
            files = files[:1]
        self._boosters = [_load(path) for path in files]
        learner = json.loads(self._boosters[0].save_config())["learner"]
        self._columns = max(booster.num_features() for booster in self._boosters)
        self._in_place = learner["gradient_booster"]["name"] == "gbtree"
        self._votes = learner["objective"]["name"] in ("multi:softmax", "binary:hinge")
        self._joined = joined
        self._batch = os.environ.get("SAGEMAKER_BATCH", "") == "true"
        self._limit = int(os.environ.get("MAX_CONTENT_LENGTH", str(6 * _MEGABYTE)))

    def answer(self, request: http.Request) -> http.Response:
        """Answers one request."""
        route = (request.method, request.path)
        if route == ("GET", "/ping"):
            return http.Response()
        if route == ("GET", "/execution-parameters"):
            return self._execution_parameters()
        if route == ("POST", "/invocations"):
            return self._invoke(request)
        return http.Response(404, b"Not Found")

    def _execution_parameters(self) -> http.Response:
        parameters = {
            "MaxConcurrentTransforms": os.cpu_count() or 1,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": self._limit // _MEGABYTE,
        }
        return http.Response(200, json.dumps(parameters).encode(), "application/json")

    def _invoke(self, request: http.Request) -> http.Response:
        if not request.body:
            return http.Response(204)
        if len(request.body) > self._limit:
            return http.Response(413, b"The data value transmitted exceeds the capacity limit.")
        try:
            features = _features(request.body, request.headers.get("content-type"))
        except Exception as error:  # noqa: BLE001 (whatever the body holds, it is the client's)
            return _refuse(415, str(error))
        try:
            predictions = self._predict(features)
        except Exception as error:  # noqa: BLE001 (the container answers 400 for all of these)
            return _refuse(400, f"Unable to evaluate payload provided: {brief(error)}")
        return self._encode(predictions, request.headers.get("accept"))

    def _predict(self, features: Any) -> np.ndarray[Any, Any]:
        columns = features.shape[1]
        if columns > self._columns:
            raise ValueError(f"Feature shape mismatch, expected: {self._columns}, got {columns}")
        # Fewer columns than the model has count as missing values, without a word: the container
        # predicts with validate_features=False.
        if self._in_place and isinstance(features, np.ndarray):
            if columns < self._columns:
                missing = np.full((len(features), self._columns - columns), np.nan, np.float32)
                features = np.hstack([features, missing])
            parts = [booster.inplace_predict(features) for booster in self._boosters]
        else:
            matrix = xgb.DMatrix(features, nthread=1)
            parts = [booster.predict(matrix, validate_features=False) for booster in self._boosters]
        if len(parts) == 1:
            return parts[0]
        return _vote(parts) if self._votes else np.mean(parts, axis=0)

    def _encode(self, predictions: np.ndarray[Any, Any], header: str | None) -> http.Response:
        accept = (header or "").partition(";")[0].strip().lower()
        if accept in ("", "*/*"):
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
        if accept not in _ACCEPTED:
            return _refuse(
                406,
                f"Accept type {accept} is not supported. Please use supported accept types: "
                f"{_ACCEPTED}.",
            )
        values = predictions.tolist()
        if self._batch:
            body = "\n".join(map(str, values)) + "\n"
        elif accept == "application/json":
            body = json.dumps({"predictions": [{"score": value} for value in values]})
        elif accept != "text/csv":
            # The container can encode these only when output keys are selected.
            return _refuse(500, f"Accept type {accept} needs selectable inference output.")
        elif self._joined:
            body = ",".join(map(str, values))
        else:
            body = "".join(_line(value) for value in values)
        return http.Response(200, body.encode(), accept)


def _line(value: float | list[float]) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) + "\n"
    return f"{value}\n"


def _vote(parts: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The most frequent class of each row; the smallest of several equally frequent."""
    classes, positions = np.unique(np.array(parts), return_inverse=True)
    counts = np.array(
        [(positions.reshape(len(parts), -1) == n).sum(0) for n in range(len(classes))]
    )
    winners: np.ndarray[Any, Any] = classes[counts.argmax(axis=0)]
    return winners


def _load(path: Path) -> xgb.Booster:
    booster = xgb.Booster()
    try:
        booster.load_model(path)
    except (xgb.core.XGBoostError, ValueError) as error:
        # ValueError: XGBoost quotes the file in its message, and the file is no text.
        raise ValueError(f"Model {path.name} cannot be loaded: {brief(error)}") from None
    # One thread a request, as in the container: requests run beside each other.
    booster.set_param({"nthread": 1})
    return booster


def _features(body: bytes, header: str | None) -> Any:
    kind = data.content_type_of(header)
    read: Callable[[bytes], Any] = data.read_csv if kind == "csv" else data.read_libsvm_features
    try:
        return read(body)
    except ValueError as error:
        raise ValueError(
            f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n "
            f"{type(error)}\n {error}"
        ) from error


def _refuse(status: int, message: str) -> http.Response:
    print(f"{status}: {message}", flush=True)
    return http.Response(status, message.encode())

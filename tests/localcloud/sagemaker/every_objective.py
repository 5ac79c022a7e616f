"""Trains and serves a model of each objective by the container's own code; run by its path.

A process of its own: where the container is imported, scikit-learn no longer can be.
"""

import contextlib
import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from localcloud.sagemaker.containers import http
from localcloud.sagemaker.containers.xgboost.serving import Model
from localcloud.sagemaker.containers.xgboost.training import train

ROWS = 60
CLASSES = 3


def labels(task: str) -> np.ndarray[Any, Any]:
    """Labels that suit every objective of a task: numbers between 0 and 1."""
    if task == "regression":
        return np.random.default_rng(4).uniform(0.1, 0.9, ROWS)
    return np.arange(ROWS) % (CLASSES if task == "multiclass" else 2)


def made(base: Path, objective: str, known: Any) -> dict[str, Any]:
    """Train in a job's folder with every metric that plan takes, and ask the model.

    Returns:
        The training's log, and the answers of an endpoint, of a batch transform and of an endpoint
        of an older image.
    """
    features = np.random.default_rng(5).random((ROWS, 2))
    table = np.column_stack([labels(known.task), features])
    hyperparameters = {
        "num_round": "3",
        "objective": objective,
        "eval_metric": ",".join(known.metrics),
        **({"num_class": str(CLASSES)} if known.task == "multiclass" else {}),
    }
    channels = {name: {"ContentType": "text/csv"} for name in ("train", "validation")}
    config = base / "input" / "config"
    config.mkdir(parents=True)
    for name in channels:
        folder = base / "input" / "data" / name
        folder.mkdir(parents=True)
        np.savetxt(folder / "rows.csv", table, delimiter=",")
    for name, content in (
        ("hyperparameters", hyperparameters),
        ("inputdataconfig", channels),
        ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]}),
    ):
        (config / f"{name}.json").write_text(json.dumps(content))
    (base / "model").mkdir()
    logged = io.StringIO()
    with contextlib.redirect_stdout(logged):
        train(base)
    body = "\n".join(",".join(map(repr, row)) for row in features.tolist()).encode()
    request = http.Request("POST", "/invocations", {"content-type": "text/csv"}, body)
    answers = {}
    for name, batch, joined in (
        ("endpoint", "false", False),
        ("batch", "true", False),
        ("older", "false", True),
    ):
        os.environ["SAGEMAKER_BATCH"] = batch
        answers[name] = Model(base / "model", joined=joined).answer(request).body.decode()
    return {"log": logged.getvalue(), **answers}


def main(folder: Path) -> None:
    """Print a JSON object of what was made, by objective."""
    # `lambda` is a keyword, so no import statement can name it.
    offered = importlib.import_module("lambda.algorithms").ALGORITHMS["xgboost"].objectives
    found = {}
    for number, (objective, known) in enumerate(offered.items()):
        found[objective] = made(folder / str(number), objective, known)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Data sets nobody tuned for go through by changing only the execution input.

scikit-learn's own, in other formats, with other columns, label values and sizes. What comes out is
compared with the same split, training and metrics by scikit-learn and XGBoost alone.
"""

import csv
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn import datasets, metrics
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

from tests.e2e.conftest import Deployment

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Case:
    """A data set, how it is written, and what is asked of the pipeline.

    Attributes:
        file: Name of the file.
        frame: Makes the rows, label included.
        write: Writes them to a path.
        label: The label's column.
        objective: The hyperparameter.
        source: The other fields of `source`.
        rest: The other sections of the execution input.
    """

    file: str
    frame: Callable[[], pd.DataFrame]
    write: Callable[[pd.DataFrame, Path], None]
    label: str
    objective: str
    source: Mapping[str, Any]
    rest: Mapping[str, Any]

    def execution_input(self, uri: str) -> dict[str, Any]:
        """The execution input, which is all that differs between data sets."""
        return {
            "source": {"uri": uri, "label": self.label, **self.source},
            "training": {"hyperparameters": {"objective": self.objective}},
            **self.rest,
        }


def tumours() -> pd.DataFrame:
    """569 tumours by 30 measurements, the label first and in words."""
    bunch = datasets.load_breast_cancer(as_frame=True)
    frame: pd.DataFrame = bunch.data.copy()
    frame.insert(0, "diagnosis", np.array(bunch.target_names)[bunch.target])
    return frame


def wines() -> pd.DataFrame:
    """178 wines of three growers by 13 measurements."""
    bunch = datasets.load_wine(as_frame=True)
    growers = np.array(["Barolo", "Grignolino", "Barbera"])
    frame: pd.DataFrame = bunch.data.assign(grower=growers[bunch.target])
    return frame


def digits() -> pd.DataFrame:
    """1,797 handwritten digits by the grey of 64 pixels, ten classes that are numbers."""
    frame: pd.DataFrame = datasets.load_digits(as_frame=True).frame.astype(int)
    frame.columns = pd.Index([f"column_{at}" for at in range(1, 66)])
    return frame


def diabetes() -> pd.DataFrame:
    """442 patients by 10 measurements; how far the disease has gone a year later."""
    frame: pd.DataFrame = datasets.load_diabetes(as_frame=True).frame
    return frame.rename(columns={"target": "progression"})


def patients() -> pd.DataFrame:
    """The same with a column of text, gaps, and a whole number for the label."""
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame["sex"] = frame["sex"].map({1.0: "female", 2.0: "male"})
    frame.loc[frame.index % 9 == 4, "bmi"] = np.nan
    frame.loc[frame.index % 31 == 7, "sex"] = None
    whole: pd.DataFrame = frame.assign(target=frame["target"].astype(int), note="seen")
    return whole


CASES = {
    "tab-separated, two classes": Case(
        "tumours.tsv",
        tumours,
        lambda frame, path: frame.to_csv(path, sep="\t", index=False),
        "diagnosis",
        "binary:logistic",
        {"positive": "malignant"},
        {"endpoint": {"enabled": False}, "evaluation": {"threshold": 0.5}},
    ),
    "Parquet, three classes": Case(
        "wines.parquet",
        wines,
        lambda frame, path: frame.to_parquet(path, index=False),
        "grower",
        "multi:softprob",
        {},
        {
            "split": {"train": 0.7, "test": 0.2, "validate": 0.1, "seed": 7},
            "evaluation": {"minimum": {"f1_macro": 0.8}, "maximum": {"log_loss": 0.5}},
        },
    ),
    "no header, ten classes": Case(
        "digits.csv",
        digits,
        lambda frame, path: frame.to_csv(path, header=False, index=False),
        "column_65",
        "multi:softmax",
        {"format": {"header": False}},
        {"endpoint": {"enabled": False}, "evaluation": {"minimum": {"accuracy": 0.9}}},
    ),
    "semicolons, a number": Case(
        "diabetes.csv",
        diabetes,
        lambda frame, path: frame.to_csv(path, sep=";", index=False),
        "progression",
        "reg:squarederror",
        {},
        {"evaluation": {"maximum": {"rmse": 80.0}}},
    ),
    "text and gaps, a count": Case(
        "patients.csv",
        patients,
        lambda frame, path: frame.to_csv(path, index=False),
        "target",
        "count:poisson",
        {"categorical": ["sex"], "missing": "pass", "drop": ["note"]},
        {"endpoint": {"enabled": False}, "evaluation": {"maximum": {"mae": 1.0}}},
    ),
}


@pytest.fixture(scope="module")
def runs(app: Deployment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The output of a run of each, all side by side."""
    folder = tmp_path_factory.mktemp("datasets")

    def run(case: Case) -> dict[str, Any]:
        path = folder / case.file
        case.write(case.frame(), path)
        app.cloud.client("s3").upload_file(str(path), app.bucket, f"uploads/{case.file}")
        uri = f"s3://{app.bucket}/uploads/{case.file}"
        ended = app.ended(app.start(case.execution_input(uri)), 180)
        assert ended["status"] == "SUCCEEDED", ended
        output: dict[str, Any] = json.loads(ended["output"])
        return output

    with ThreadPoolExecutor(len(CASES)) as pool:
        return dict(zip(CASES, pool.map(run, CASES.values()), strict=True))


def by_libraries(case: Case) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Labels and predictions of the test rows, by scikit-learn and XGBoost alone."""
    frame = case.frame().drop(columns=list(case.source.get("drop", ())))
    for column in case.source.get("categorical", ()):
        frame[column] = frame[column].astype("category").cat.codes.replace(-1, np.nan)
    labels = frame.pop(case.label)
    positive = case.source.get("positive")
    parameters: dict[str, Any] = {"objective": case.objective, "verbosity": 0}
    stratify = not case.objective.startswith(("reg:", "count:"))
    if positive:
        labels = (labels == positive).astype(int)
    elif stratify:
        labels = pd.Series(LabelEncoder().fit_transform(labels))
        parameters["num_class"] = labels.nunique()
    shares = {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42, **case.rest.get("split", {})}
    rest_share = round(1 - shares["train"], 10)
    seed = shares["seed"]
    train, rest, train_labels, rest_labels = train_test_split(
        frame,
        labels,
        test_size=rest_share,
        random_state=seed,
        stratify=labels if stratify else None,
    )
    test, _, test_labels, _ = train_test_split(
        rest,
        rest_labels,
        test_size=shares["validate"] / (shares["test"] + shares["validate"]),
        random_state=seed,
        stratify=rest_labels if stratify else None,
    )
    booster = xgboost.train(
        parameters, xgboost.DMatrix(train.to_numpy(float), label=train_labels), 42
    )
    return test_labels.to_numpy(), booster.predict(xgboost.DMatrix(test.to_numpy(float)))


@pytest.mark.parametrize("name", CASES)
def test_the_metrics_are_those_of_the_libraries_alone(
    runs: dict[str, dict[str, Any]], name: str
) -> None:
    """Preparation, training, scoring and measuring change nothing of what the data says."""
    case, found = CASES[name], runs[name]["metrics"]
    labels, predicted = by_libraries(case)
    expected: dict[str, float]
    if case.objective == "binary:logistic":
        expected = {
            "auc": metrics.roc_auc_score(labels, predicted),
            "accuracy": metrics.accuracy_score(labels, predicted > 0.5),
        }
    elif case.objective == "multi:softprob":
        expected = {
            "auc_ovr_macro": metrics.roc_auc_score(labels, predicted, multi_class="ovr"),
            "accuracy": metrics.accuracy_score(labels, predicted.argmax(axis=1)),
            "f1_macro": metrics.f1_score(labels, predicted.argmax(axis=1), average="macro"),
        }
    elif case.objective == "multi:softmax":
        expected = {"accuracy": metrics.accuracy_score(labels, predicted)}
    else:
        expected = {
            "r2": metrics.r2_score(labels, predicted),
            "rmse": metrics.root_mean_squared_error(labels, predicted),
            "mae": metrics.mean_absolute_error(labels, predicted),
        }
    assert found["rows"] == len(labels)
    for metric, value in expected.items():
        assert found[metric] == pytest.approx(value, rel=1e-5), metric


def test_each_run_tells_its_task_and_leaves_nothing(
    app: Deployment, runs: dict[str, dict[str, Any]]
) -> None:
    """Classes by number, the gate by the task's metrics, and a report of charts."""
    told = {name: run["data"]["task"] for name, run in runs.items()}
    assert list(told.values()) == [
        "binary", "multiclass", "multiclass", "regression", "regression"
    ]  # fmt: skip
    wines_run = runs["Parquet, three classes"]
    assert wines_run["data"]["classes"] == {"0": "Barbera", "1": "Barolo", "2": "Grignolino"}
    assert sum(map(sum, wines_run["metrics"]["confusion_matrix"])) == wines_run["metrics"]["rows"]
    digits_run = runs["no header, ten classes"]
    assert digits_run["data"]["classes"] == {str(at): str(at) for at in range(10)}
    gates = {name: run["quality_gate"]["passed"] for name, run in runs.items()}
    assert list(gates.values()) == [True, True, True, True, False]
    charts = {
        name: app.text(run["artifacts"]["report"]).count("<svg") for name, run in runs.items()
    }
    # Of classes without probabilities there is only the matrix.
    assert list(charts.values()) == [3, 2, 0, 3, 3]
    assert app.left() == {}


@pytest.mark.parametrize("name", ["Parquet, three classes", "semicolons, a number"])
def test_endpoint_and_batch_predict_the_same(
    app: Deployment, runs: dict[str, dict[str, Any]], name: str
) -> None:
    """The same rows by two ways of serving, which write them in two ways."""
    run = runs[name]
    rows = list(csv.DictReader(app.text(run["artifacts"]["predictions"]).splitlines()))
    assert len(run["predictions"]) == 10
    for sample in run["predictions"]:
        row = rows[sample["row"] - 1]
        assert sample["label"] == float(row["label"])
        if "prediction" in sample:
            assert sample["prediction"] == pytest.approx(float(row["prediction"]))
        else:
            shares = [float(row[f"probability_{at}"]) for at in range(3)]
            assert sample["probabilities"] == pytest.approx(shares, abs=1e-6)
            assert sample["class"] == int(row["class"]) == shares.index(max(shares))


def test_what_does_not_suit_the_data_is_refused_before_training(
    app: Deployment, runs: dict[str, dict[str, Any]]
) -> None:
    """Another number of classes, and words for a number: no training job is created."""
    jobs = app.cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    uri = f"s3://{app.bucket}/uploads/wines.parquet"
    assert runs
    for hyperparameters, error in (
        ({"objective": "multi:softprob", "num_class": 4}, "ClassCountError"),
        ({"objective": "reg:squarederror"}, "NotANumberError"),
    ):
        given = {
            "source": {"uri": uri, "label": "grower"},
            "training": {"hyperparameters": hyperparameters},
        }
        ended = app.ended(app.start(given))
        assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert app.cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == jobs

"""What tests of the evaluation share: the function's event, and a reader of its report."""

from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from spine.shipped import load
from tests.support import FakeS3, use_clients

HOSTILE = '<script>alert("x")</script>'
FOLDER = "s3://b/runs/r/"
# Ten rows small enough to measure by hand, with a tie at the threshold and one across the classes.
LABELS = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
SCORES = [0.99, 0.9, 0.8, 0.7, 0.65, 0.2, 0.9, 0.6, 0.3, 0.1]
CLASSES = ["setosa", "versicolor", "virginica"]
# Eight rows, one of each of the last two classes taken for the other.
CLASS_LABELS = [0, 0, 0, 1, 1, 2, 2, 2]
SHARES = [
    [0.9, 0.06, 0.04], [0.8, 0.15, 0.05], [0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.05, 0.35, 0.6],
    [0.0, 0.1, 0.9], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7],
]  # fmt: skip
TRUE = [10.0, 20.0, 30.0, 40.0]
PREDICTED = [12.0, 19.0, 30.0, 36.0]


def cut(text: str) -> list[str]:
    """The lines of a file, as the handler hands them on."""
    return text.split("\n")


def event(**evaluation: Any) -> dict[str, Any]:
    """Build the handler's event."""
    return {
        "plan": {
            "run": {
                "id": "r-00000000",
                "name": "spine-dev-r-00000000",
                "execution": "arn:aws:states:us-east-1:000000000000:execution:m:r",
                "started_at": "2026-01-01T00:00:00Z",
            },
            "split": {"train": 0.8, "test": 0.1, "validate": 0.1, "seed": 42},
            "training": {
                "instance_type": "ml.m5.xlarge",
                "instance_count": 1,
                "hyperparameters": {"num_round": "42", "objective": "binary:logistic"},
                "spot": True,
            },
            "endpoint": {
                "enabled": True,
                "keep": True,
                "ttl_minutes": 60,
                "instance_type": "ml.m5.large",
            },
            "batch_transform": {"instance_type": "ml.m5.large", "instance_count": 1},
            "evaluation": {"threshold": 0.65, "minimum": {"auc": 0.8}, "maximum": {}} | evaluation,
            "prefix": "runs/r/",
            "places": {
                "test": f"{FOLDER}test/",
                "batch_out": f"{FOLDER}batch-out/",
                "evaluation": f"{FOLDER}evaluation/",
            },
        },
        "prepared": {
            "rows": 100,
            "counts": {"train": 80, "test": 10, "validate": 10},
            "positives": {"train": 48, "test": 6, "validate": 6},
            "features": ["height", "width"],
            "feature_count": 2,
            "label": "class",
            "classes": {"positive": "Abnormal", "negative": "Normal"},
            "source": {
                "uri": "s3://b/incoming/a.csv",
                "member": "a.csv",
                "bytes": 1234,
                "sha256": "0" * 64,
                "version_id": "v1",
            },
        },
        "training": {
            "job_name": "spine-dev-r-00000000-0-0",
            "image": "registry/sagemaker-xgboost:3.2-0",
            "metrics": [{"MetricName": "validation:auc", "Value": 0.9619}],
            "seconds": 74,
        },
        "model_data": f"{FOLDER}model/model.tar.gz",
        "transform_job": "spine-dev-r-00000000-0-0",
    }


def evaluation(
    test_rows: Iterable[str],
    output: Iterable[str],
    *,
    objective: str = "binary:logistic",
    classes: int = 2,
    **asked: Any,
) -> Any:
    """Join a model's answers with the test rows, as the handler does, ready to be measured."""
    algorithm = load("algorithms").DEFAULT
    form = algorithm.answer(objective, classes)
    task = algorithm.objectives[objective].task
    return load("evaluate.tasks").EVALUATIONS[task](
        event(**asked), load("evaluate.join").join(test_rows, output, form, features=None)
    )


class Page(HTMLParser):
    """Collects the elements, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text in one line."""
        return " ".join(" ".join(self.texts).split())


def scored(labels: list[int], scores: list[float]) -> Any:
    """Build joined rows."""
    return load("evaluate.binary.rows").Scored(np.array(labels, dtype=np.int8), np.array(scores))


def split_csv(labels: Sequence[float]) -> str:
    """Write a test split with these labels."""
    return "".join(f"{label},{number}.5,2\n" for number, label in enumerate(labels))


def evaluate(
    monkeypatch: pytest.MonkeyPatch,
    labels: Sequence[float],
    output: str,
    given: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], FakeS3]:
    """Run the handler over a test split and a batch output."""
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body=split_csv(labels))
    s3.put_object(Bucket="b", Key="runs/r/batch-out/batch-in.csv.out", Body=output)
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body='{"row_width": {"features": 2}}')
    use_clients(monkeypatch, s3=s3)
    return load("evaluate.handler").handler(given or event(), None), s3


def lines(scores: list[float]) -> str:
    """Write scores as the container does."""
    return "".join(f"{score}\n" for score in scores)


def multiclass_event(objective: str = "multi:softprob", **asked: Any) -> dict[str, Any]:
    """The handler's event for three classes."""
    given = event(**{"threshold": None, "minimum": {}, **asked})
    given["plan"]["task"] = "multiclass"
    given["plan"]["training"]["hyperparameters"]["objective"] = objective
    del given["prepared"]["positives"]
    given["prepared"] |= {
        "classes": {str(number): name for number, name in enumerate(CLASSES)},
        "class_counts": {part: [5, 6, 7] for part in ("train", "test", "validate")},
    }
    return given


def regression_event(objective: str = "reg:squarederror", **asked: Any) -> dict[str, Any]:
    """The handler's event for a regression."""
    given = event(**{"threshold": None, "minimum": {}, **asked})
    given["plan"]["task"] = "regression"
    given["plan"]["training"]["hyperparameters"]["objective"] = objective
    del given["prepared"]["positives"]
    given["prepared"]["classes"] = {}
    return given


def batch(rows: list[Any]) -> str:
    """Write predictions as the container does in a batch transform: Python's own text of each."""
    return "\n".join(map(str, rows)) + "\n"


def page(s3: FakeS3) -> Page:
    """The report that was written."""
    return Page(s3.text("b", "runs/r/evaluation/report.html"))


def binary_report(
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any] | None = None,
    labels: Sequence[float] = LABELS,
    scores: list[float] = SCORES,
) -> Page:
    """The report of two classes that was written."""
    _, s3 = evaluate(monkeypatch, labels, lines(scores), given)
    return page(s3)

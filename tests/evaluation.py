"""What tests of the evaluation share: the function's event, and a reader of its report."""

from html.parser import HTMLParser
from typing import Any

HOSTILE = '<script>alert("x")</script>'
FOLDER = "s3://b/runs/r/"


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

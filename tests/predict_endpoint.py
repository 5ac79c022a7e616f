"""An endpoint with a model of its own, and an in-memory S3 with the test split."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from spine.shipped import load
from tests.support import FakeS3, use_clients

handler = load("predict.handler").handler

EVENT = {
    "plan": {
        "run": {"id": "r-00000000"},
        "prefix": "runs/r/",
        "places": {"test": "s3://b/runs/r/test/"},
        "training": {"hyperparameters": {"objective": "binary:logistic"}},
        "evaluation": {"threshold": 0.65},
    },
    "endpoint_name": "spine-dev-r",
    "feature_count": 2,
    "classes": {"positive": "Abnormal", "negative": "Normal"},
}
PROFILE = '{"row_width": {"labelled": 3, "features": 2}}'


@dataclass
class FakeRuntime:
    """An endpoint whose container answers each body with `answer(body)`."""

    answer: Callable[[str], str]
    bodies: list[str] = field(default_factory=list)

    def invoke_endpoint(self, **request: str) -> dict[str, Any]:
        """Answer one request."""
        assert request["EndpointName"] == "spine-dev-r"
        assert request["ContentType"] == "text/csv"
        self.bodies.append(request["Body"])
        return {"Body": io.BytesIO(self.answer(request["Body"]).encode())}


def run(
    monkeypatch: pytest.MonkeyPatch,
    test_csv: str,
    answer: Callable[[str], str] = lambda _: "0.5\n",
    event: dict[str, Any] = EVENT,
) -> tuple[dict[str, Any], FakeRuntime]:
    """Run the handler over a test split."""
    runtime = FakeRuntime(answer)
    s3 = FakeS3()
    s3.put_object(Bucket="b", Key="runs/r/test/test.csv", Body=test_csv)
    s3.put_object(Bucket="b", Key="runs/r/data_profile.json", Body=PROFILE)
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=runtime)
    return handler(event, None), runtime

"""Runs of earlier deployments call the functions of the present one."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from spine.shipped import load
from tests.planning import ENVIRONMENT, plan
from tests.support import SAMPLE, FakeS3, use_clients

plans = load("common.plans")
RECORDED = Path(__file__).parent / "recorded"
SOURCE = {"uri": "s3://spine-bucket/uploads/sample.arff", "label": "class", "positive": "Abnormal"}


@pytest.mark.parametrize("name", ["prepare", "predict", "evaluate"])
def test_a_plan_of_another_version_is_refused_with_what_to_do(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read: half a run by other rules would be worse than none."""
    monkeypatch.setenv("SOURCE_HOSTS", "archive.ics.uci.edu")
    event = {"plan": {"version": plans.VERSION + 1}}
    with pytest.raises(plans.PlanVersionError, match="Start a new execution with the same input"):
        load(f"{name}.handler").handler(event, None)


def test_plans_say_their_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of before did not, and are of the first."""
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    assert plan({})["version"] == plans.VERSION
    plans.check({})


def test_the_functions_read_what_runs_hold_from_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan of this version, and what the states after it made of it.

    Whoever makes a function need more than is recorded here counts `plans.VERSION` up, and records
    the payloads anew under that number.
    """
    recorded = json.loads((RECORDED / f"version-{plans.VERSION}.json").read_text())
    s3 = FakeS3()
    s3.put_object(Bucket="spine-bucket", Key="uploads/sample.arff", Body=SAMPLE.read_bytes())
    monkeypatch.setenv("SOURCE_HOSTS", "archive.ics.uci.edu")
    use_clients(monkeypatch, s3=s3, sagemaker_runtime=_Runtime())
    prepared = load("prepare.handler").handler({"plan": recorded["predict"]["plan"]}, None)
    assert prepared["rows"] == recorded["evaluate"]["prepared"]["rows"]
    assert load("predict.handler").handler(recorded["predict"], None)["rows_sent"] == 10
    folder = recorded["predict"]["plan"]["prefix"]
    tested = s3.text("spine-bucket", f"{folder}/test/test.csv").splitlines()
    s3.put_object(
        Bucket="spine-bucket",
        Key=f"{folder}/batch-out/batch-in.csv.out",
        Body="".join(f"0.{number + 1}\n" for number, _ in enumerate(tested)),
    )
    evaluated = load("evaluate.handler").handler(recorded["evaluate"], None)
    assert evaluated["gate"]["checks"]
    assert s3.text("spine-bucket", f"{folder}/evaluation/report.html")


class _Runtime:
    """An endpoint that is of one mind about every row."""

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:

        return {"Body": io.BytesIO(b"0.5")}

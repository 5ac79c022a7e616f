"""The job around the preparation: what it is told, what it leaves, and what it never hides."""

import json
from pathlib import Path
from typing import Any

import pytest

from spine.shipped import load
from tests.preparing import RUN, SOURCE, Store
from tests.support import planned

job = load("prepare_job.job")


def order(store: Store, **source: Any) -> None:
    """Put there what the state machine hands over."""
    plan = planned(
        {
            "source": {"uri": SOURCE, **source},
            "preparation": {"engine": "processing"},
        },
        bucket="bucket",
    )
    assert plan["prefix"] == RUN
    body = json.dumps({"plan": plan, "hosts": ["data.example.org"]})
    store.put_object(Bucket="bucket", Key=f"{RUN}/preparation/plan.json", Body=body)


def result(store: Store) -> dict[str, Any]:
    """What the job has left for the state machine."""
    found: dict[str, Any] = json.loads(store.text("bucket", f"{RUN}/preparation/r-1-0-0.json"))
    return found


def test_a_job_leaves_what_the_function_returns(store: Store, tmp_path: Path) -> None:
    """The four files, the profile, and the result under the name the job was given."""
    order(store)
    assert job.main("processing", tmp_path) == 0
    prepared = result(store)["prepared"]
    assert prepared["counts"] == {"train": 248, "test": 31, "validate": 31}
    assert prepared["engine"] == "processing"
    assert ("bucket", f"{RUN}/train/train.csv") in store.objects
    assert not (tmp_path / "output").exists()


def test_a_refusal_has_the_functions_form_and_fails_the_job(store: Store, tmp_path: Path) -> None:
    """Error and cause as Step Functions makes them of a function's; a line for the job's page."""
    order(store, label="klass")
    assert job.main("processing", tmp_path) == 1
    failure = result(store)["failure"]
    assert failure["Error"] == "LabelNotFoundError"
    cause = json.loads(failure["Cause"])
    assert cause["errorType"] == "LabelNotFoundError"
    assert "no column is named 'klass'" in cause["errorMessage"]
    message = (tmp_path / "output" / "message").read_text()
    assert message == f"LabelNotFoundError: {cause['errorMessage']}"
    assert not any(key.startswith(f"{RUN}/train") for _, key in store.objects)


def test_a_defect_is_named_as_well(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error nobody foresaw ends in the log with its trace, and in the run with its name."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    order(store)
    monkeypatch.setattr(job, "run", broken)
    assert job.main("processing", tmp_path) == 1
    assert result(store)["failure"]["Error"] == "ZeroDivisionError"
    assert "Traceback" in capsys.readouterr().err


def test_a_long_message_fits_the_jobs_description(store: Store, tmp_path: Path) -> None:
    """SageMaker keeps 1,024 characters of it; the result has them all."""
    names = ",".join(f"{'x' * 60}{number}" for number in range(40))
    row = ",".join(["1"] * 40)
    store.put_object(Bucket="bucket", Key="uploads/a.csv", Body=f"{names}\n{row}\n{row}\n")
    order(store, uri="s3://bucket/uploads/a.csv")
    assert job.main("processing", tmp_path) == 1
    assert len((tmp_path / "output" / "message").read_text()) == 1024
    assert len(json.loads(result(store)["failure"]["Cause"])["errorMessage"]) > 1024

"""The whole pipeline on the local cloud: what goes in, what comes out, what is left."""

import contextlib
import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Deployment, eventually
from tests.support import SAMPLE

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def whole(app: Deployment) -> dict[str, Any]:
    """The output of one run with both branches on."""
    return app.run()


def test_the_real_data_gives_the_notebooks_numbers(app: Deployment) -> None:
    """Split, training and scoring together reproduce the notebook with the library in use."""
    done = app.spine("run", "--source", str(SAMPLE), "--json")
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    metrics = output["metrics"]
    assert round(metrics["auc"], 4) == 0.8905
    assert metrics["confusion_matrix"] == {"tn": 8, "fp": 2, "fn": 4, "tp": 17}
    assert round(metrics["accuracy"], 3) == 0.806
    assert metrics["rows"] == 31
    assert output["data"]["counts"] == {"train": 248, "test": 31, "validate": 31}
    assert app.left() == {}


def test_a_run_leaves_its_files_and_nothing_that_costs(
    app: Deployment, whole: dict[str, Any]
) -> None:
    """Every artifact named in the output exists; no endpoint, config or running job does."""
    assert app.left() == {}
    assert whole["endpoint"] == {"left": False, "name": None, "until": None}
    assert set(whole["artifacts"]) == {
        "train", "test", "validate", "batch_input", "data_profile", "model", "batch_output",
        "metrics", "predictions", "report", "manifest",
    }  # fmt: skip
    s3 = app.cloud.client("s3")
    for name, uri in whole["artifacts"].items():
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        assert key.startswith(f"runs/{whole['run']['id']}/"), name
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0, name
    assert whole["run"]["model_name"] in app.models()


def test_the_manifest_is_the_output(app: Deployment, whole: dict[str, Any]) -> None:
    """What the execution returned is also found in the run's folder."""
    assert json.loads(app.text(whole["artifacts"]["manifest"])) == whole


def test_endpoint_and_batch_predict_the_same(app: Deployment, whole: dict[str, Any]) -> None:
    """The same rows through two ways of serving, and the same again in predictions.csv."""
    batch = [float(line) for line in app.text(whole["artifacts"]["batch_output"]).split()]
    rows = list(csv.DictReader(app.text(whole["artifacts"]["predictions"]).splitlines()))
    assert len(batch) == len(rows) == whole["metrics"]["rows"]
    assert [float(row["probability"]) for row in rows] == batch
    assert len(whole["predictions"]) == 10
    for sample in whole["predictions"]:
        assert sample["probability"] == pytest.approx(batch[sample["row"] - 1], abs=1e-7)
        assert sample["class"] == int(sample["probability"] > 0.65)


def test_the_report_is_one_page_that_needs_nothing_else(
    app: Deployment, whole: dict[str, Any]
) -> None:
    """It opens offline and shows the run."""
    report = app.text(whole["artifacts"]["report"])
    assert whole["run"]["id"] in report
    assert "<svg" in report
    for outside in ('src="http', 'href="http', "@import", "<script src"):
        assert outside not in report


@pytest.mark.parametrize("off", ["endpoint", "batch_transform"])
def test_a_branch_that_is_off_does_nothing(app: Deployment, off: str) -> None:
    """Neither its states nor its resources ever exist; the other branch is not affected."""
    before = set(app.executions())
    output = app.run(**{off: {"enabled": False}})
    (arn,) = set(app.executions()) - before
    states = set(app.states(arn))
    if off == "endpoint":
        assert "No endpoint" in states
        assert not states & {"Create the endpoint config", "Create the endpoint"}
        assert output["predictions"] == []
        assert output["metrics"]["rows"] > 0
    else:
        assert "No batch" in states
        assert not states & {"Transform the batch", "Evaluate"}
        assert output["metrics"] is None
        assert output["quality_gate"] == {"passed": None, "checks": []}
        assert "batch_output" not in output["artifacts"]
        assert len(output["predictions"]) == 10
    assert app.left() == {}


def test_a_kept_endpoint_serves_until_its_time_and_is_then_swept(app: Deployment) -> None:
    """It answers, a sweep leaves it alone, and the first sweep past its time deletes it."""
    output = app.run(endpoint={"keep": True, "ttl_minutes": 5})
    endpoint = output["endpoint"]
    assert endpoint["left"]
    assert endpoint["until"] > output["run"]["started_at"]
    assert app.left() == {"endpoints": [endpoint["name"]], "configs": [endpoint["name"]]}

    row = app.text(output["artifacts"]["batch_input"]).splitlines()[0]
    done = app.spine("predict", "--row", row, "--json")
    assert done.returncode == 0, done.stderr
    assert str(output["predictions"][0]["probability"])[:6] in done.stdout

    app.sweep()
    assert app.left()["endpoints"] == [endpoint["name"]]
    sagemaker = app.cloud.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=endpoint["name"])["EndpointArn"]
    past = {"Key": "spine:keep-until", "Value": "2020-01-01T00:00:00Z"}
    sagemaker.add_tags(ResourceArn=arn, Tags=[past])

    def swept() -> bool:
        app.sweep()
        return not app.left()

    eventually(swept, "the sweeper to delete it")


def test_a_model_below_the_gate_is_not_left_to_be_used(app: Deployment) -> None:
    """The run succeeds and says so; neither endpoint nor model stays, though keeping was asked."""
    output = app.run(endpoint={"keep": True}, evaluation={"minimum": {"auc": 1.0}})
    assert output["quality_gate"]["passed"] is False
    assert output["endpoint"]["left"] is False
    assert output["run"]["model_name"] is None
    assert not [name for name in app.models() if output["run"]["id"] in name]
    assert app.left() == {}


def test_a_file_dropped_in_incoming_runs_once(app: Deployment) -> None:
    """S3, EventBridge, the starter and the machine, with nobody at the keyboard."""
    before = set(app.executions())
    app.cloud.client("s3").upload_file(str(SAMPLE), app.bucket, "incoming/new file.arff")
    eventually(lambda: set(app.executions()) - before, "the file to start a run")
    (arn,) = set(app.executions()) - before
    described = app.ended(arn)
    assert described["status"] == "SUCCEEDED", described
    output = json.loads(described["output"])
    assert output["data"]["source"]["uri"] == f"s3://{app.bucket}/incoming/new file.arff"
    assert set(app.executions()) - before == {arn}
    assert app.left() == {}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"endpont": {}}, "endpont"),
        ({"endpoint": {"keeep": True}}, "endpoint.keeep"),
        ({"evaluation": {"threshold": 2}}, "evaluation.threshold"),
        ({"training": {"instance_type": "ml.m5.gigantic"}}, "training.instance_type"),
        ({"endpoint": {"instance_type": "ml.m5.24xlarge"}}, "endpoint.instance_type"),
        ({"split": {"train": 0.8, "test": 0.3, "validate": 0.1}}, "split"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_input_fails_in_the_first_state(
    app: Deployment, wrong: dict[str, Any], field: str
) -> None:
    """The cause names the field; nothing else ran and nothing was created."""
    models = app.models()
    arn = app.start(wrong)
    described = app.ended(arn)
    assert (described["status"], described["error"]) == ("FAILED", "InvalidInputError")
    assert f"{field}:" in described["cause"]
    assert app.states(arn) == ["Plan the run", "Run failed"]
    assert app.left() == {}
    assert app.models() == models


def test_a_failing_training_job_fails_the_run_with_its_own_error(app: Deployment) -> None:
    """The job's reason reaches the person, by the machine and by the command line."""
    # Plan cannot know the number of features; XGBoost refuses one constraint too many.
    constraints = "(1,1,1,1,1,1,1)"
    wrong = {
        "training": {
            "hyperparameters": {"monotone_constraints": constraints, "tree_method": "hist"}
        }
    }
    before = set(app.executions())
    done = app.spine("run", "--source", str(SAMPLE), "--input", json.dumps(wrong))
    assert done.returncode == 1, done.stdout
    assert "Train the model" in done.stdout + done.stderr
    assert "spine logs" in done.stdout + done.stderr
    (arn,) = set(app.executions()) - before
    described = app.describe(arn)
    assert (described["status"], described["error"]) == ("FAILED", "States.TaskFailed")
    assert "AlgorithmError" in described["cause"] or "ClientError" in described["cause"]
    assert app.states(arn)[-4:] == [
        "Train the model",
        "Train again?",
        "Clean up after failure",
        "Run failed",
    ]
    assert app.left() == {}


def test_bad_data_is_refused_before_anything_is_paid_for(app: Deployment, tmp_path: Path) -> None:
    """The refusal names the line and the remedy; no training job was ever created."""
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b,class\n1,2,Abnormal\n3,x,Normal\n")
    jobs = app.cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    done = app.spine("run", "--source", str(bad))
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert "Prepare the data" in said
    assert "line 3" in said
    assert app.cloud.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == jobs


@pytest.mark.parametrize("state", ["Train the model", "Create the endpoint", "Clean up"])
def test_an_aborted_run_is_swept(app: Deployment, state: str) -> None:
    """Whatever it had begun when somebody stopped it is gone soon after."""
    arn = app.start({"source": {"uri": upload(app)}})
    eventually(lambda: state in app.states(arn), f"{state} to begin")
    machines = app.cloud.client("stepfunctions")
    # The last of the three states leaves little time: a run may end before it is stopped.
    with contextlib.suppress(machines.exceptions.ClientError):
        machines.stop_execution(executionArn=arn)
    assert app.ended(arn)["status"] in {"ABORTED", "SUCCEEDED"}
    eventually(lambda: not app.left(), "the sweeper")


def test_spot_training_leaves_checkpoints_that_the_next_attempt_goes_on_from(
    app: Deployment,
) -> None:
    """They lie in the run's folder, written by SageMaker's role alone, and give the same model."""
    whole = app.run(training={"spot": True}, endpoint={"enabled": False})
    job = app.cloud.client("sagemaker").describe_training_job(
        TrainingJobName=whole["run"]["training_job"]
    )
    place = job["CheckpointConfig"]["S3Uri"]
    assert place == f"s3://{app.bucket}/runs/{whole['run']['id']}/checkpoints/"
    found = app.cloud.client("s3").list_objects_v2(
        Bucket=app.bucket, Prefix=f"runs/{whole['run']['id']}/checkpoints/"
    )
    assert any(each["Key"].endswith("xgboost-checkpoint.41") for each in found["Contents"])
    assert round(whole["metrics"]["auc"], 4) == 0.8905


def upload(app: Deployment) -> str:
    """Put the sample where runs may read it."""
    app.cloud.client("s3").upload_file(str(SAMPLE), app.bucket, "uploads/sample.arff")
    return f"s3://{app.bucket}/uploads/sample.arff"


def test_runs_side_by_side_do_not_meet(app: Deployment) -> None:
    """At once, some with the same name in another case, one with what tags refuse: own results."""
    uri = upload(app)
    names = ["Same.Name", "same.name", "same_name", "l'été(2)!🚀", "x" * 80]
    with ThreadPoolExecutor(len(names)) as pool:
        arns = list(pool.map(lambda name: app.start({"source": {"uri": uri}}, name), names))
        described = list(pool.map(lambda arn: app.ended(arn, 180), arns))
    assert [each["status"] for each in described] == ["SUCCEEDED"] * len(names), described
    outputs = [json.loads(each["output"]) for each in described]
    assert len({output["run"]["id"] for output in outputs}) == len(names)
    assert len({json.dumps(output["metrics"]) for output in outputs}) == 1
    assert app.left() == {}

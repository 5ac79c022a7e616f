"""Clients nobody here wrote: SageMaker's SDKs 2 and 3 and the AWS CLI, each as a person runs it.

They run in environments of their own (`make test` installs them), all at once, because most of
their time is spent waiting between looks. What a client is told of the local cloud is what it
would be told of AWS: credentials, addresses, a region, and a role.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Deployment
from tests.support import ROOT

pytestmark = pytest.mark.e2e

_CLIENTS = ROOT / "tests" / "sdk"
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3"
_SECONDS = 420


@dataclass(frozen=True)
class Run:
    """A finished `spine run`, and what it gave the clients to work on."""

    app: Deployment
    output: dict[str, Any]
    probabilities: list[float]
    data: Path
    role: str


def _environment_of(sdk: str) -> Path:
    folder = Path(sys.executable).parent.parent / sdk / "bin"
    if not (folder.parent / ".installed").exists():
        pytest.skip(f"{folder.parent.name} is not installed; `make test` does that")
    return folder


@pytest.fixture(scope="module")
def run(app: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the pipeline, its data as files, and the role a notebook would have."""
    output = app.run()
    data = tmp_path_factory.mktemp("data")
    for name, artifact in (
        ("train", "train"),
        ("validate", "validate"),
        ("test", "test"),
        ("batch-in", "batch_input"),
    ):
        (data / f"{name}.csv").write_text(app.text(output["artifacts"][artifact]))
    text = app.text(output["artifacts"]["batch_output"])
    iam = app.cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    role = iam.create_role(
        RoleName="notebook",
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [trust | {"Action": "sts:AssumeRole"}]}
        ),
    )["Role"]
    # SDK 3 simulates the role's policies before it trains, as it does on AWS.
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="notebook",
        PolicyName="notebook",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    app.cloud.client("s3").create_bucket(Bucket="notebooks")
    return Run(app, output, [float(value) for value in text.split()], data, role["Arn"])


Finish = Callable[[], str]


@pytest.fixture(scope="module")
def clients(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Finish]]:
    """Every client, started; each is waited for by calling it, and answers its output."""
    given = ["--data", str(run.data), "--bucket", "notebooks", "--role", run.role]
    second, third = _environment_of("sdk-2"), _environment_of("sdk-3")
    environment = run.app.cloud.process_environment()
    notebook = [str(second / "python"), str(_CLIENTS / "notebook_2.py"), *given]
    commands: dict[str, list[str]] = {
        "notebook 2": notebook,
        "notebook 2 with logs": [*notebook, "--prefix", "logged", "--logs"],
        "interface 2": [str(second / "python"), str(_CLIENTS / "interface_2.py"), *given],
        "notebook 3": [str(third / "python"), str(_CLIENTS / "notebook_3.py"), *given],
        "commands": [
            *("sh", str(_CLIENTS / "commands.sh"), str(run.data), "notebooks", run.role, _IMAGE)
        ],
    }
    started = {
        name: subprocess.Popen(
            command,
            cwd=tmp_path_factory.mktemp("client"),
            env=environment | {"PATH": f"{second}:{environment['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, command in commands.items()
    }

    def finish(process: subprocess.Popen[str]) -> str:
        output, errors = process.communicate(timeout=_SECONDS)
        assert process.returncode == 0, f"{output[-2000:]}\n{errors[-4000:]}"
        return output

    yield {name: lambda process=process: finish(process) for name, process in started.items()}  # type: ignore[misc]
    for process in started.values():
        process.kill()
        process.communicate()


def test_the_notebook_runs_as_it_is(run: Run, clients: dict[str, Finish]) -> None:
    """SDK 2.x, cell by cell, image 1.0-1 on ml.m4.xlarge: the numbers are those of `spine run`."""
    found = json.loads(clients["notebook 2"]().splitlines()[-1])
    assert found["sdk"].startswith("2.")
    assert found["image"] == _IMAGE
    assert found["probabilities"] == run.probabilities
    assert found["first"] == run.probabilities[0]
    assert found["classes"] == [int(each > 0.65) for each in run.probabilities]
    assert found["model_data"].endswith(f"/{found['job']}/output/model.tar.gz")
    assert 0.5 < found["metrics"]["validation:auc"] <= 1


def test_the_notebook_shows_logs(run: Run, clients: dict[str, Finish]) -> None:
    """With `logs=True` the SDK finds the training's log where it looks, down to the last round."""
    *shown, found = clients["notebook 2 with logs"]().splitlines()
    assert any("[41]" in line and "validation-auc" in line for line in shown)
    assert json.loads(found)["probabilities"] == run.probabilities


def test_what_pipelines_use_of_sdk_2_works(run: Run, clients: dict[str, Finish]) -> None:
    """Attaching, metrics, updates, tuning, processors, the registry and S3's helpers."""
    found = json.loads(clients["interface 2"]().splitlines()[-1])
    assert found.pop("metrics") == ["train:auc", "validation:auc"]
    assert {"FinalObjectiveValue", "eta", "max_depth"} <= set(found.pop("tuned"))
    rows = len((run.data / "train.csv").read_text().splitlines())
    assert (found.pop("sklearn"), found.pop("script")) == (f"sklearn {rows}", f"script {rows}")
    model, hyperparameters = found.pop("attached")
    assert model
    assert hyperparameters["num_round"] == "20"
    assert found.keys() == {"same", "updated", "again", "best", "best_estimator", "package"}
    assert all(found.values()), found


def test_sdk_3_trains_builds_deploys_and_transforms(run: Run, clients: dict[str, Finish]) -> None:
    """ModelTrainer, ModelBuilder and Transformer give the numbers of `spine run` too."""
    found = json.loads(clients["notebook 3"]().splitlines()[-1])
    assert found["status"] == "Completed"
    assert found["probabilities"] == run.probabilities
    assert found["first"] == run.probabilities[0]


def test_the_aws_cli_creates_waits_invokes_and_reads(run: Run, clients: dict[str, Finish]) -> None:
    """The CLI's commands and waiters work, state machines and their history included."""
    events = clients["commands"]().splitlines()[-1].split()
    assert events[0] == "ExecutionStarted"
    assert "TaskSucceeded" in events
    assert events[-1] == "ExecutionSucceeded"
    predictions = (run.data / "predictions.csv").read_text().split()
    assert [float(value) for value in predictions] == run.probabilities
    assert float((run.data / "answer.csv").read_text().strip()) == run.probabilities[0]

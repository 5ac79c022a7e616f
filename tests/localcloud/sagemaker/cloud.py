"""A client's view of the process under test: plain boto3 and what tests repeat."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

# One for all clients: it reads a service's description once, SageMaker's in 0.3 s. The typed
# overloads do not take a service's name that is a variable.
_SESSION: Any = boto3.session.Session()

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::000000000000:role/execution"
BUCKET = "training-data"
HYPERPARAMETERS = {"num_round": "42", "objective": "binary:logistic", "eval_metric": "auc"}
# Slow enough that a test meets the job while it runs, and ended by every test that uses it.
ENDLESS = {**HYPERPARAMETERS, "num_round": "100000000"}


def make_table(rows: int = 310) -> np.ndarray[Any, Any]:
    """Generates a table: a label that two of six features explain, and the features."""
    random = np.random.default_rng(7)
    features = random.normal(size=(rows, 6)).round(4)
    noise = random.normal(size=rows)
    label = (2 * features[:, 0] - features[:, 3] + noise > 0).astype(float)
    return np.column_stack([label, features])


def to_csv(table: np.ndarray[Any, Any]) -> str:
    """Writes rows as CSV without a header."""
    return "".join(",".join(f"{value:g}" for value in row) + "\n" for row in table)


def scores(text: str) -> list[float]:
    """Reads a prediction a line; transform output has blank lines."""
    return [float(line) for line in text.splitlines() if line]


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Waits for a true result and returns it."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return result


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """The code and message of the error that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call()
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def channel(name: str, key: str, content_type: str | None = "text/csv") -> dict[str, Any]:
    """A training channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{key}"}
    described = {"ChannelName": name, "DataSource": {"S3DataSource": source}}
    return described | ({"ContentType": content_type} if content_type else {})


@dataclass
class Cloud:
    """A running process and its clients."""

    process: subprocess.Popen[str]
    jobs: Path
    url: str
    socket: Path
    s3: Any
    sagemaker: Any
    runtime: Any
    logs: Any

    def upload_data(self) -> None:
        """Uploads 248, 31 and 31 generated rows to `train/`, `validation/` and `batch-in/`."""
        table = make_table()
        self.s3.create_bucket(Bucket=BUCKET)
        for key, rows in (("train", table[:248]), ("validation", table[248:279])):
            self.put(f"{key}/{key}.csv", to_csv(rows))
        self.put("batch-in/batch-in.csv", to_csv(table[279:, 1:]))

    def put(self, key: str, body: str | bytes) -> None:
        """Uploads an object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def read(self, key: str) -> str:
        """Reads an object."""
        text: str = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        return text

    def training_request(self, name: str, **changes: Any) -> dict[str, Any]:
        """A request for CreateTrainingJob."""
        return {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": HYPERPARAMETERS,
            "InputDataConfig": [channel("train", "train/"), channel("validation", "validation/")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/model/"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        } | changes

    def start_training(self, name: str, **changes: Any) -> None:
        """Creates a training job."""
        self.sagemaker.create_training_job(**self.training_request(name, **changes))

    def train(self, name: str, **changes: Any) -> dict[str, Any]:
        """Creates a training job and waits for its end."""
        self.start_training(name, **changes)
        return self.wait_for_training(name)

    def describe_training(self, name: str) -> dict[str, Any]:
        """Describes a training job."""
        described: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return described

    def wait_for_training(self, name: str) -> dict[str, Any]:
        """Waits for a training job's final state."""

        def ended() -> dict[str, Any] | None:
            job = self.describe_training(name)
            return None if job["TrainingJobStatus"] in ("InProgress", "Stopping") else job

        job: dict[str, Any] = until(ended)
        return job

    def wait_for_secondary_status(self, name: str, status: str) -> None:
        """Waits until a training job has reached a secondary status."""
        until(lambda: self.describe_training(name)["SecondaryStatus"] == status)

    def create_model(self, name: str, *, job: str, image: str = IMAGE) -> None:
        """Creates a model of what a training job has left."""
        url = f"s3://{BUCKET}/model/{job}/output/model.tar.gz"
        self.sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": image, "ModelDataUrl": url},
            ExecutionRoleArn=ROLE,
        )

    def create_endpoint(self, name: str, *, model: str) -> None:
        """Creates a configuration and an endpoint of one variant."""
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant("AllTraffic", model)]
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def wait_for_endpoint(self, name: str) -> dict[str, Any]:
        """Waits until an endpoint is no longer being created."""

        def created() -> dict[str, Any] | None:
            described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if described["EndpointStatus"] == "Creating" else described

        endpoint: dict[str, Any] = until(created)
        return endpoint

    def invoke(self, endpoint: str, body: str | bytes, **options: Any) -> Any:
        """Invokes an endpoint with CSV."""
        options = {"ContentType": "text/csv"} | options
        return self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **options)

    def transform_request(self, name: str, **changes: Any) -> dict[str, Any]:
        """A request for CreateTransformJob over `batch-in/`."""
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch-in/"}
        return {
            "TransformJobName": name,
            "ModelName": "trained",
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": 6,
            "TransformInput": {
                "DataSource": {"S3DataSource": source},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://{BUCKET}/out/{name}/",
                "AssembleWith": "Line",
                "Accept": "text/csv",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        } | changes

    def transform(self, name: str, **changes: Any) -> dict[str, Any]:
        """Creates a transform job and waits for its end."""
        self.sagemaker.create_transform_job(**self.transform_request(name, **changes))
        return self.wait_for_transform(name)

    def wait_for_transform(self, name: str) -> dict[str, Any]:
        """Waits for a transform job's final state."""

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            return None if job["TransformJobStatus"] in ("InProgress", "Stopping") else job

        job: dict[str, Any] = until(ended)
        return job


def variant(name: str, model: str, **more: Any) -> dict[str, Any]:
    """A production variant."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    } | more


def start(s3_url: str, folder: Path, *options: str) -> Cloud:
    """Starts the process on a free port and a socket."""
    socket = folder / "sagemaker.sock"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "localcloud.sagemaker", "--port", "0", "--uds", str(socket)),
            *("--jobs", str(folder / "jobs"), "--aws-endpoint", s3_url, *options),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, "the process has not started"

    def client(service: str, endpoint: str) -> Any:
        return _SESSION.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    return Cloud(
        process=process,
        jobs=folder / "jobs",
        url=url,
        socket=socket,
        s3=client("s3", s3_url),
        sagemaker=client("sagemaker", url),
        runtime=client("sagemaker-runtime", url),
        logs=client("logs", s3_url),
    )


def stop(cloud: Cloud) -> None:
    """Ends the process as a service manager does, and checks that it leaves no child."""
    children = descendants(cloud.process.pid)
    cloud.process.send_signal(signal.SIGTERM)
    assert cloud.process.wait(15) == 0
    if cloud.process.stdout is not None:
        cloud.process.stdout.close()
    until(lambda: not any(alive(pid) for pid in children), 5)


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    )
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found = children.get(pid, [])
    return found + [below for child in found for below in descendants(child)]


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")

"""A local cloud with the app deployed by the real CDK command line, driven through `spine`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import localcloud
from gates.assembly import Assembly
from tests.support import ROOT, SAMPLE

SPINE = Path(sys.executable).with_name("spine")

# What SageMaker would bill for by the hour, or holds a name of: list call, key of the answer, and
# the filter that leaves out what has ended.
_LISTS: dict[str, tuple[str, str, dict[str, str]]] = {
    "endpoints": ("list_endpoints", "Endpoints", {}),
    "configs": ("list_endpoint_configs", "EndpointConfigs", {}),
    "training": ("list_training_jobs", "TrainingJobSummaries", {"StatusEquals": "InProgress"}),
    "transforms": ("list_transform_jobs", "TransformJobSummaries", {"StatusEquals": "InProgress"}),
}


@dataclass(frozen=True)
class Deployment:
    """A deployed app on a running local cloud."""

    cloud: localcloud.Cloud
    bucket: str
    machine: str

    def spine(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return spine(self.cloud.home, *words)

    def run(self, **execution_input: Any) -> dict[str, Any]:
        """Run the pipeline to its end with the sample, unless the input names a source."""
        done = self.spine(
            "run", "--source", str(SAMPLE), "--input", json.dumps(execution_input), "--json"
        )
        assert done.returncode == 0, done.stderr
        output: dict[str, Any] = json.loads(done.stdout)
        return output

    def start(self, execution_input: object, name: str | None = None) -> str:
        """Start an execution as the console does; return its ARN."""
        named = {"name": name} if name else {}
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.machine, input=json.dumps(execution_input), **named
        )
        arn: str = started["executionArn"]
        return arn

    def ended(self, arn: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until an execution has ended; return its description."""

        def look() -> dict[str, Any] | None:
            found = self.describe(arn)
            return None if found["status"] == "RUNNING" else found

        ended: dict[str, Any] = eventually(look, f"{arn} to end", seconds)
        return ended

    def describe(self, arn: str) -> dict[str, Any]:
        """DescribeExecution."""
        found: dict[str, Any] = self.cloud.client("stepfunctions").describe_execution(
            executionArn=arn
        )
        return found

    def executions(self) -> list[str]:
        """ARNs of all executions, newest first."""
        pages = self.cloud.client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self.machine)
        return [each["executionArn"] for page in found for each in page["executions"]]

    def states(self, arn: str) -> list[str]:
        """The states an execution entered, in order."""
        pages = self.cloud.client("stepfunctions").get_paginator("get_execution_history")
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages.paginate(executionArn=arn)
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def left(self) -> dict[str, list[str]]:
        """What runs left in SageMaker, by kind, where anything is.

        Notebooks and other clients of the same cloud name what they make otherwise.
        """
        sagemaker = self.cloud.client("sagemaker")
        found = {
            kind: [
                name
                for each in getattr(sagemaker, call)(**narrowed)[answer]
                for name in [next(each[key] for key in each if key.endswith("Name"))]
                if name.startswith("spine-dev-")
            ]
            for kind, (call, answer, narrowed) in _LISTS.items()
        }
        return {kind: names for kind, names in found.items() if names}

    def models(self) -> list[str]:
        """The models that exist; they cost nothing and a good run leaves its own."""
        pages = self.cloud.client("sagemaker").get_paginator("list_models").paginate()
        return [each["ModelName"] for page in pages for each in page["Models"]]

    def sweep(self) -> None:
        """Invoke the sweeper as its rule does."""
        functions = self.cloud.client("lambda")
        (name,) = (
            each["FunctionName"]
            for each in functions.list_functions()["Functions"]
            if each["Handler"] == "lambda.cleanup.sweep.handler"
        )
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def text(self, uri: str) -> str:
        """An object's content."""
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        body = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return str(body.decode())


def spine(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed `spine` on a state directory of the test's own."""
    return subprocess.run(
        [str(SPINE), *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SPINE_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "120"},
        timeout=300,
    )


def eventually(look: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Look again and again until the answer is true; return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return found


def deployed(home: Path, assembly: Assembly | None = None) -> Deployment:
    """Start a cloud where the deployed policies decide, and deploy the app, as people do.

    Args:
        home: The cloud's state directory.
        assembly: Deployed as it is; None synthesizes.
    """
    started = spine(home, "up", "--enforce-iam")
    assert started.returncode == 0, started.stdout + started.stderr
    synthesized = ["--app", str(assembly.folder)] if assembly else []
    done = spine(home, "deploy", *synthesized)
    assert done.returncode == 0, done.stdout + done.stderr
    cloud = localcloud.running(home)
    assert cloud is not None
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks
        for output in stack.get("Outputs", [])
    }
    return Deployment(cloud, outputs["BucketName"], outputs["StateMachineArn"])


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, dev: Assembly) -> Iterator[Deployment]:
    """The app on a cloud that all end-to-end tests share."""
    home = tmp_path_factory.mktemp("cloud")
    try:
        yield deployed(home, dev)
    finally:
        assert spine(home, "down").returncode == 0

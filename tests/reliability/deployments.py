"""Deployments in the middle of runs: the code of every function and of the jobs is another."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gates.assembly import Assembly, synthesize
from localcloud import deployment
from localcloud.gateway import faults
from stacks.bundling import BUNDLES
from tests.e2e.conftest import Deployment, eventually
from tests.reliability.redrives import PLACES, base, left, stopping
from tests.reliability.single_faults import start
from tests.support import ROOT

# What `cdk.json` runs needs of the project; what is built, installed or said about it stays.
_NEEDED = ("app.py", "cdk.json", "data_prep", "lambda", "spine", "stacks", "localcloud", "gates")
# A call may be held for so long: the shortest of the states' time-outs is a minute.
_HELD_SECONDS = 45.0


def changed(folder: Path, version: str) -> Assembly:
    """The development stage as it would be after a change of all code that ships.

    Args:
        folder: For a copy of the project, and what is synthesized of it.
        version: Goes into every module's text, so that each version is another.
    """
    root = folder / "project"
    root.mkdir(parents=True)
    for name in _NEEDED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copy(source, root / name)
    for path in (*(root / "lambda").rglob("*.py"), *(root / "data_prep").rglob("*.py")):
        path.write_text(f"{path.read_text()}\n# Version {version}.\n")
    return synthesize(folder / "cdk.out", root=root, functions="local")


def deploy(app: Deployment, assembly: Assembly) -> None:
    """Deploy over what is there, by the CDK's command line."""
    deployment.deploy(app.cloud, app_dir=ROOT, context={}, assembly=assembly.folder)


def code_of_functions(app: Deployment) -> dict[str, str]:
    """The digest of every function's code, of Spine's own."""
    functions = app.cloud.client("lambda").list_functions()["Functions"]
    shipped = tuple(f"lambda.{name}." for name in BUNDLES)
    return {
        each["FunctionName"]: each["CodeSha256"]
        for each in functions
        if each["Handler"].startswith(shipped)
    }


def code_of_jobs(app: Deployment) -> dict[str, bool]:
    """The versions of the jobs' code that are kept: whether each was superseded, by key."""
    s3 = app.cloud.client("s3")
    found = s3.list_objects_v2(Bucket=app.bucket, Prefix="code/").get("Contents", [])
    keys = [each["Key"] for each in found]
    tagged = {key: s3.get_object_tagging(Bucket=app.bucket, Key=key)["TagSet"] for key in keys}
    return {key: {"Key": "superseded", "Value": "true"} in tags for key, tags in tagged.items()}


def code_of_job(app: Deployment, arn: str) -> set[str]:
    """What the run's processing jobs were given as code, by key."""
    sagemaker = app.cloud.client("sagemaker")
    listed = sagemaker.list_processing_jobs(NameContains=base(arn))["ProcessingJobSummaries"]
    requests = (
        sagemaker.describe_processing_job(ProcessingJobName=each["ProcessingJobName"])
        for each in listed
    )
    return {
        each["S3Input"]["S3Uri"].removeprefix(f"s3://{app.bucket}/")
        for request in requests
        for each in request["ProcessingInputs"]
    }


@dataclass(frozen=True)
class InFlight:
    """A run that was at work while something was deployed.

    Attributes:
        state: In which it was when the deployment began.
        ended: As DescribeExecution has it.
        left: What is left in SageMaker of the run, its model left out.
    """

    state: str
    ended: dict[str, Any]
    left: list[str]

    def problem(self) -> str | None:
        """What is wrong with it; nothing should be."""
        kept = PLACES[self.state].given.get("endpoint", {}).get("keep", False)
        if self.ended["status"] != "SUCCEEDED":
            return f"in {self.state}: {self.ended.get('error')} {self.ended.get('cause')}"
        return f"in {self.state}: leaves {self.left}" if self.left and not kept else None


def held_during(
    app: Deployment, states: Sequence[str], assembly: Assembly, *, at_once: int = 6
) -> list[InFlight]:
    """Hold a run in each state, deploy, and let all of them come to their end."""
    names = [f"held-{number}-x" for number in range(len(states))]
    found = [
        stopping(state, app, name) | {"seconds": _HELD_SECONDS}
        for state, name in zip(states, names, strict=True)
    ]
    faults.post(app.cloud, {"faults": found})

    def begin(state: str, name: str) -> str:
        arn = start(app, name, **PLACES[state].given)
        eventually(lambda: state in app.states(arn), f"{arn} in {state}", 300)
        return arn

    def end(state: str, arn: str) -> InFlight:
        ended = app.ended(arn, 600)
        if not PLACES[state].given.get("endpoint", {}).get("keep"):
            eventually(lambda: not left(app, arn), f"the clean-up of {state}", 60)
        return InFlight(state, ended, left(app, arn))

    with ThreadPoolExecutor(at_once) as pool:
        arns = list(pool.map(begin, states, names))
        try:
            deploy(app, assembly)
        finally:
            faults.post(app.cloud, {})
        return list(pool.map(end, states, arns))

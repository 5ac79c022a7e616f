"""Records which AWS calls each role makes: ``python -m gates.recording`` writes `calls.json`.

A local cloud with permissions enforced (`spine up --enforce-iam`) writes down every decision about
a role. The runs here take every way through the pipelines that makes calls of its own: `RUNS` has a
row for each, and a further pipeline's runs are a row there. Names that differ from run to run are
replaced, so that the file changes only when what is called does.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import localcloud
from gates.assembly import ACCOUNT, ASSET, REGION, ROOT, names
from localcloud.gateway import faults
from spine.session import Deployment, need_deployment

CALLS = Path(__file__).with_name("calls.json")
_STACKS = "spine-dev-"
_SAMPLE = ROOT / "lambda" / "prepare" / "vertebral_column" / "column_2C_weka.arff"
_SPINE = Path(sys.executable).with_name("spine")

# What conditions may look at; the rest of a context changes from run to run.
_CONDITIONS = re.compile(r"sagemaker:|iam:|s3:prefix$|dynamodb:|kms:|aws:TagKeys$|states:")
# A run's name and id: a slug, then eight hexadecimal digits (lambda/common/names.py).
_RUN_NAME = re.compile(r"spine-dev-[a-z0-9-]*-[0-9a-f]{8}(?=[-/\"]|$)")
# What follows it in a job's name.
_MOMENT = re.compile(r"(spine-dev-run)-[0-9a-z]{7}(?=[/.\"]|$)")
_RUN_FOLDER = re.compile(r"runs/[a-z0-9-]*-[0-9a-f]{8}(?=/|\"|$)")
# A version of the jobs' code.
_CODE = re.compile(r"code/[0-9a-f]{64}(?=/)")
_UPLOAD = re.compile(r"uploads/[0-9a-f]{12}/")
# Of Spark, one for each block.
_BLOCKS = re.compile(r"((?:preparation|train|validate)/[a-z-]*/?(?:part-)?)[0-9]{5}(?=[.\"])")
# One for each round, of which the last few are kept.
_CHECKPOINT = re.compile(r"(checkpoints/[a-z-]+\.)[0-9]+(?=\")")
_EXECUTION = re.compile(r"(execution:[\w-]+):[^\"]+")

Call = dict[str, Any]


def normalized(record: Path, known: dict[str, str]) -> list[Call]:
    """The decisions about Spine's own roles, once each, in order, without names of the moment.

    Args:
        record: What the cloud has written down.
        known: What resources are called, by physical name, as `physical_names` gives it.
    """
    found = set()
    for line in record.read_text().splitlines():
        call = json.loads(line)
        if call["role"] not in known:
            continue  # the CDK's own roles
        call["context"] = {
            key: value for key, value in call["context"].items() if _CONDITIONS.match(key)
        }
        text = json.dumps(call, sort_keys=True)
        for physical in sorted(known, key=len, reverse=True):
            text = text.replace(physical, known[physical])
        text = _RUN_NAME.sub("spine-dev-run", text)
        text = _MOMENT.sub(r"\1-moment", text)
        text = _RUN_FOLDER.sub("runs/run", text)
        text = ASSET.sub("code.zip", text)
        text = _BLOCKS.sub(r"\g<1>00000", text)
        text = _CHECKPOINT.sub(r"\g<1>0", text)
        text = _CODE.sub("code/digest", text)
        text = _UPLOAD.sub("uploads/digest/", text)
        text = _EXECUTION.sub(r"\1:name", text)
        found.add(text)
    return [json.loads(text) for text in sorted(found)]


def physical_names(cloud: localcloud.Cloud) -> dict[str, str]:
    """What resources of the stacks are called, by the last part of their physical names."""
    formation = cloud.client("cloudformation")
    pages = formation.get_paginator("list_stack_resources")
    made = {
        (stack["StackName"].removeprefix(_STACKS), each["LogicalResourceId"]): each
        for stack in formation.describe_stacks()["Stacks"]
        if stack["StackName"].startswith(_STACKS)
        for page in pages.paginate(StackName=stack["StackName"])
        for each in page["StackResourceSummaries"]
    }
    called = names((room, each["ResourceType"], name) for (room, name), each in made.items())
    found = {}
    for key, each in made.items():
        if each["ResourceType"] == "AWS::StepFunctions::StateMachine":
            continue  # its name is the same everywhere
        physical = each["PhysicalResourceId"].rpartition(":")[2].rpartition("/")[2]
        # Some are named after something shorter than a name that is safe to replace.
        if len(physical) > len("spine-dev-storage"):
            found[physical] = called[key]
    return found


def main() -> None:
    """Run everything on a cloud of its own and write the file."""
    localcloud.end_clouds_with_this_process()
    with tempfile.TemporaryDirectory() as folder:
        calls = record_calls(Path(folder))
    CALLS.write_text(json.dumps(calls, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{len(calls)} different calls in {CALLS.relative_to(ROOT)}\n")


def record_calls(home: Path) -> list[Call]:
    """Deploy, run every way through, destroy; return the normalized calls."""
    try:
        _spine(home, "up", "--enforce-iam")
        _spine(home, "deploy")
        cloud = localcloud.running(home)
        if cloud is None:
            raise RuntimeError("the local cloud is gone")
        known = physical_names(cloud)
        app = need_deployment(cloud)
        for runs, machine in runs_of(app.machines):
            runs(home, cloud, app.bucket, machine)
        _leave(home, cloud, app)
        _spine(home, "destroy")
        return normalized(home / "logs" / "iam.jsonl", known)
    finally:
        _spine(home, "down")


# Where runs are given up, once for each kind that is stopped or deleted then, and the engine that
# prepares on the way there.
GIVEN_UP = {
    "Prepare on an instance": "processing",
    "Train the model": "lambda",
    "Transform the batch": "lambda",
    "Create the endpoint": "lambda",
}


def _training(home: Path, cloud: localcloud.Cloud, bucket: str, machine: str) -> None:
    states, s3 = cloud.client("stepfunctions"), cloud.client("s3")
    _spine(home, "run", "--source", str(_SAMPLE), "--json")
    kept = _run(home, {"endpoint": {"keep": True}})
    # A model below the minimum is deleted, which asks the configurations of this minute about it.
    _run(home, {"evaluation": {"minimum": {"auc": 1.0}}})
    for engine in ("processing", "spark"):
        _run(home, {"preparation": {"engine": engine}, "endpoint": {"enabled": False}})
    _run(home, {"training": {"spot": True}, "endpoint": {"enabled": False}})
    # Files that are not there, and one that arrives by itself.
    missing = {"source": {"uri": f"s3://{bucket}/uploads/missing.arff"}}
    failed = states.start_execution(stateMachineArn=machine, input=json.dumps(missing))
    _until(lambda: _has_ended(states, failed["executionArn"]), "a run to fail")
    states.redrive_execution(executionArn=failed["executionArn"])
    s3.put_object(Bucket=bucket, Key="incoming/file.arff", Body=_SAMPLE.read_bytes())
    uploaded = _uploaded(cloud, bucket)
    for state, engine in GIVEN_UP.items():
        given = {"source": {"uri": uploaded}, "preparation": {"engine": engine}}
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given))[
            "executionArn"
        ]
        _until(partial(_has_entered, states, arn, state), state)
        states.stop_execution(executionArn=arn)
    _until(lambda: _all_ended(states), "every run to end")
    _sweep(cloud)
    _expire(cloud, kept["endpoint"]["name"])
    _sweep(cloud)


Runs = Callable[[Path, localcloud.Cloud, str, str], None]
# What is run of each pipeline, by the label of its machine (`stacks/pipelines`): a function of the
# cloud's home, the cloud, the bucket's name and the machine's ARN. It ends when its runs have.
RUNS: Mapping[str, Runs] = {"": _training}


def runs_of(machines: Mapping[str, str]) -> list[tuple[Runs, str]]:
    """What is run of each machine of a deployment, with its ARN.

    Args:
        machines: Their ARNs by label.

    Raises:
        RuntimeError: A machine has no row in `RUNS`: its role's calls would not be recorded.
    """
    if missing := [label for label in machines if label not in RUNS]:
        raise RuntimeError(
            f"no runs are recorded of the pipeline {', '.join(missing)}: "
            "give it a row in RUNS (gates/recording.py)"
        )
    return [(RUNS[label], machine) for label, machine in machines.items()]


def _leave(home: Path, cloud: localcloud.Cloud, app: Deployment) -> None:
    """Leave something for the removal of the stacks, and a run that still goes on."""
    _run(home, {"endpoint": {"keep": True}})
    held: dict[str, Any] = {"service": "sagemaker", "operation": "DescribeTrainingJob"}
    held |= {"fault": "hang", "every": 1, "seconds": 120}
    faults.post(cloud, {"faults": [held]})
    cloud.client("stepfunctions").start_execution(
        stateMachineArn=app.machine(""),
        input=json.dumps({"source": {"uri": _uploaded(cloud, app.bucket)}}),
    )


def _uploaded(cloud: localcloud.Cloud, bucket: str) -> str:
    """The address of the sample, put where runs are given files."""
    cloud.client("s3").put_object(Bucket=bucket, Key="uploads/file.arff", Body=_SAMPLE.read_bytes())
    return f"s3://{bucket}/uploads/file.arff"


def _run(home: Path, execution_input: dict[str, Any]) -> dict[str, Any]:
    words = ("run", "--source", str(_SAMPLE), "--input", json.dumps(execution_input), "--json")
    output: dict[str, Any] = json.loads(_spine(home, *words))
    return output


def _spine(home: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 (our own command)
        [str(_SPINE), *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "SPINE_HOME": str(home),
            "NO_COLOR": "1",
        },
    )
    if done.returncode:
        raise RuntimeError(f"spine {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def _has_entered(states: Any, arn: str, state: str) -> bool:
    history = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return any(event.get("stateEnteredEventDetails", {}).get("name") == state for event in history)


def _has_ended(states: Any, arn: str) -> bool:
    return bool(states.describe_execution(executionArn=arn)["status"] != "RUNNING")


def _all_ended(states: Any) -> bool:
    return not any(
        states.list_executions(stateMachineArn=each["stateMachineArn"], statusFilter="RUNNING")[
            "executions"
        ]
        for each in states.list_state_machines()["stateMachines"]
    )


def _sweep(cloud: localcloud.Cloud) -> None:
    functions = cloud.client("lambda")
    for each in functions.list_functions()["Functions"]:
        if each["Handler"] == "lambda.cleanup.sweep.handler":
            functions.invoke(FunctionName=each["FunctionName"], Payload=b"{}")


def _expire(cloud: localcloud.Cloud, endpoint: str) -> None:
    cloud.client("sagemaker").add_tags(
        ResourceArn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{endpoint}",
        Tags=[{"Key": "spine:keep-until", "Value": "2020-01-01T00:00:00Z"}],
    )


def _until(look: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()

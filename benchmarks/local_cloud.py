"""The local cloud under load: what a training job costs beside training, and many runs at once.

    .venv/bin/python -m benchmarks.local_cloud [--pipelines N] [--jobs N]

Starts a local cloud of its own in a temporary folder, deploys the app with the real CDK command
line, and prints, beside their limits:

- the seconds from CreateTrainingJob to Completed, for 248 rows, one job after the other;
- N executions of the whole pipeline started together: how they ended, in how many seconds, the
  most memory that all processes of the cloud held together, and the most processes;
- what is left when they have ended, and which processes when the cloud has been stopped.

Ends with exit code 1 when a run has not succeeded or anything is left.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import localcloud
from localcloud import Cloud

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "lambda" / "prepare" / "vertebral_column" / "column_2C_weka.arff"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
LIMIT_SECONDS = 1.5
ROWS = 248


class Watch(threading.Thread):
    """Looks at a process and all below it, about twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.most_bytes = self.most_processes = 0
        # What held it then, in bytes by kind.
        self.held: dict[str, int] = {}
        self.seen: set[int] = set()

    def run(self) -> None:
        """Called by the thread."""
        while not self._over.wait(0.5):
            found = family(self._pid)
            self.seen |= set(found)
            self.most_processes = max(self.most_processes, len(found))
            held: dict[str, int] = {}
            for pid in found:
                name = kind(pid)
                held[name] = held.get(name, 0) + memory(pid)
            if sum(held.values()) > self.most_bytes:
                self.most_bytes, self.held = sum(held.values()), held

    def end(self) -> None:
        """Stops looking."""
        self._over.set()
        self.join()


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    )
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, rest = [], [pid]
    while rest:
        found.append(rest.pop())
        rest += children.get(found[-1], [])
    return found


def kind(pid: int) -> str:
    """What a process of the cloud is, by its command line."""
    shown = subprocess.run(  # noqa: S603 (a number as the argument)
        ["/bin/ps", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout
    if "containers.xgboost" in shown:
        return "serving" if " serve " in shown else "training"
    if "processing-job" in shown or "spark" in shown:
        return "preparation job"
    if "localcloud.sagemaker" in shown:
        return "SageMaker"
    return "gateway" if "localcloud" in shown else "functions"


def memory(pid: int) -> int:
    """A process's share of the memory in use, in bytes; pages shared with others count in part.

    Where the system does not tell the share (only Linux does) it is the resident size.
    """
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    shown = subprocess.run(  # noqa: S603 (a number as the argument)
        ["/bin/ps", "-o", "rss=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return int(shown.stdout.strip() or 0) * 1024


def alive(pid: int) -> bool:
    """Whether a process runs."""
    shown = subprocess.run(  # noqa: S603 (a number as the argument)
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def deploy(home: Path) -> tuple[Cloud, str, str]:
    """Brings up a cloud with the app; returns it, the bucket and the state machine."""
    environment = {**os.environ, "SPINE_HOME": str(home)}
    spine = Path(sys.executable).with_name("spine")
    subprocess.run(  # noqa: S603 (the project's own command)
        [str(spine), "deploy"], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    running = localcloud.running(home)
    if running is None:
        raise SystemExit("The local cloud did not stay up.")
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in running.client("cloudformation").describe_stacks()["Stacks"]
        for output in stack.get("Outputs", [])
    }
    return running, outputs["BucketName"], outputs["StateMachineArn"]


def training(cloud: Cloud, bucket: str, jobs: int) -> list[float]:
    """Seconds from CreateTrainingJob to Completed, of one job after the other."""
    # Enough to train on, and next to nothing to compute.
    rows = [f"{row % 2},{row},{row * row % 17},{row % 5}\n" for row in range(ROWS)]
    key = "uploads/benchmark/train.csv"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body="".join(rows).encode())
    sagemaker = cloud.client("sagemaker")
    seconds = []
    for number in range(jobs):
        name = f"benchmark-{number}"
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{key}"}
        began = time.monotonic()
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn="arn:aws:iam::000000000000:role/benchmark",
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters={"num_round": "42", "objective": "binary:logistic"},
            InputDataConfig=[
                {
                    "ChannelName": "train",
                    "DataSource": {"S3DataSource": source},
                    "ContentType": "text/csv",
                }
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/uploads/benchmark/"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        while True:
            status = sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
            if status != "InProgress":
                break
            time.sleep(0.01)
        if status != "Completed":
            raise SystemExit(f"{name} is {status}")
        seconds.append(time.monotonic() - began)
    return seconds


def pipelines(cloud: Cloud, bucket: str, machine: str, count: int) -> dict[str, int]:
    """Starts executions together and waits for their ends; returns how many ended in each way."""
    key = f"uploads/{SAMPLE.name}"
    cloud.client("s3").upload_file(str(SAMPLE), bucket, key)
    states = cloud.client("stepfunctions")
    given = json.dumps({"source": {"uri": f"s3://{bucket}/{key}"}})
    running = {
        states.start_execution(stateMachineArn=machine, name=f"many-{at}", input=given)[
            "executionArn"
        ]
        for at in range(count)
    }
    ended: dict[str, int] = {}
    while running:
        for arn in sorted(running):
            found = states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                running.remove(arn)
                ended[found["status"]] = ended.get(found["status"], 0) + 1
                if found["status"] != "SUCCEEDED":
                    print(f"  {arn}: {found.get('error')}: {str(found.get('cause'))[:300]}")
        time.sleep(0.5)
    return ended


def remains(cloud: Cloud) -> list[str]:
    """What would be billed by the hour: endpoints, and jobs that run."""
    sagemaker = cloud.client("sagemaker")
    going: dict[str, Any] = {"StatusEquals": "InProgress"}
    endpoints = sagemaker.list_endpoints()["Endpoints"]
    trainings = sagemaker.list_training_jobs(**going)["TrainingJobSummaries"]
    transforms = sagemaker.list_transform_jobs(**going)["TransformJobSummaries"]
    return [
        *(found["EndpointName"] for found in endpoints),
        *(found["TrainingJobName"] for found in trainings),
        *(found["TransformJobName"] for found in transforms),
    ]


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipelines", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=10)
    arguments = parser.parse_args()
    localcloud.end_clouds_with_this_process()
    home = Path(tempfile.mkdtemp(prefix="spine-benchmark-"))
    good = True
    try:
        cloud, bucket, machine = deploy(home)
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} cores, load {load:.1f} before")

        seconds = training(cloud, bucket, arguments.jobs)
        print(
            f"Training job of {ROWS} rows, create to Completed: median "
            f"{statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s "
            f"({len(seconds)} jobs; limit {LIMIT_SECONDS} s)"
        )

        watch = Watch(cloud.pid)
        before = sum(map(memory, family(cloud.pid)))
        watch.start()
        began = time.monotonic()
        ended = pipelines(cloud, bucket, machine, arguments.pipelines)
        took = time.monotonic() - began
        watch.end()
        after = sum(map(memory, family(cloud.pid)))
        print(
            f"{arguments.pipelines} pipelines at once: {ended} in {took:.1f} s; memory of all "
            f"processes {before / 1e6:.0f} MB before, at most {watch.most_bytes / 1e6:.0f} MB, "
            f"{after / 1e6:.0f} MB after; at most {watch.most_processes} processes"
        )
        held = sorted(watch.held.items(), key=lambda item: -item[1])
        print("  then held by " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in held))
        left = remains(cloud)
        print(f"Left in SageMaker: {', '.join(left) or 'nothing'}")
        good = ended == {"SUCCEEDED": arguments.pipelines} and not left
        known = watch.seen | set(family(cloud.pid))
    finally:
        localcloud.stop(home)
    orphans = [pid for pid in known if alive(pid)]
    print(f"Processes left when the cloud has stopped: {orphans or 'none'} of {len(known)} seen")
    shutil.rmtree(home)
    return 0 if good and not orphans else 1


if __name__ == "__main__":
    sys.exit(main())

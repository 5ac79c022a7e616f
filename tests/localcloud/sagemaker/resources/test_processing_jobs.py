"""Processing jobs: a command over files, in the container's layout."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ROLE,
    Cloud,
    alive,
    descendants,
    make_table,
    refused,
    start,
    stop,
    to_csv,
    until,
)

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
# As AWS's samples are written: the paths of the container, spelled out.
SPLIT = """
import argparse, json, os, pathlib, socket
import sklearn

parser = argparse.ArgumentParser()
parser.add_argument("--share", type=float)
parser.add_argument("--into", default="/opt/ml/processing/train")
arguments = parser.parse_args()
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
rows = []
for path in sorted(pathlib.Path("/opt/ml/processing/input/data").rglob("*.csv")):
    rows += path.read_text().splitlines(keepends=True)
count = int(len(rows) * arguments.share)
name = f"{hosts['current_host']}.csv"
pathlib.Path(arguments.into, name).write_text("".join(rows[:count]))
pathlib.Path("/opt/ml/processing/test", name).write_text("".join(rows[count:]))
pathlib.Path("/opt/ml/output/message").write_text(f"{len(rows)} rows")
print("host", hosts["current_host"], "of", hosts["hosts"], os.environ["TOLD"])
"""


@pytest.fixture(scope="module")
def script(cloud: Cloud) -> str:
    """The address of the script, and data beside it."""
    cloud.put("code/split.py", SPLIT)
    for number, rows in enumerate((make_table(60), make_table(40))):
        cloud.put(f"raw/part-{number}.csv", to_csv(rows))
    return f"s3://{BUCKET}/code/split.py"


@pytest.fixture
def own_cloud(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process of the test's own, whose children are its jobs' only."""
    running = start(s3_url, tmp_path, "--stop-grace=0.5")
    yield running
    stop(running)


def source(name: str, uri: str, folder: str, **more: Any) -> dict[str, Any]:
    """A ProcessingInput."""
    described = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{folder}"}
    described |= {"S3DataType": "S3Prefix", "S3InputMode": "File"} | more
    return {"InputName": name, "S3Input": described}


def target(job: str, name: str, mode: str = "EndOfJob") -> dict[str, Any]:
    """A ProcessingOutput."""
    described = {
        "S3Uri": f"s3://{BUCKET}/processed/{job}/{name}",
        "LocalPath": f"/opt/ml/processing/{name}",
        "S3UploadMode": mode,
    }
    return {"OutputName": name, "S3Output": described}


def request_for(name: str, hosts: int = 1, **changes: Any) -> dict[str, Any]:
    """A request for CreateProcessingJob that splits the data."""
    return {
        "ProcessingJobName": name,
        "ProcessingInputs": [
            source("code", f"s3://{BUCKET}/code/split.py", "input/code"),
            source(
                "data", f"s3://{BUCKET}/raw/", "input/data", S3DataDistributionType="ShardedByS3Key"
            ),
        ],
        "ProcessingOutputConfig": {"Outputs": [target(name, "train"), target(name, "test")]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": hosts,
                "InstanceType": "ml.m5.xlarge",
                "VolumeSizeInGB": 10,
            }
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/split.py"],
            "ContainerArguments": ["--share", "0.8", "--into", "/opt/ml/processing/train"],
        },
        "Environment": {"TOLD": "in /opt/ml/processing and /opt/mlops"},
        "RoleArn": ROLE,
    } | changes


def running(*command: str) -> dict[str, Any]:
    """Changes that run another command over nothing."""
    return {
        "ProcessingInputs": [],
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": list(command)},
    }


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    """Describes a job."""
    found: dict[str, Any] = cloud.sagemaker.describe_processing_job(ProcessingJobName=name)
    return found


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    """Waits for a job's final state."""

    def over() -> dict[str, Any] | None:
        found = describe(cloud, name)
        return None if found["ProcessingJobStatus"] in ("InProgress", "Stopping") else found

    found: dict[str, Any] = until(over)
    return found


def process(cloud: Cloud, name: str, **changes: Any) -> dict[str, Any]:
    """Creates a job and waits for its end."""
    cloud.sagemaker.create_processing_job(**request_for(name, **changes))
    return ended(cloud, name)


def log_of(cloud: Cloud, name: str, host: str = "") -> str:
    """A job's log."""
    return (cloud.jobs / "processing-job" / name / host / "log").read_text()


def lines(cloud: Cloud, key: str) -> int:
    """How many lines an object has."""
    return len(cloud.read(key).splitlines())


def test_a_script_written_for_the_container_runs(cloud: Cloud, script: str) -> None:
    """Paths below /opt/ml mean the job's folder, in the command, its environment and the script."""
    job = process(cloud, "split")

    assert job["ProcessingJobStatus"] == "Completed", log_of(cloud, "split")
    assert job["ExitMessage"] == "100 rows"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert lines(cloud, "processed/split/train/algo-1.csv") == 80
    assert lines(cloud, "processed/split/test/algo-1.csv") == 20
    folder = cloud.jobs / "processing-job" / "split"
    told = f"host algo-1 of ['algo-1'] in {folder}/processing and /opt/mlops"
    assert told in log_of(cloud, "split")
    config = json.loads((folder / "config" / "processingjobconfig.json").read_text())
    assert config["ProcessingJobName"] == "split"
    # The client sees the paths it gave.
    assert job["AppSpecification"] == request_for("split")["AppSpecification"]


def test_hosts_share_the_objects(cloud: Cloud, script: str) -> None:
    """Two hosts know of each other, get an object each, and both upload what they made."""
    job = process(cloud, "shared-out", hosts=2)
    assert job["ProcessingJobStatus"] == "Completed", job
    assert lines(cloud, "processed/shared-out/train/algo-1.csv") == 48
    assert lines(cloud, "processed/shared-out/train/algo-2.csv") == 32
    assert "host algo-2 of ['algo-1', 'algo-2']" in log_of(cloud, "shared-out", "algo-2")


def test_the_log_is_in_cloudwatch(cloud: Cloud, script: str) -> None:
    """The command's output is whole in the job's stream when the job has ended."""
    process(cloud, "logged")
    (stream,) = cloud.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix="logged/"
    )["logStreams"]
    assert stream["logStreamName"].startswith("logged/algo-1-")
    events = cloud.logs.get_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs",
        logStreamName=stream["logStreamName"],
        startFromHead=True,
    )["events"]
    assert [event["message"] for event in events] == log_of(cloud, "logged").splitlines()


TAKING = """
import os, time
taken = b"x" * (200 << 20)
if os.fork() == 0:
    os.setpgid(0, 0)
    more = b"y" * (100 << 20)
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        pass
    os._exit(0)
os.wait()
"""


def test_a_log_ends_with_what_the_processes_took(cloud: Cloud) -> None:
    """Processor time and memory of all of them; what they share counts once."""
    process(cloud, "taking", **running("python3", "-c", TAKING))
    last = log_of(cloud, "taking").splitlines()[-1]
    took = re.fullmatch(
        r"The processes of this host took ([\d.]+) s of processor time and, at most, (\d+) MiB of"
        r" memory.",
        last,
    )
    assert took, last
    assert 0.2 < float(took[1]) < 5
    assert 300 < int(took[2]) < 450


def test_a_command_that_fails_fails_the_job(cloud: Cloud) -> None:
    """The exit code is in the FailureReason, the traceback in the log, the message described."""
    code = "open('/opt/ml/output/message', 'w').write('bad rows'); raise SystemExit(3)"
    job = process(cloud, "failing", **running("python3", "-c", code))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: See job logs for more information")
    assert job["FailureReason"].endswith("exit code: 3")
    assert job["ExitMessage"] == "bad rows"


def test_a_command_that_does_not_exist_fails_the_job(cloud: Cloud) -> None:
    """The log names the command."""
    job = process(cloud, "absent", **running("spark-submit", "job.py"))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "exit code: 127" in job["FailureReason"]
    assert "spark-submit: No such file" in log_of(cloud, "absent")


def test_outputs_are_uploaded_while_the_job_runs(own_cloud: Cloud) -> None:
    """A Continuous output is in S3 before the job has ended; a stop ends it Stopped."""
    code = "open('/opt/ml/processing/live/a.txt', 'w').write('a'); import time; time.sleep(60)"
    outputs = {"Outputs": [target("live", "live", "Continuous")]}
    own_cloud.sagemaker.create_processing_job(
        **request_for("live", ProcessingOutputConfig=outputs, **running("python3", "-c", code))
    )
    until(
        lambda: own_cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="processed/live/").get(
            "Contents"
        )
    )
    assert describe(own_cloud, "live")["ProcessingJobStatus"] == "InProgress"
    own_cloud.sagemaker.stop_processing_job(ProcessingJobName="live")
    job = ended(own_cloud, "live")
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    until(lambda: not descendants(own_cloud.process.pid), 5)
    code, _ = refused(lambda: own_cloud.sagemaker.stop_processing_job(ProcessingJobName="live"))
    assert code == "ValidationException"


def test_the_longest_runtime_stops_the_job(own_cloud: Cloud) -> None:
    """MaxRuntimeInSeconds ends the job Stopped, also one that ignores SIGTERM."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    job = process(
        own_cloud,
        "overtime",
        StoppingCondition={"MaxRuntimeInSeconds": 1},
        **running("python3", "-c", code),
    )
    assert job["ProcessingJobStatus"] == "Stopped"


def test_a_killed_command_fails_its_job_and_takes_its_children(own_cloud: Cloud) -> None:
    """SIGKILL to the command is described, and what it had started ends with it."""
    code = "import subprocess; subprocess.Popen(['sleep', '60']).wait()"
    own_cloud.sagemaker.create_processing_job(
        **request_for("killed", **running("python3", "-c", code))
    )
    # The command, its guard and what it has started.
    children = until(lambda: all3 if len(all3 := descendants(own_cloud.process.pid)) == 3 else None)
    (leader,) = (pid for pid in children if os.getpgid(pid) == pid)
    os.kill(leader, signal.SIGKILL)
    job = ended(own_cloud, "killed")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "killed by SIGKILL, exit code: 137" in job["FailureReason"]
    until(lambda: not any(alive(pid) for pid in children), 5)


def test_a_command_ends_with_the_service(s3_url: str, tmp_path: Path, cloud: Cloud) -> None:
    """When the service is killed, the command and its children end too."""
    own = start(s3_url, tmp_path)
    code = "import subprocess; subprocess.Popen(['sleep', '60']).wait()"
    own.sagemaker.create_processing_job(**request_for("left", **running("python3", "-c", code)))
    children = until(lambda: all3 if len(all3 := descendants(own.process.pid)) == 3 else None)
    own.process.kill()
    own.process.wait()
    assert own.process.stdout is not None
    own.process.stdout.close()
    until(lambda: not any(alive(pid) for pid in children), 5)


def test_processing_jobs_are_listed(cloud: Cloud) -> None:
    """The list shows status and message; a name is taken once."""
    process(cloud, "found-again", **running("python3", "-c", "pass"))
    (found,) = cloud.sagemaker.list_processing_jobs(NameContains="found-again")[
        "ProcessingJobSummaries"
    ]
    assert found["ProcessingJobStatus"] == "Completed"
    code, _ = refused(lambda: process(cloud, "found-again", **running("python3", "-c", "pass")))
    assert code == "ResourceInUse"
    code, message = refused(lambda: describe(cloud, "nowhere"))
    assert (code, "nowhere" in message) == ("ValidationException", True)


REFUSED: dict[str, dict[str, Any]] = {
    'The image "somebody/image:1" is not available locally': {
        "AppSpecification": {"ImageUri": "somebody/image:1", "ContainerEntrypoint": ["true"]}
    },
    "ContainerEntrypoint": {"AppSpecification": {"ImageUri": IMAGE}},
    "S3InputMode 'Pipe'": {
        "ProcessingInputs": [source("data", f"s3://{BUCKET}/raw/", "in", S3InputMode="Pipe")]
    },
    "S3CompressionType 'Gzip'": {
        "ProcessingInputs": [source("data", f"s3://{BUCKET}/raw/", "in", S3CompressionType="Gzip")]
    },
    "must begin with /opt/ml/processing/": {
        "ProcessingInputs": [source("data", f"s3://{BUCKET}/raw/", "../model")]
    },
    "must be unique": {"ProcessingInputs": [source("data", f"s3://{BUCKET}/raw/", "in")] * 2},
    "No S3 objects found": {
        "ProcessingInputs": [source("data", f"s3://{BUCKET}/not-there/", "in")]
    },
    "FeatureStoreOutput": {
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "f", "FeatureStoreOutput": {"FeatureGroupName": "group"}}]
        }
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_wrong_requests_are_refused(cloud: Cloud, script: str, what: str) -> None:
    """What is wrong or not offered is said at once, by name."""
    request = request_for("refused", **REFUSED[what])
    code, message = refused(lambda: cloud.sagemaker.create_processing_job(**request))
    assert code == "ValidationException"
    assert what in message


def test_a_command_calls_aws_under_the_job_s_role(s3_url: str, tmp_path: Path) -> None:
    """Where roles are assumed, what a command does is the role's doing, as on AWS."""
    own = start(s3_url, tmp_path, "--assume-roles")
    try:
        code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
        own.sagemaker.create_processing_job(**request_for("who", **running("python3", "-c", code)))
        assert ended(own, "who")["ProcessingJobStatus"] == "Completed"
        log = (own.jobs / "processing-job" / "who" / "log").read_text()
        assert "assumed-role/execution/SageMaker" in log
    finally:
        stop(own)


def test_a_volume_beyond_the_quota_of_a_new_account_is_refused(cloud: Cloud) -> None:
    """1,024 GB for a processing job's instance."""
    request = request_for("wide")
    request["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] = 1025
    code, message = refused(lambda: cloud.sagemaker.create_processing_job(**request))
    assert code == "ResourceLimitExceeded"
    assert "processing instance is 1024 GB" in message

"""Training as pipelines use it: channels, formats, shares, checkpoints, several hosts, logs."""

import io
import json
import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import parquet

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    ENDLESS,
    HYPERPARAMETERS,
    Cloud,
    channel,
    descendants,
    make_table,
    refused,
    start,
    stop,
    to_csv,
    until,
)

TABLE = make_table()


@pytest.fixture
def own_cloud(s3_url: str, tmp_path: Path, cloud: Cloud) -> Iterator[Cloud]:
    """A process of the test's own, whose children are its jobs' only."""
    running = start(s3_url, tmp_path, "--stop-grace=5")
    yield running
    stop(running)


def sharded(described: dict[str, Any]) -> dict[str, Any]:
    """A channel whose objects are dealt out among the hosts."""
    described["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return described


def hosts(count: int) -> dict[str, Any]:
    """A ResourceConfig."""
    return {"InstanceType": "ml.m5.xlarge", "InstanceCount": count, "VolumeSizeInGB": 1}


def model_of(cloud: Cloud, job: str) -> xgboost.Booster:
    """The model a job has left."""
    key = f"model/{job}/output/model.tar.gz"
    body = cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        assert archive.getnames() == ["xgboost-model"]
        member = archive.extractfile("xgboost-model")
        assert member is not None
        return xgboost.Booster(model_file=bytearray(member.read()))


def predictions(booster: xgboost.Booster) -> Any:
    """What a model says of the test rows."""
    return booster.predict(xgboost.DMatrix(TABLE[279:, 1:]))


def log_of(cloud: Cloud, job: str, host: str = "") -> str:
    """A job's log file, empty before it is there."""
    path = cloud.jobs / "training-job" / job / host / "log"
    return path.read_text() if path.exists() else ""


def upload_shards(cloud: Cloud, prefix: str, count: int) -> None:
    """Uploads the 248 training rows as so many objects."""
    for number, rows in enumerate(np.array_split(TABLE[:248], count)):
        cloud.put(f"{prefix}/part-{number}.csv", to_csv(rows))


def plain(table: Any) -> Any:
    """What the library alone, in one process, predicts."""
    matrix = xgboost.DMatrix(table[:, 1:], label=table[:, 0])
    return predictions(xgboost.train({"objective": "binary:logistic"}, matrix, num_boost_round=42))


@pytest.mark.parametrize("count", [2, 3])
def test_hosts_train_one_model_together(cloud: Cloud, count: int) -> None:
    """Shards on several hosts give the model that one process trains on all of them."""
    upload_shards(cloud, "shards", 6)
    name = f"together-{count}"
    job = cloud.train(
        name,
        InputDataConfig=[
            sharded(channel("train", "shards/")),
            channel("validation", "validation/"),
        ],
        ResourceConfig=hosts(count),
    )

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    np.testing.assert_allclose(predictions(model_of(cloud, name)), plain(TABLE[:248]), atol=1e-4)
    rows = [
        int(line.split()[3])
        for host in range(1, count + 1)
        for line in log_of(cloud, name, f"algo-{host}").splitlines()
        if line.startswith("Train matrix has")
    ]
    assert len(rows) == count
    assert sum(rows) == 248
    assert f"Distributed node training with {count} hosts" in log_of(cloud, name, "algo-1")
    folder = cloud.jobs / "training-job" / name
    config = json.loads((folder / "algo-2/input/config/resourceconfig.json").read_text())
    assert config["current_host"] == "algo-2"
    assert config["hosts"] == [f"algo-{number}" for number in range(1, count + 1)]
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} == {
        "train:auc",
        "validation:auc",
    }


def test_replicated_rows_count_once_a_host(cloud: Cloud) -> None:
    """FullyReplicated gives every host every row: the model is that of all the copies."""
    job = cloud.train("copies", ResourceConfig=hosts(2))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    twice = np.concatenate([TABLE[:248], TABLE[:248]])
    np.testing.assert_allclose(predictions(model_of(cloud, "copies")), plain(twice), atol=1e-4)


def test_a_host_without_data_takes_no_part(cloud: Cloud) -> None:
    """With fewer objects than hosts those without train nothing, and say so."""
    upload_shards(cloud, "few", 2)
    job = cloud.train(
        "spare",
        InputDataConfig=[sharded(channel("train", "few/")), channel("validation", "validation/")],
        ResourceConfig=hosts(3),
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "Host algo-3 does not have data" in log_of(cloud, "spare", "algo-3")
    np.testing.assert_allclose(predictions(model_of(cloud, "spare")), plain(TABLE[:248]), atol=1e-4)


def test_a_sharded_validation_channel_may_leave_hosts_without_rows(cloud: Cloud) -> None:
    """A host that trains and got no validation object measures nothing, and all go on."""
    upload_shards(cloud, "pair", 2)
    job = cloud.train(
        "uneven",
        InputDataConfig=[
            sharded(channel("train", "pair/")),
            sharded(channel("validation", "validation/")),
        ],
        ResourceConfig=hosts(2),
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert any(m["MetricName"] == "validation:auc" for m in job["FinalMetricDataList"])


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds a host by its folder")
@pytest.mark.parametrize("victim", ["algo-1", "algo-2"])
def test_killing_any_host_fails_the_job(own_cloud: Cloud, victim: str) -> None:
    """SIGKILL to one host ends the job Failed, naming host and signal, and the other host."""
    own_cloud.start_training("killed", ResourceConfig=hosts(2), HyperParameters=ENDLESS)
    until(lambda: "[3]#011" in log_of(own_cloud, "killed", victim), 20)
    folder = str(own_cloud.jobs / "training-job" / "killed" / victim)
    children = descendants(own_cloud.process.pid)
    (child,) = (pid for pid in children if Path(f"/proc/{pid}/cwd").resolve() == Path(folder))

    os.kill(child, signal.SIGKILL)
    job = own_cloud.wait_for_training("killed")

    assert job["TrainingJobStatus"] == "Failed"
    assert f"killed by SIGKILL, exit code: 137 ({victim})" in job["FailureReason"]
    until(lambda: not descendants(own_cloud.process.pid), 5)


def test_hosts_that_are_stopped_save_one_model(own_cloud: Cloud) -> None:
    """save_model_on_termination ends every host after the same round."""
    own_cloud.start_training(
        "halted",
        ResourceConfig=hosts(2),
        HyperParameters={**ENDLESS, "save_model_on_termination": "true"},
    )
    until(lambda: "[3]#011" in log_of(own_cloud, "halted", "algo-2"))
    own_cloud.sagemaker.stop_training_job(TrainingJobName="halted")
    job = own_cloud.wait_for_training("halted")
    assert job["TrainingJobStatus"] == "Stopped"
    assert model_of(own_cloud, "halted").num_boosted_rounds() > 3


def test_wrong_data_on_one_host_fails_the_job(cloud: Cloud) -> None:
    """The complaint of the host that failed is the job's FailureReason, and nothing hangs."""
    cloud.put("mixed/a.csv", to_csv(TABLE[:100]))
    cloud.put("mixed/b.csv", "label,a,b\n1,2,3\n")
    job = cloud.train(
        "mixed",
        InputDataConfig=[sharded(channel("train", "mixed/"))],
        ResourceConfig=hosts(2),
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert "Failed to load csv data" in job["FailureReason"]
    assert job["FailureReason"].endswith("(algo-2)")


def test_parquet_channels_train_the_same_model(cloud: Cloud) -> None:
    """Parquet with the label in the first column gives the model that CSV gives."""
    for part, rows in (("train", TABLE[:248]), ("validation", TABLE[248:279])):
        buffer = io.BytesIO()
        columns = {name: rows[:, place] for place, name in enumerate("labcdef")}
        parquet.write_table(pa.table(columns), buffer)
        cloud.put(f"parquet/{part}/{part}.parquet", buffer.getvalue())

    job = cloud.train(
        "parquet",
        InputDataConfig=[
            channel("train", "parquet/train/", "application/x-parquet"),
            channel("validation", "parquet/validation/", "application/x-parquet"),
        ],
    )

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    np.testing.assert_allclose(
        predictions(model_of(cloud, "parquet")), predictions(model_of(cloud, "trained")), atol=1e-6
    )


def test_what_is_no_parquet_fails_the_job(cloud: Cloud) -> None:
    """Another file in a Parquet channel fails the job, naming the file."""
    job = cloud.train(
        "no-parquet", InputDataConfig=[channel("train", "train/", "application/x-parquet")]
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert "Failed to load parquet data" in job["FailureReason"]
    assert "train.csv" in job["FailureReason"]


def test_a_manifest_names_a_channels_objects(cloud: Cloud) -> None:
    """ManifestFile takes the objects it lists, below its prefix, and no others."""
    upload_shards(cloud, "listed", 3)
    listed = [{"prefix": f"s3://{BUCKET}/listed/"}, "part-0.csv", "part-2.csv"]
    cloud.put("manifests/train.manifest", json.dumps(listed))
    described = channel("train", "manifests/train.manifest")
    described["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"

    job = cloud.train("listed", InputDataConfig=[described])

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    rows = sum(len(part) for part in np.array_split(TABLE[:248], 3)[::2])
    assert f"Train matrix has {rows} rows" in log_of(cloud, "listed")


def test_a_broken_manifest_fails_the_job(cloud: Cloud) -> None:
    """A manifest of another form fails the job, showing the form."""
    cloud.put("manifests/broken", '{"prefix": 1}')
    described = channel("train", "manifests/broken")
    described["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    job = cloud.train("broken-manifest", InputDataConfig=[described])
    assert job["TrainingJobStatus"] == "Failed"
    assert 'is not of the form [{"prefix": "s3://bucket/folder/"}' in job["FailureReason"]


def test_spot_training_goes_on_from_its_checkpoint(cloud: Cloud) -> None:
    """Checkpoints reach S3; a later job goes on from the last and ends with the same model."""
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/spot"},
    }
    begun = cloud.train("begun", HyperParameters={**HYPERPARAMETERS, "num_round": "20"}, **spot)
    assert begun["TrainingJobStatus"] == "Completed", begun.get("FailureReason")
    assert begun["CheckpointConfig"] == spot["CheckpointConfig"]
    listed = cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/spot/")["Contents"]
    assert f"checkpoints/spot/xgboost-checkpoint.{19}" in {item["Key"] for item in listed}

    resumed = cloud.train("resumed", **spot)

    assert resumed["TrainingJobStatus"] == "Completed", resumed.get("FailureReason")
    log = log_of(cloud, "resumed")
    assert "Resuming from iteration 20" in log
    assert "[20]#011" in log
    assert "[19]#011" not in log
    assert "[41]#011" in log
    np.testing.assert_allclose(
        predictions(model_of(cloud, "resumed")), predictions(model_of(cloud, "trained")), atol=1e-5
    )


def test_a_stopped_jobs_checkpoints_are_kept(own_cloud: Cloud) -> None:
    """A job interrupted in the middle leaves its checkpoints in S3, copied while it ran."""
    prefix = "checkpoints/interrupted/"
    own_cloud.start_training(
        "interrupted",
        HyperParameters=ENDLESS,
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/{prefix}"},
    )

    def copied() -> Any:
        return own_cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents")

    until(copied)
    assert own_cloud.describe_training("interrupted")["TrainingJobStatus"] == "InProgress"
    own_cloud.sagemaker.stop_training_job(TrainingJobName="interrupted")
    assert own_cloud.wait_for_training("interrupted")["TrainingJobStatus"] == "Stopped"


def test_pipe_mode_is_refused(cloud: Cloud) -> None:
    """Pipe mode, whose container reads another way, is refused by name."""
    specification = cloud.training_request("piped")["AlgorithmSpecification"]
    code, message = refused(
        lambda: cloud.start_training(
            "piped", AlgorithmSpecification={**specification, "TrainingInputMode": "Pipe"}
        )
    )
    assert code == "ValidationException"
    assert "TrainingInputMode 'Pipe'" in message


def events(cloud: Cloud, group: str, prefix: str) -> dict[str, list[str]]:
    """The messages of a group's streams, found the way the SageMaker SDK looks for them."""
    try:
        found = cloud.logs.describe_log_streams(
            logGroupName=group, logStreamNamePrefix=prefix, orderBy="LogStreamName"
        )["logStreams"]
    except cloud.logs.exceptions.ResourceNotFoundException:
        return {}
    return {
        stream["logStreamName"]: [
            event["message"]
            for event in cloud.logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
        for stream in found
    }


def test_logs_are_in_cloudwatch_when_the_job_ends(cloud: Cloud) -> None:
    """Each host has a stream named after job and host, whole as soon as the job is Completed."""
    cloud.train("told", ResourceConfig=hosts(2))
    streams = events(cloud, "/aws/sagemaker/TrainingJobs", "told/")

    assert [name.rpartition("-")[0] for name in sorted(streams)] == ["told/algo-1", "told/algo-2"]
    for name, messages in streams.items():
        host = name.partition("/")[2].rpartition("-")[0]
        assert messages == [line for line in log_of(cloud, "told", host).splitlines() if line]
        assert any(message.startswith("[41]#011train-auc:") for message in messages)


def test_logs_are_streamed_while_a_job_runs(own_cloud: Cloud) -> None:
    """Lines of a running job can be read before its end."""
    own_cloud.start_training("streaming", HyperParameters=ENDLESS)
    until(lambda: events(own_cloud, "/aws/sagemaker/TrainingJobs", "streaming/"))
    assert own_cloud.describe_training("streaming")["TrainingJobStatus"] == "InProgress"


def test_inputs_must_hold_an_object(cloud: Cloud) -> None:
    """CreateTrainingJob refuses an input prefix that matches nothing, and makes no job."""
    for uri in (f"s3://{BUCKET}/nothing/", "s3://no-such-bucket/train/"):
        channels = [channel("train", "train/")]
        channels[0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
        code, message = refused(
            lambda channels=channels: cloud.start_training("empty", InputDataConfig=channels)  # type: ignore[misc]
        )
        assert code == "ValidationException"
        assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data')
    refused(lambda: cloud.describe_training("empty"))

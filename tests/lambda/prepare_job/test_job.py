# ruff: noqa: N803 (the double takes boto3's own argument names)
"""The job around the preparation: what it is told, what it leaves, and what it never hides."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spine.samples import SAMPLE
from spine.shipped import load
from tests.support import FakeS3, planned, use_clients

job = load("prepare_job.job")
spark = load("prepare_job.spark")
s3 = load("common.s3")

SOURCE = "s3://bucket/uploads/a.arff"
RUN = planned({"source": {"uri": SOURCE}}, bucket="bucket")["prefix"]


class Store(FakeS3):
    """An S3 that also lists and deletes."""

    def get_paginator(self, _operation: str) -> "Store":
        """List is the only operation in pages."""
        return self

    def paginate(self, *, Bucket: str, Prefix: str, **_: object) -> Iterator[dict[str, Any]]:
        """One page."""
        keys = [key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix)]
        yield {"Contents": [{"Key": key} for key in keys]} if keys else {}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        """Delete every version."""
        del self.objects[Bucket, Key]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """An S3 with a source, and the job's environment."""
    found = Store()
    use_clients(monkeypatch, s3=found)
    found.put_object(Bucket="bucket", Key="uploads/a.arff", Body=SAMPLE.read_bytes())
    monkeypatch.setenv("ORDER", f"s3://bucket/{RUN}/preparation/plan.json")
    monkeypatch.setenv("RESULT", f"s3://bucket/{RUN}/preparation/r-1-0-0.json")
    return found


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


def test_shards_of_an_earlier_attempt_are_gone(store: Store) -> None:
    """Before the first shard is written; the run's other files stay."""
    for key in ("train/part-00007.csv", "validate/part-00007.csv", "data_profile.json"):
        store.put_object(Bucket="bucket", Key=f"{RUN}/{key}", Body=b"old")
    cluster = spark.Cluster(None, s3.Location("bucket", RUN), 2)
    cluster.writer()("train/part-00000.csv", memoryview(b"new"))
    kept = {key.removeprefix(f"{RUN}/") for _, key in store.objects if key.startswith(RUN)}
    assert kept == {"train/part-00000.csv", "data_profile.json"}


def test_what_machines_exchange_is_deleted_in_the_end(store: Store) -> None:
    """Blocks and the test part's pieces, whether it went well or not; Spark is stopped."""

    class Context:
        stopped = False

        def stop(self) -> None:
            self.stopped = True

    context = Context()
    with spark.Cluster(context, s3.Location("bucket", RUN), 2) as cluster:
        for number in range(20):
            cluster.put(number, b"%d" % number)
        read = cluster.reader()
        assert [read(number) for number in range(20)] == [b"%d" % number for number in range(20)]
    assert [key for _, key in store.objects if key.startswith(RUN)] == []
    assert context.stopped


def test_a_block_that_cannot_be_stored_fails_the_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads go on beside the reading; what goes wrong there is not lost."""

    def full(*_: object, **__: object) -> None:
        raise OSError("no space")

    cluster = spark.Cluster(None, s3.Location("bucket", RUN), 2)
    monkeypatch.setattr(store, "put_object", full)
    cluster.put(0, b"x")
    with pytest.raises(OSError, match="no space"):
        cluster.reader()

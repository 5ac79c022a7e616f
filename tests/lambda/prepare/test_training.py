"""What training on the prepared files needs of its instances."""

from typing import Any

import pytest

from data_prep import Limits
from spine.shipped import load
from tests.data_prep.support import Machines
from tests.preparing import CONTENT, Store, plan
from tests.support import FakeS3, use_clients

prepare = load("prepare.handler")
training = load("prepare.training")

GB = 10**9


def of(
    train: float,
    validate: float = 0,
    *,
    values: int = 1,
    largest: int = 1024,
    distribution: str = "FullyReplicated",
    **asked: Any,
) -> int:
    """The volume for files of so many GB."""
    found = {
        "training": {"instance_type": "ml.p3.2xlarge", "instance_count": 1, **asked},
        "preparation": {"distribution": distribution, "largest_volume_gb": largest},
    }
    files = {"train": int(train * GB), "validate": int(validate * GB)}
    volume: int = training.volume_gb(found, files, values=values)
    return volume


def test_the_volume_holds_what_was_prepared_and_a_margin() -> None:
    """Both channels lie on it, and the model beside them; small data has SageMaker's usual 30."""
    assert of(0.001) == 30
    assert of(80, 20) == 129
    assert of(400, 40) == 554


def test_each_instance_holds_its_share_of_shards() -> None:
    """Twice an even share, since shards are not all of one size; never more than all of them."""
    assert of(100, distribution="ShardedByS3Key", instance_count=10) == 29 + 1
    assert of(400, distribution="ShardedByS3Key", instance_count=10) == 104
    assert of(100, distribution="ShardedByS3Key", instance_count=2) == 129
    assert of(100, instance_count=10) == 129


def test_what_no_volume_holds_is_refused_with_what_to_do() -> None:
    """The message tells the size, the limit, and both ways out of it."""
    with pytest.raises(training.TrainingDataTooLargeError) as caught:
        of(1000, largest=1024)
    for said in ("1,000,000,000,000 bytes", "1,254 GB", "1,024 GB", "largest_volume_gb", '"spark"'):
        assert said in str(caught.value)
    with pytest.raises(training.TrainingDataTooLargeError, match="more than 2"):
        of(1000, distribution="ShardedByS3Key", instance_count=2)
    assert of(1000, largest=2000) == 1254


def test_a_run_from_before_the_setting_has_the_default_quota() -> None:
    """Its plan names no largest volume."""
    found = {
        "training": {"instance_type": "ml.p3.2xlarge", "instance_count": 1},
        "preparation": {"distribution": "FullyReplicated"},
    }
    with pytest.raises(training.TrainingDataTooLargeError, match="1,024 GB"):
        training.volume_gb(found, {"train": 1000 * GB}, values=1)


def test_what_no_memory_holds_is_refused() -> None:
    """XGBoost keeps every value: 8 bytes, or fewer where the text itself is shorter."""
    asked: dict[str, Any] = {"instance_type": "ml.m5.xlarge"}
    assert of(17, values=GB, **asked) == 30
    assert of(100, values=2 * GB, **asked) == 129
    with pytest.raises(training.TrainingDataTooLargeError, match=r"1 x ml\.m5\.xlarge"):
        of(18, values=3 * GB, **asked)
    assert of(18, values=3 * GB, instance_count=2, distribution="ShardedByS3Key", **asked) == 30
    with pytest.raises(training.TrainingDataTooLargeError, match=r"1 x ml\.m5\.xlarge"):
        of(18, values=3 * GB, instance_count=2, **asked)


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("ml.m5.large", 8),
        ("ml.m5.xlarge", 16),
        ("ml.m4.16xlarge", 256),
        ("ml.c5.18xlarge", 144),
        ("ml.r5d.24xlarge", 768),
        ("ml.t3.medium", 8),
    ],
)
def test_memory_follows_from_the_name(name: str, gib: int) -> None:
    """As EC2's own tables have it, or a little more; never less, which would refuse what fits."""
    assert training.memory_of(name) == gib << 30


@pytest.mark.parametrize("name", ["ml.p3.2xlarge", "ml.g5.xlarge", "ml.trn1.32xlarge", "ml.m5"])
def test_of_other_families_nothing_is_said(name: str) -> None:
    """What is not known refuses nothing."""
    assert training.memory_of(name) is None


def test_a_run_that_cannot_be_trained_on_ends_in_the_preparation(
    stored: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the file was small or large: what was written is counted."""
    assert prepare.handler({"plan": plan()}, None)["training_volume_gb"] == 30
    monkeypatch.setattr(training, "memory_of", lambda _: 10_000)
    with pytest.raises(training.TrainingDataTooLargeError, match="10,000 bytes of memory"):
        prepare.handler({"plan": plan()}, None)
    lines = ["x,class", *(f"{n}.25,{('Abnormal', 'Normal')[n % 2]}" for n in range(300_000))]
    content = "\n".join(lines)
    assert len(content) > Limits().small_bytes
    stored.put_object(Bucket="runs-bucket", Key="uploads/t.csv", Body=content)
    with pytest.raises(training.TrainingDataTooLargeError, match="540,000 values"):
        prepare.handler({"plan": plan(uri="s3://runs-bucket/uploads/t.csv")}, None)


def test_shards_that_machines_have_written_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them passed through the one who prepares: S3 says how large they are."""
    store = Store()
    use_clients(monkeypatch, s3=store)
    store.put_object(Bucket="runs-bucket", Key="uploads/sample.arff", Body=CONTENT)
    for key, size in (("train/part-0.csv", 500), ("validate/part-0.csv", 41), ("train/x", 1000)):
        store.put_object(Bucket="runs-bucket", Key=f"runs/r-1/{key}", Body=b"x" * size)
    told: list[dict[str, int]] = []
    monkeypatch.setattr(training, "volume_gb", lambda _, files, **__: told.append(files))
    load("prepare.run").run(plan(), hosts=(), spread=Machines())
    assert told == [{"train": 1500, "validate": 41}]

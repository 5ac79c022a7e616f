"""Which engine the plan chooses to prepare the data, and with what."""

import itertools
from typing import Any

import pytest

from spine.shipped import load
from tests.support import FakeS3

handler = load("plan.handler").handler
engines = load("plan.engines")
fetch = load("common.fetch")
fetch_folder = load("common.fetch_folder")
refusal = load("plan.refusal")

GIB = 1 << 30
OBJECT = "s3://spine-bucket/uploads/rows.csv"


def planned(uri: str = OBJECT, **sections: Any) -> dict[str, Any]:
    """The plan for a source, what it says of the preparation, and of the training."""
    execution = {"arn": "arn:aws:states:::execution:m:r", "name": "r", "started_at": "2026-01-01"}
    plan: dict[str, Any] = handler(
        {"input": {"source": {"uri": uri}, **sections}, "execution": execution}, None
    )
    return dict(plan["preparation"])


def sized(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    """Every source has this size."""
    monkeypatch.setattr(fetch, "size_in_s3", lambda _uri, version_id: size)
    monkeypatch.setattr(fetch.Web, "size", lambda _self, _uri: size)


@pytest.mark.parametrize(
    ("size", "name", "engine"),
    [
        (25_142, "rows.csv", "lambda"),
        (2 * GIB, "rows.csv", "lambda"),
        (2 * GIB + 1, "rows.csv", "processing"),
        (300 << 20, "rows.csv.gz", "lambda"),
        (400 << 20, "rows.csv.gz", "processing"),
        (400 << 20, "ROWS.ZIP", "processing"),
        (400 << 20, "rows.parquet", "processing"),
        (32 * GIB, "rows.csv", "processing"),
        (32 * GIB + 1, "rows.csv", "spark"),
        (6 * GIB, "rows.csv.gz", "spark"),
    ],
)
def test_the_source_decides_by_its_size_unpacked(
    monkeypatch: pytest.MonkeyPatch, size: int, name: str, engine: str
) -> None:
    """A packed file counts as several times its size; the reason names it."""
    sized(monkeypatch, size)
    found = planned(f"s3://spine-bucket/uploads/{name}")
    assert found["engine"] == engine
    assert f"{size:,}" in found["reason"]
    assert found["source_bytes"] == size


def test_a_source_whose_size_nobody_says_goes_to_the_function(
    store: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with a source is for the step that reads it to say, not for the plan."""
    missing = planned()
    assert (missing["engine"], missing["source_bytes"]) == ("lambda", None)
    assert "SourceNotFoundError" in missing["reason"]
    store.put_object(Bucket="spine-bucket", Key="uploads/rows.csv", Body=b"x" * 10)
    assert planned()["source_bytes"] == 10

    def silent(_self: object, _uri: str) -> int:
        raise fetch.SourceUnreachableError("no answer")

    monkeypatch.setattr(fetch.Web, "size", silent)
    assert "SourceUnreachableError" in planned("https://data.example.org/rows.csv")["reason"]
    sized(monkeypatch, None)
    assert "does not say" in planned("https://data.example.org/rows.csv")["reason"]


@pytest.mark.parametrize("engine", ["lambda", "processing", "spark"])
def test_whoever_asks_for_an_engine_gets_it(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """Whatever the size; the plan says that it was asked for."""
    sized(monkeypatch, 100)
    found = planned(preparation={"engine": engine})
    assert (found["engine"], found["reason"]) == (engine, "the execution input asks for it")


def test_a_job_has_room_for_the_source_and_what_is_made_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The volume grows with the file, and is ample where its size is not known."""
    volumes = []
    for size in (100, 10 * GIB, 100 * GIB, None):
        sized(monkeypatch, size)
        volumes.append(planned(preparation={"engine": "processing"})["volume_gb"])
    assert volumes == [30, 43, 430, 200]


def test_spark_keeps_the_source_and_no_copies_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of the largest size its volume is within the quota of a new account."""
    sized(monkeypatch, engines.LIMITS["spark"]["source_bytes"])
    assert planned(preparation={"engine": "spark"})["volume_gb"] == 825


def test_a_source_no_instance_has_a_volume_for_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is paid for; where the quota was raised, the setting lets it through."""
    sized(monkeypatch, 512 * GIB)
    packed = "s3://spine-bucket/uploads/rows.csv.gz"
    with pytest.raises(refusal.InvalidInputError, match=r"source.uri: a file of 549,755,813,888"):
        planned(packed, preparation={"engine": "spark"})
    monkeypatch.setenv("LARGEST_VOLUME_GB", "2000")
    assert planned(packed, preparation={"engine": "spark"})["volume_gb"] == 1100
    monkeypatch.setenv("LARGEST_VOLUME_GB", "100")
    sized(monkeypatch, None)
    assert planned(preparation={"engine": "processing"})["volume_gb"] == 100


def test_only_spark_has_several_instances_and_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training on several instances reads Spark's shards, and whole files otherwise."""
    sized(monkeypatch, 100)
    training = {"instance_count": 3}
    spark = planned(preparation={"engine": "spark"}, training=training)
    assert (spark["instance_type"], spark["instance_count"]) == ("ml.m5.2xlarge", 2)
    assert (spark["distribution"], spark["shards"]) == ("ShardedByS3Key", 3)
    asked = {"engine": "spark", "instance_type": "ml.m5.xlarge", "instance_count": 5}
    spark = planned(preparation=asked)
    assert (spark["instance_type"], spark["instance_count"]) == ("ml.m5.xlarge", 5)
    assert (spark["distribution"], spark["shards"]) == ("FullyReplicated", 5)
    one = planned(preparation={"engine": "processing"}, training=training)
    assert (one["instance_type"], one["instance_count"]) == ("ml.m5.xlarge", 1)
    assert one["distribution"] == "FullyReplicated"


def test_without_an_image_for_spark_one_instance_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four regions have none: asked for, it is refused by name; chosen, another engine is."""
    monkeypatch.setenv("SPARK_REGISTRY", "none")
    sized(monkeypatch, 100 * GIB)
    assert planned()["engine"] == "processing"
    with pytest.raises(refusal.InvalidInputError, match=r'preparation.engine: "spark" is not poss'):
        planned(preparation={"engine": "spark"})


@pytest.mark.parametrize(
    ("preparation", "says"),
    [
        ({"engine": "glue"}, 'preparation.engine: "glue"'),
        ({"engine": None}, "preparation.engine"),
        ({"engines": "spark"}, "preparation.engines"),
        ({"instance_type": "ml.m5.24xlarge"}, "preparation.instance_type"),
        ({"instance_type": "ml.m5.huge"}, "not an instance type SageMaker has for a processing"),
        ({"instance_count": 0}, "preparation.instance_count"),
        ({"instance_count": 21}, "preparation.instance_count"),
        ({"engine": "processing", "instance_count": 2}, "preparation.instance_count: 2 is more"),
        ({"engine": "lambda", "instance_type": "ml.m5.xlarge"}, "preparation.instance_type"),
        ({"max_runtime_seconds": 30}, "preparation.max_runtime_seconds"),
        ({"max_runtime_seconds": "60"}, "preparation.max_runtime_seconds"),
        ("spark", "preparation: "),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(preparation: object, says: str) -> None:
    """Field, value and remedy, before anything is paid for."""
    with pytest.raises(refusal.InvalidInputError) as caught:
        planned(preparation=preparation)
    assert says in str(caught.value)


def test_the_limits_grow_from_engine_to_engine() -> None:
    """Each takes at least what the one before it takes."""
    limits = [engines.LIMITS[engine] for engine in ("lambda", "processing", "spark")]
    for smaller, larger in itertools.pairwise(limits):
        assert all(smaller[name] < larger[name] for name in smaller)


def folder(monkeypatch: pytest.MonkeyPatch, *objects: tuple[str, int]) -> str:
    """A folder of files of these names and sizes."""
    found = [fetch_folder.Listed(path, size, "") for path, size in objects]
    monkeypatch.setattr(fetch_folder, "listed", lambda _uri: found)
    return "s3://spine-bucket/uploads/table/"


def test_a_folder_counts_as_its_files_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed ones several times; how many there are is told."""
    uri = folder(monkeypatch, ("a.csv", GIB), ("k=1/b.CSV.GZ", 100 << 20))
    found = planned(uri)
    assert (found["engine"], found["source_files"]) == ("lambda", 2)
    assert found["source_bytes"] == GIB + (100 << 20)
    assert "in 2 files" in found["reason"]
    uri = folder(monkeypatch, ("a.csv", GIB), ("k=1/b.csv.gz", 200 << 20))
    assert planned(uri)["engine"] == "processing"
    assert planned()["source_files"] is None


def test_a_folder_is_looked_at_before_anything_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the engine: one with nothing in it, or too much for it, ends here."""
    uri = folder(monkeypatch, ("a.csv", 5 * GIB))
    with pytest.raises(fetch.SourceTooLargeError, match="table/ has more than"):
        planned(uri, preparation={"engine": "lambda"})

    def nothing(_uri: str) -> None:
        raise fetch.SourceNotFoundError("nothing")

    monkeypatch.setattr(fetch_folder, "listed", nothing)
    for engine in ("auto", "lambda", "processing", "spark"):
        with pytest.raises(fetch.SourceNotFoundError):
            planned(uri, preparation={"engine": engine})

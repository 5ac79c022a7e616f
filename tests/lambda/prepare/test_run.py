"""The prepare function: from a plan to four objects and a summary, or nothing at all."""

import hashlib
import json

import pytest

from data_prep import DataError, Limits, formats
from spine.shipped import load
from tests.data_prep import reference
from tests.data_prep.formats import imaginary
from tests.preparing import CONTENT, Store, plan
from tests.support import FakeS3, use_clients

prepare = load("prepare.handler")
fetch = load("common.fetch")


def written(fake: FakeS3) -> dict[str, bytes]:
    """What lies in the run's folder, by path."""
    folder = "runs/r-1/"
    return {
        key.removeprefix(folder): versions[-1]
        for (_, key), versions in fake.objects.items()
        if key.startswith(folder)
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", [None, "pairs"])
def test_a_format_that_is_added_to_the_registry_is_prepared(
    stored: FakeS3, monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    """The function and the job take whatever `data_prep` reads; large files one after another."""
    monkeypatch.setitem(formats.FORMATS, "pairs", imaginary.PAIRS)
    names = ("x", "class")
    rows = [(f"{at * 7 % 300}.25", ("Abnormal", "Normal")[at % 2]) for at in range(100_000)]
    content = imaginary.pairs(rows, names).encode()
    assert len(content) > Limits().small_bytes
    expected = reference.from_csv("\n".join(map(",".join, [names, *rows])) + "\n")
    for number in range(2):
        key = f"uploads/{number}.{'data' if kind else 'pairs'}"
        stored.put_object(Bucket="runs-bucket", Key=key, Body=content)
        source = plan(uri=f"s3://runs-bucket/{key}")
        source["source"]["format"]["kind"] = kind
        assert prepare.handler({"plan": source}, None)["rows"] == 100_000
        files = written(stored)
        assert files.pop("data_profile.json")
        assert files == expected


def test_the_four_files_of_a_run_are_the_notebooks(stored: FakeS3) -> None:
    """The run's folder holds exactly the notebook's bytes, and the summary tells what they are."""
    result = prepare.handler({"plan": plan()}, None)
    files = written(stored)
    profile = json.loads(files.pop("data_profile.json"))
    assert files == reference.from_arff(CONTENT.decode())
    types = {kind for (_, key), kind in stored.content_types.items() if key.startswith("runs/r-1/")}
    assert types == {"text/csv", "application/json"}
    assert (profile["rows"], profile["feature_count"], profile["duplicate_rows"]) == (310, 6, 0)
    assert profile["label"]["balance"] == {"1": 210, "0": 100, "positive_share": 210 / 310}
    assert result == {
        "task": "binary",
        "rows": 310,
        "counts": {"train": 248, "test": 31, "validate": 31},
        "positives": {"train": 168, "test": 21, "validate": 21},
        "features": [
            "pelvic_incidence",
            "pelvic_tilt",
            "lumbar_lordosis_angle",
            "sacral_slope",
            "pelvic_radius",
            "degree_spondylolisthesis",
        ],
        "feature_count": 6,
        "label": "class",
        "hyperparameters": {},
        "classes": {"positive": "Abnormal", "negative": "Normal"},
        "profile": "s3://runs-bucket/runs/r-1/data_profile.json",
        "warnings": [],
        "source": {
            "uri": "s3://runs-bucket/uploads/sample.arff",
            "member": "sample.arff",
            "bytes": len(CONTENT),
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "version_id": "1",
            "fallback": None,
        },
        "engine": "lambda",
        "training_volume_gb": 30,
    }


def test_the_version_asked_for_is_the_one_prepared(stored: FakeS3) -> None:
    """A newer version of the object does not change a plan that names an older one."""
    stored.put_object(Bucket="runs-bucket", Key="uploads/sample.arff", Body=b"newer")
    result = prepare.handler({"plan": plan(version_id="1")}, None)
    assert result["source"]["version_id"] == "1"
    assert result["rows"] == 310


def test_large_files_are_written_in_parts(stored: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit one request is uploaded from the disk, with the same bytes and type."""
    monkeypatch.setattr(load("common.s3"), "_ONE_PART", 1000)
    monkeypatch.setattr(load("common.downloads"), "IN_MEMORY", 1000)
    prepare.handler({"plan": plan()}, None)
    files = written(stored)
    del files["data_profile.json"]
    assert files == reference.from_arff(CONTENT.decode())
    assert stored.content_types["runs-bucket", "runs/r-1/train/train.csv"] == "text/csv"


def test_columns_are_dropped_renamed_encoded_and_gaps_passed(stored: FakeS3) -> None:
    """What the plan says of the columns is done, and the profile keeps the way back."""
    lines = ["id;colour;size;kind"]
    lines += [f"{n};{('red', 'blue', '')[n % 3]};{n % 7 or 'NA'};k{n % 4}" for n in range(60)]
    stored.put_object(Bucket="runs-bucket", Key="uploads/t.csv", Body="\n".join(lines))
    result = prepare.handler(
        {
            "plan": plan(
                uri="s3://runs-bucket/uploads/t.csv",
                label="target",
                positive="k1",
                rest=True,
                drop=["id"],
                rename={"kind": "target", "colour": "color"},
                categorical=["color"],
                missing="pass",
            )
        },
        None,
    )
    assert result["features"] == ["color", "size"]
    assert result["classes"] == {"positive": "k1", "negative": "rest ('k0', 'k2', 'k3')"}
    profile = json.loads(written(stored)["data_profile.json"])
    color, size = profile["features"]
    assert color == {
        "name": "color", "type": "category", "missing": 20, "categories": ["blue", "red"]
    }  # fmt: skip
    assert (size["type"], size["missing"], size["min"], size["max"]) == ("number", 9, 1.0, 6.0)
    train = stored.text("runs-bucket", "runs/r-1/train/train.csv")
    rows = [line.split(",") for line in train.split()]
    assert {row[1] for row in rows} == {"0", "1", ""}
    assert {row[2] for row in rows} == {"", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0"}


def test_a_refused_input_writes_nothing(stored: FakeS3) -> None:
    """The error passes through under its own name, and the run's folder stays empty."""
    with pytest.raises(DataError, match="SHA-256") as caught:
        prepare.handler({"plan": plan(sha256="0" * 64)}, None)
    assert type(caught.value).__name__ == "ChecksumError"
    assert written(stored) == {}


def test_only_the_first_200_feature_names_are_returned(stored: FakeS3) -> None:
    """A wide table's summary stays within Step Functions' payload limit; the count is whole."""
    names = [f"f{at}" for at in range(300)]
    lines = [",".join([*names, "class"])]
    lines += [",".join([*["1"] * 300, ("Abnormal", "Normal")[row % 2]]) for row in range(40)]
    stored.put_object(Bucket="runs-bucket", Key="uploads/w.csv", Body="\n".join(lines))
    result = prepare.handler({"plan": plan(uri="s3://runs-bucket/uploads/w.csv")}, None)
    assert result["features"] == names[:200]
    assert result["feature_count"] == 300


def test_several_classes_are_counted_for_the_training_job(stored: FakeS3) -> None:
    """num_class follows from the data; the classes stand by the numbers written for them."""
    rows = "".join(f"{n % 7},{n},{('b', 'c', 'a')[n % 3]}\n" for n in range(60))
    stored.put_object(Bucket="runs-bucket", Key="uploads/t.csv", Body="x,n,kind\n" + rows)
    uri = "s3://runs-bucket/uploads/t.csv"
    given = plan("multi:softprob", "multiclass", uri=uri, label="kind", positive=None)
    result = prepare.handler({"plan": given}, None)
    assert result["task"] == "multiclass"
    assert result["hyperparameters"] == {"num_class": "3"}
    assert result["classes"] == {"0": "a", "1": "b", "2": "c"}
    assert result["class_counts"]["test"] == [2, 2, 2]
    given["training"]["hyperparameters"]["num_class"] = "4"
    with pytest.raises(DataError, match="num_class is 4 and the label has 3 values"):
        prepare.handler({"plan": given}, None)


def test_a_number_is_held_to_its_objective(stored: FakeS3) -> None:
    """The plan's objective says what a label may be; a regression has no classes."""
    rows = "".join(f"{n % 7},{n * n % 11}\n" for n in range(60))
    stored.put_object(Bucket="runs-bucket", Key="uploads/t.csv", Body="x,y\n" + rows)
    given = {"uri": "s3://runs-bucket/uploads/t.csv", "label": "y", "positive": None}
    result = prepare.handler({"plan": plan("reg:squarederror", "regression", **given)}, None)
    assert (result["task"], result["classes"], result["hyperparameters"]) == ("regression", {}, {})
    assert result["counts"] == {"train": 48, "test": 6, "validate": 6}
    with pytest.raises(DataError, match=r"line 2, column 'y': the label '0' is not more than 0"):
        prepare.handler({"plan": plan("reg:gamma", "regression", **given)}, None)


def test_a_folder_is_prepared_as_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are those of all files in the order of their names; which versions, is noted."""
    fake = Store()
    use_clients(monkeypatch, s3=fake)
    monkeypatch.setenv("SOURCE_HOSTS", "")
    rows = [f"{at * 7 % 300}.25,{('Abnormal', 'Normal')[at % 2]}\n" for at in range(300)]
    for number in range(3):
        part = f"x,class\n{''.join(rows[number * 100 : number * 100 + 100])}"
        fake.put_object(Bucket="runs-bucket", Key=f"uploads/t/part-{number}.csv", Body=part)
    fake.put_object(Bucket="runs-bucket", Key="uploads/t/_SUCCESS", Body=b"")
    fake.put_object(Bucket="runs-bucket", Key="uploads/t/notes.txt", Body=b"no table")
    asked = plan(uri="s3://runs-bucket/uploads/t/", member="part-*.csv")
    result = prepare.handler({"plan": asked}, None)
    files = written(fake)
    profile = json.loads(files.pop("data_profile.json"))
    assert files == reference.from_csv(f"x,class\n{''.join(rows)}")
    assert (result["source"]["files"], result["source"]["version_id"]) == (3, None)
    assert result["source"]["sha256"] == profile["source"]["sha256"]
    assert [(each["member"], each["version_id"]) for each in profile["source"]["parts"]] == [
        (f"part-{number}.csv", "1") for number in range(3)
    ]

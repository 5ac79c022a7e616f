"""The container trains what the library trains, and says what it cannot train on."""

import io
import tarfile
import zlib
from typing import Any

import numpy as np
import pytest
import xgboost

from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    HYPERPARAMETERS,
    Cloud,
    channel,
    make_table,
    scores,
    to_csv,
)

PARAMETERS = {"objective": "binary:logistic", "eval_metric": "auc"}


def plain_predictions(train: np.ndarray[Any, Any], test: np.ndarray[Any, Any]) -> Any:
    """What the library alone predicts."""
    matrix = xgboost.DMatrix(train[:, 1:], label=train[:, 0])
    booster = xgboost.train(PARAMETERS, matrix, num_boost_round=42)
    return booster.predict(xgboost.DMatrix(test[:, 1:]))


def test_the_model_is_the_one_the_library_trains(cloud: Cloud, endpoint: str) -> None:
    """Training, serving and transforming add nothing to what xgboost.train computes."""
    table = make_table()
    expected = plain_predictions(table[:248], table[279:])

    body = cloud.s3.get_object(Bucket=BUCKET, Key="model/trained/output/model.tar.gz")["Body"]
    with tarfile.open(fileobj=io.BytesIO(body.read()), mode="r:gz") as archive:
        assert archive.getnames() == ["xgboost-model"]
    served = cloud.invoke(endpoint, to_csv(table[279:, 1:]))["Body"].read().decode()
    cloud.transform("as-the-library")
    transformed = cloud.read("out/as-the-library/batch-in.csv.out")

    np.testing.assert_allclose(scores(served), expected, rtol=1e-6)
    np.testing.assert_allclose(scores(transformed), expected, rtol=1e-6)


def test_training_twice_gives_the_same_model(cloud: Cloud) -> None:
    """Training is deterministic."""
    cloud.train("again")
    models = []
    for job in ("trained", "again"):
        key = f"model/{job}/output/model.tar.gz"
        body = cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            member = archive.extractfile("xgboost-model")
            assert member is not None
            models.append(member.read())
    assert models[0] == models[1]


def test_libsvm_is_read_when_there_is_no_content_type(cloud: Cloud) -> None:
    """A channel without ContentType is libsvm, as in the container."""
    lines = [
        f"{row[0]:g} " + " ".join(f"{place}:{value:g}" for place, value in enumerate(row[1:]))
        for row in make_table(100)
    ]
    cloud.put("libsvm/train.txt", "\n".join(lines))

    job = cloud.train("libsvm", InputDataConfig=[channel("train", "libsvm/", None)])

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    log = (cloud.jobs / "training-job" / "libsvm" / "log").read_text()
    assert "Train matrix has 100 rows and 6 columns" in log


def test_early_stopping_keeps_the_best_rounds(cloud: Cloud) -> None:
    """early_stopping_rounds ends training on the last eval_metric of the validation channel."""
    job = cloud.train(
        "patient",
        HyperParameters={**HYPERPARAMETERS, "num_round": "500", "early_stopping_rounds": "3"},
    )
    assert job["TrainingJobStatus"] == "Completed"
    log = (cloud.jobs / "training-job" / "patient" / "log").read_text()
    assert "[499]" not in log


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("label,a,b\n1,2,3\n0,1,2\n", "The file must have no header"),
        ("1,2,3\n0,1\n", "different numbers of columns: [2, 3]"),
        ("1\n0\n1\n", "leave no feature beside the label"),
        ("2,1,3\n0,1,2\n0,3,4\n0,5,6\n", "for logistic regression"),
    ],
)
def test_wrong_data_fails_the_job(
    cloud: Cloud, body: str, reason: str, request: pytest.FixtureRequest
) -> None:
    """A file that is no CSV with the label first fails the job, quoting what is wrong."""
    name = f"data-{zlib.crc32(request.node.name.encode())}"
    cloud.put(f"{name}/train.csv", body)
    job = cloud.train(
        name,
        InputDataConfig=[channel("train", f"{name}/")],
        HyperParameters={"num_round": "2", "objective": "binary:logistic"},
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ([channel("test", "train/")], "Missing required channel: train"),
        (
            [channel("train", "train/"), channel("test", "train/")],
            "Extraneous channel found: test",
        ),
        ([channel("train", "train/", "image/png")], "configuration for 'train' channel is not"),
        (
            [channel("train", "train/", "application/x-recordio-protobuf")],
            "is not available locally",
        ),
    ],
)
def test_wrong_channels_fail_the_job(
    cloud: Cloud,
    channels: list[dict[str, Any]],
    reason: str,
    request: pytest.FixtureRequest,
) -> None:
    """The container knows train and validation, and its content types."""
    job = cloud.train(
        f"channels-{zlib.crc32(request.node.name.encode())}", InputDataConfig=channels
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert reason in job["FailureReason"]

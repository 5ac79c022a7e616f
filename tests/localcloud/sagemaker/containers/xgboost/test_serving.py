"""What a model's container answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from localcloud.sagemaker.containers.http import Request, Response
from localcloud.sagemaker.containers.xgboost.serving import Model
from tests.localcloud.sagemaker.cloud import (
    IMAGE,
    Cloud,
    make_table,
    to_csv,
)

ROW = "0.5,1,-1,2,0,0.25"


def model_error(cloud: Cloud, endpoint: str, body: str, **options: str) -> tuple[int, str]:
    """The container's own status and message behind a ModelError."""
    with pytest.raises(cloud.runtime.exceptions.ModelError) as error:
        cloud.invoke(endpoint, body, **options)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    status, text = response["OriginalStatusCode"], response["OriginalMessage"]
    side = "client" if status < 500 else "server"
    assert f"Received {side} error ({status}) from primary with message" in str(error.value)
    assert f"/aws/sagemaker/Endpoints/{endpoint}" in response["LogStreamArn"]
    return status, text


def test_csv_is_answered_with_a_line_a_row(cloud: Cloud, endpoint: str) -> None:
    """Probabilities come one a line with a newline at the end."""
    answer = cloud.invoke(endpoint, f"{ROW}\n{ROW}\n")
    text = answer["Body"].read().decode()
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    first, second, rest = text.split("\n")
    assert first == second
    assert 0 < float(first) < 1
    assert rest == ""


def test_json_is_answered_with_scores(cloud: Cloud, endpoint: str) -> None:
    """Accept application/json gives a score object a row."""
    answer = cloud.invoke(endpoint, f"{ROW}\n{ROW}", Accept="application/json")
    decoded = json.loads(answer["Body"].read())
    assert [list(entry) for entry in decoded["predictions"]] == [["score"], ["score"]]


def test_the_label_must_not_be_sent(cloud: Cloud, endpoint: str) -> None:
    """A row with one column too many is the container's 400."""
    status, text = model_error(cloud, endpoint, f"1,{ROW}")
    assert status == 400
    assert "expected: 6, got 7" in text


def test_a_header_row_is_unsupported_media(cloud: Cloud, endpoint: str) -> None:
    """A header is the container's 415."""
    status, text = model_error(cloud, endpoint, f"a,b,c,d,e,f\n{ROW}")
    assert status == 415
    assert "please ensure data is in csv format" in text


def test_too_few_columns_are_scored_silently(cloud: Cloud, endpoint: str) -> None:
    """Five columns of six are no error: the sixth counts as missing."""
    five = cloud.invoke(endpoint, ROW.rpartition(",")[0])["Body"].read()
    missing = cloud.invoke(endpoint, ROW.rpartition(",")[0] + ",")["Body"].read()
    assert five == missing


def test_an_empty_body_has_no_content(cloud: Cloud, endpoint: str) -> None:
    """An empty body is answered with 204 and nothing."""
    answer = cloud.invoke(endpoint, b"")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert answer["Body"].read() == b""


def test_plain_text_is_not_acceptable(cloud: Cloud, endpoint: str) -> None:
    """An Accept type outside the container's list is its 406."""
    assert model_error(cloud, endpoint, ROW, Accept="text/plain")[0] == 406


def test_libsvm_is_read(cloud: Cloud, endpoint: str) -> None:
    """The same features score the same as libsvm, with or without a label."""
    csv = cloud.invoke(endpoint, ROW)["Body"].read()
    features = " ".join(f"{place}:{value}" for place, value in enumerate(ROW.split(",")))
    for line in (features, f"1 {features}"):
        assert cloud.invoke(endpoint, line, ContentType="text/libsvm")["Body"].read() == csv


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_other_media_types_are_unsupported(cloud: Cloud, endpoint: str, content_type: str) -> None:
    """A content type that the container does not read is its 415, naming those it does."""
    status, text = model_error(cloud, endpoint, ROW, ContentType=content_type)
    assert status == 415
    assert "is not an accepted ContentType: csv, libsvm" in text


def test_older_images_join_predictions_with_commas(cloud: Cloud) -> None:
    """Images up to 1.2-1 answer CSV on one line."""
    cloud.create_model("older", job="trained", image=IMAGE.replace("3.2-0", "1.2-1"))
    cloud.create_endpoint("older", model="older")
    cloud.wait_for_endpoint("older")

    answer = cloud.invoke("older", to_csv(make_table(3)[:, 1:]))["Body"].read().decode()

    assert "\n" not in answer
    assert len(answer.split(",")) == 3


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable that the container reads."""
    for name in (
        "SAGEMAKER_INFERENCE_ENSEMBLE",
        "SAGEMAKER_BATCH",
        "MAX_CONTENT_LENGTH",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    ):
        monkeypatch.delenv(name, raising=False)


def saved(
    folder: Path, name: str, seed: int = 0, only: int | None = None, **parameters: Any
) -> xgboost.Booster:
    """Train a small model, of one label only if asked, and save it into the folder."""
    table = make_table(60)
    label = table[:, 0] if only is None else np.full(60, only)
    matrix = xgboost.DMatrix(table[:, 1:], label=label)
    options = {"objective": "binary:logistic", "seed": seed, "subsample": 0.5, **parameters}
    booster = xgboost.train(options, matrix, num_boost_round=3)
    booster.save_model(folder / f"{name}.ubj")
    return booster


def asked(model: Model, body: bytes = b"", **headers: str) -> Response:
    """What is answered to a row, or to another body."""
    given = {"content-type": "text/csv", **headers}
    return model.answer(Request("POST", "/invocations", given, body or ROW.encode()))


def predicted(booster: xgboost.Booster) -> float:
    """What the library alone predicts for the row."""
    row = np.array([[float(value) for value in ROW.split(",")]])
    return float(booster.predict(xgboost.DMatrix(row))[0])


def test_the_models_of_a_folder_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files whatever their names, but hidden ones; the first alone where that is asked for."""
    values = [predicted(saved(tmp_path, name, seed)) for seed, name in enumerate(("a", "b"))]
    assert values[0] != values[1]
    (tmp_path / ".hidden").write_text("no model")
    assert float(asked(Model(tmp_path, joined=False)).body) == pytest.approx(np.mean(values))
    monkeypatch.setenv("SAGEMAKER_INFERENCE_ENSEMBLE", "false")
    assert float(asked(Model(tmp_path, joined=False)).body) == pytest.approx(values[0])


@pytest.mark.parametrize(
    ("classes", "winner"), [((2, 1, 2), b"2.0\n"), ((2, 1), b"1.0\n"), ((0, 2, 2, 0), b"0.0\n")]
)
def test_models_that_answer_classes_vote(
    tmp_path: Path, classes: tuple[int, ...], winner: bytes
) -> None:
    """The class of most wins, of equally many the smallest: an average may be nobody's class."""
    for number, only in enumerate(classes):
        saved(tmp_path, str(number), only=only, objective="multi:softmax", num_class=3)
    assert asked(Model(tmp_path, joined=False)).body == winner


def test_probabilities_of_classes_are_one_line(tmp_path: Path) -> None:
    """Separated by commas."""
    saved(tmp_path, "m", objective="multi:softprob", num_class=3)
    line = asked(Model(tmp_path, joined=False)).body.decode()
    assert line.endswith("\n")
    assert sum(map(float, line.split(","))) == pytest.approx(1)


@pytest.mark.parametrize(("content", "said"), [(None, "holds no model file"), (b"x", "cannot be")])
def test_a_folder_without_a_model_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    """An endpoint fails with it, rather than answering nonsense."""
    if content is not None:
        (tmp_path / "model").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        Model(tmp_path, joined=False)


def test_a_transform_job_gets_values_whatever_it_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batch mode the container writes a line a row in its own way."""
    value = predicted(saved(tmp_path, "m"))
    monkeypatch.setenv("SAGEMAKER_BATCH", "true")
    for accept in ("text/csv", "application/json"):
        answer = asked(Model(tmp_path, joined=False), accept=accept)
        assert float(answer.body) == pytest.approx(value)
        assert answer.body.endswith(b"\n")


def test_the_default_of_accept_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a client that accepts anything, or says nothing."""
    saved(tmp_path, "m")
    monkeypatch.setenv("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    model = Model(tmp_path, joined=False)
    for answer in (asked(model), asked(model, accept="*/*")):
        assert answer.content_type == "application/json"
    assert asked(model, accept="text/csv; q=1").content_type == "text/csv"


@pytest.mark.parametrize("accept", ["application/jsonlines", "application/x-recordio-protobuf"])
def test_a_form_that_needs_chosen_keys_is_the_containers_failure(
    tmp_path: Path, accept: str
) -> None:
    """It is in the container's list, and answered with 500 all the same."""
    saved(tmp_path, "m")
    answer = asked(Model(tmp_path, joined=False), accept=accept)
    assert answer.status == 500
    assert b"selectable inference output" in answer.body


def test_a_larger_body_than_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is told to who plans a transform job, in whole megabytes."""
    saved(tmp_path, "m")
    monkeypatch.setenv("MAX_CONTENT_LENGTH", str(2 * 1024**2))
    model = Model(tmp_path, joined=False)
    told = json.loads(model.answer(Request("GET", "/execution-parameters", {}, b"")).body)
    assert told["MaxPayloadInMB"] == 2
    assert told["BatchStrategy"] == "MULTI_RECORD"
    line = ROW.encode() + b"\n"
    largest = (line * (2 * 1024**2 // len(line))).ljust(2 * 1024**2, b"\n")
    assert asked(model, largest).status == 200
    assert asked(model, largest + b"\n").status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ping", 200),
        ("POST", "/ping", 404),
        ("GET", "/invocations", 404),
        ("GET", "/", 404),
    ],
)
def test_only_the_containers_routes_are_there(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    """Anything else is not found."""
    saved(tmp_path, "m")
    assert Model(tmp_path, joined=False).answer(Request(method, path, {}, b"")).status == status


def test_a_linear_model_takes_missing_columns_too(tmp_path: Path) -> None:
    """It cannot predict in place; five columns of six are no error all the same."""
    saved(tmp_path, "m", booster="gblinear", subsample=1)
    answer = asked(Model(tmp_path, joined=False), ROW.rpartition(",")[0].encode())
    assert answer.status == 200
    assert 0 < float(answer.body) < 1

"""What a model's container answers."""

import json

import pytest

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

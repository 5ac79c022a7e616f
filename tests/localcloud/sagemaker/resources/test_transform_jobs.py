"""Batch transforms: cutting, joining, several files."""

import gzip
import io

import pytest

from localcloud.sagemaker.batching import payloads
from localcloud.sagemaker.errors import JobError
from tests.localcloud.sagemaker.cloud import (
    BUCKET,
    Cloud,
    make_table,
    refused,
    to_csv,
)


def cut(text: bytes, *, multiple: bool, limit: int, lines: bool = True) -> list[bytes]:
    """Cuts a text."""
    return list(payloads(io.BytesIO(text), lines=lines, multiple=multiple, limit=limit))


def test_records_fill_payloads_up_to_the_limit() -> None:
    """MultiRecord puts as many whole lines into a payload as fit."""
    assert cut(b"aa\nbb\ncc\n", multiple=True, limit=6) == [b"aa\nbb\n", b"cc\n"]
    assert cut(b"aa\nbb\ncc", multiple=True, limit=100) == [b"aa\nbb\ncc"]


def test_a_single_record_is_a_payload() -> None:
    """SingleRecord sends a line at a time."""
    assert cut(b"aa\nbb\n", multiple=False, limit=100) == [b"aa\n", b"bb\n"]


def test_an_input_that_is_not_split_is_one_record() -> None:
    """Without a split, the whole input is sent."""
    assert cut(b"aa\nbb\n", multiple=True, limit=6, lines=False) == [b"aa\nbb\n"]


@pytest.mark.parametrize("lines", [True, False])
def test_a_record_must_fit(lines: bool) -> None:
    """A record beyond the limit is refused, saying what to change."""
    with pytest.raises(JobError, match="larger than MaxPayloadInMB"):
        cut(b"aaaaaaa\n", multiple=True, limit=4, lines=lines)


def test_both_strategies_predict_the_same(cloud: Cloud) -> None:
    """One row at a time or all at once, each row has its prediction, in order."""
    cloud.transform("multi")
    cloud.transform("single", BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    multi = cloud.read("out/multi/batch-in.csv.out")
    single = cloud.read("out/single/batch-in.csv.out")
    # AssembleWith Line ends every answer with a newline of its own.
    assert multi.endswith("\n\n")
    assert single.count("\n\n") == 31
    assert multi.split() == single.split()
    assert len(multi.split()) == 31


def test_nothing_is_added_without_assembling(cloud: Cloud) -> None:
    """Without AssembleWith, the answers stand one after the other."""
    output = {"S3OutputPath": f"s3://{BUCKET}/out/bare/", "Accept": "text/csv"}
    cloud.transform("bare", TransformOutput=output)
    assert cloud.read("out/bare/batch-in.csv.out").count("\n") == 31


def test_a_large_input_is_cut_and_keeps_its_order(cloud: Cloud) -> None:
    """An input of several payloads, in several files, is answered row for row."""
    table = make_table(40_000)[:, 1:]
    cloud.put("many/a.csv", to_csv(table))
    cloud.put("many/deep/b.csv", to_csv(table[:10]))
    request = cloud.transform_request("many", MaxPayloadInMB=1, MaxConcurrentTransforms=3)
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/many/"
    cloud.sagemaker.create_transform_job(**request)
    job = cloud.wait_for_transform("many")

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    first = cloud.read("out/many/a.csv.out")
    assert len(first.split()) == 40_000
    assert first.count("\n\n") == 2
    assert first.split()[:10] == cloud.read("out/many/deep/b.csv.out").split()


def test_gzipped_inputs_are_unpacked(cloud: Cloud) -> None:
    """CompressionType Gzip reads zipped objects."""
    cloud.put("zipped/rows.csv.gz", gzip.compress(to_csv(make_table(5)[:, 1:]).encode()))
    request = cloud.transform_request("zipped")
    request["TransformInput"]["CompressionType"] = "Gzip"
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    source["S3Uri"] = f"s3://{BUCKET}/zipped/"
    cloud.sagemaker.create_transform_job(**request)
    assert cloud.wait_for_transform("zipped")["TransformJobStatus"] == "Completed"
    assert len(cloud.read("out/zipped/rows.csv.gz.out").split()) == 5


ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def test_a_transform_job_needs_its_model(cloud: Cloud) -> None:
    """A transform job of a missing model is refused at once."""
    _, message = refused(lambda: cloud.transform("modelless", ModelName="none"))
    assert message == f'Could not find model "{ARN}:model/none".'


def test_payloads_of_a_transform_are_limited(cloud: Cloud) -> None:
    """MaxPayloadInMB times MaxConcurrentTransforms is at most 100."""
    _, message = refused(
        lambda: cloud.transform("huge", MaxPayloadInMB=20, MaxConcurrentTransforms=6)
    )
    assert "must not exceed 100 MB; it is 120 MB" in message

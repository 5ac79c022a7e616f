"""The results of a Map Run: the state's output, or files in S3."""

import json
from typing import Any

import pytest

from tests.localcloud.stepfunctions.machines import PASS, Bench
from tests.localcloud.stepfunctions.test_map_runs import _ODD_FAIL, distributed

_ECHO = {"StartAt": "P", "States": {"P": PASS}}


def writer(bucket: str, **config: Any) -> dict[str, Any]:
    """A ResultWriter into a bucket's folder."""
    given = {"Bucket": bucket, "Prefix": "results"}
    put = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": given}
    return put | ({"WriterConfig": config} if config else {})


def objects(bench: Bench, bucket: str, files: list[dict[str, Any]]) -> Any:
    """What the one file of a kind holds."""
    (file,) = files
    body = bench.cloud.client("s3").get_object(Bucket=bucket, Key=file["Key"])["Body"].read()
    assert len(body) == file["Size"]
    return body.decode()


def test_results_are_exported_by_how_they_ended(bench: Bench) -> None:
    """A manifest names a file for those that succeeded and one for those that failed."""
    client = bench.cloud.client("s3")
    client.create_bucket(Bucket="map-results")
    definition = distributed(
        _ODD_FAIL, ToleratedFailureCount=1, ResultWriter=writer("map-results"), Label="Export"
    )
    outcome = bench.run(definition, [0, 1, 2])
    run = outcome.output["MapRunArn"]
    where = outcome.output["ResultWriterDetails"]
    assert where == {
        "Bucket": "map-results",
        "Key": f"results/{run.rpartition(':')[2]}/manifest.json",
    }
    manifest = json.loads(client.get_object(**where)["Body"].read())
    files = manifest["ResultFiles"]
    assert (manifest["MapRunArn"], files["PENDING"]) == (run, [])
    good = json.loads(objects(bench, "map-results", files["SUCCEEDED"]))
    assert [(each["Input"], each["Output"], each["Status"]) for each in good] == [
        ("0", "0", "SUCCEEDED"),
        ("2", "2", "SUCCEEDED"),
    ]
    (failed,) = json.loads(objects(bench, "map-results", files["FAILED"]))
    assert (failed["Error"], failed["Cause"], failed["Status"]) == ("Odd", "one too many", "FAILED")


def test_results_are_exported_as_lines(bench: Bench) -> None:
    """Their outputs alone, one a line."""
    client = bench.cloud.client("s3")
    client.create_bucket(Bucket="map-lines")
    written = writer("map-lines", Transformation="COMPACT", OutputType="JSONL")
    outcome = bench.run(distributed(_ECHO, ResultWriter=written), [{"a": 1}, {"a": 2}])
    where = outcome.output["ResultWriterDetails"]
    manifest = json.loads(client.get_object(**where)["Body"].read())
    assert objects(bench, "map-lines", manifest["ResultFiles"]["SUCCEEDED"]).splitlines() == [
        '{"a":1}',
        '{"a":2}',
    ]


@pytest.mark.parametrize(("how", "expected"), [("COMPACT", [[1, 2], [3]]), ("FLATTEN", [1, 2, 3])])
def test_outputs_are_transformed_without_an_export(
    bench: Bench, how: str, expected: list[Any]
) -> None:
    """FLATTEN joins the lists that the children gave."""
    config = {"WriterConfig": {"Transformation": how, "OutputType": "JSON"}}
    definition = distributed(_ECHO, ResultWriter=config)
    assert bench.run(definition, [[1, 2], [3]]).output == expected


def test_a_bucket_that_is_not_there_fails_the_map(bench: Bench) -> None:
    """As States.ResultWriterFailed."""
    outcome = bench.run(distributed(_ECHO, ResultWriter=writer("map-nowhere")), [1])
    assert outcome.error == "States.ResultWriterFailed"
    assert "NoSuchBucket" in (outcome.cause or "")
